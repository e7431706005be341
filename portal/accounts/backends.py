"""How people are let in, and where their permissions come from."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from portal.accounts.models import User


class RoleBackend(ModelBackend):
    """A person's permissions are those of the role: there is no page to give any to one person alone."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
        **others: Any,
    ) -> User | None:
        """The person of this name or e-mail address, if the password is right and the account is switched on.

        One password is hashed whoever is asked for, so that the time tells nothing either.
        """
        name = username or email
        if not name or not password:
            return None
        user = User.objects.find_by_name(name)
        if user is None:
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """None, unasked: each page would ask for them once. A superuser has all of them from the other half."""
        return set()
