"""Who called the API: people of the user pool, who may never have been in the portal, and nobody in particular."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password

from portal.accounts.cognito import people
from portal.accounts.models import User
from portal.errors import Refused

# Of the second name, where a person is called by the first.
NOBODY = ("api", "API calls")


def of_the_pool(sub: str, *, email: str, username: str) -> User:
    """The person of this `sub`; one who is new is made, without a role or a password, until the first sign-in.

    Args: email: that the pool knows to be this person's, or an empty string
    """
    claims = {"sub": sub, "email": email, "email_verified": True, "cognito:username": username}
    return people.find(sub) or people.admit(claims)


def nobody() -> User:
    """Whom calls belong to where nobody checks who calls. Cannot sign in. Raises: Refused: no name is left for it."""
    for name in NOBODY:
        unusable = {"is_active": False, "password": make_password(None)}
        user, _ = User.objects.get_or_create(username=name, defaults=unusable)
        if not (user.is_active or user.has_usable_password()):
            return user
    raise Refused(
        f"Calls that nobody checked are kept under the name “{NOBODY[0]}”, and people of this portal have that name "
        f"and “{NOBODY[1]}”. Rename one of them."
    )
