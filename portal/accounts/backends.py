"""How people are let in, and where their permissions come from."""

from typing import Any

from django.contrib.auth.backends import ModelBackend


class RoleBackend(ModelBackend):
    """A person's permissions are those of the role: there is no page to give any to one person alone."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """None, unasked: each page would ask for them once. A superuser has all of them from the other half."""
        return set()
