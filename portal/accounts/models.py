"""The user: Django's own, with one role; and the tokens with which a person's programs come in that person's name."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portal.accounts import roles


class PersonManager(UserManager["User"]):
    def find_by_name(self, name: str) -> User | None:
        """Who calls himself so at the sign-in: by username, else by what nobody else has in any case of letters."""
        user = self.filter(username=name).first()
        if user is None:
            alike = list(self.filter(Q(username__iexact=name) | Q(email__iexact=name))[:2])
            user = alike[0] if len(alike) == 1 else None
        return user


class User(AbstractUser):
    """A person who signs in. The role is the group; `is_staff` follows from it (see actions.assign_role)."""

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def role(self) -> str:
        """The highest role held, or an empty string."""
        held = {group.name for group in self.groups.all()}
        return next((role for role in reversed(roles.ROLES) if role in held), "")

    @property
    def sees_all_history(self) -> bool:
        return self.has_perm("predictions.view_all_history")

    @property
    def may_have_tokens(self) -> bool:
        """Programs come for one thing only: to bring models."""
        return self.has_perm("registry.add_modelversion")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def valid(self) -> ApiTokenQuerySet:
        """Neither taken back nor past their last day, and of people who may sign in."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)


class ApiToken(models.Model):
    """May do over HTTP what its person may. The token itself is nowhere: only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the token.")
    hint = models.CharField(max_length=12, editable=False, help_text="Its last characters, to tell it by.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"], condition=Q(revoked_at__isnull=True), name="one_name_a_token_of_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()
