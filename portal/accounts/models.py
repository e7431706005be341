"""The user: Django's own, with one role."""

from django.contrib.auth.models import AbstractUser

from portal.accounts import roles


class User(AbstractUser):
    """A person who signs in. The role is the group; `is_staff` follows from it (see actions.assign_role)."""

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
