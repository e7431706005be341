"""Who that is: a row for each `sub` of the pool, which alone never changes and is never given out twice.

The address is what the pool says now, for people to read. Nobody is found by it: a local account with the same address
stays apart, whatever address somebody gets the pool to believe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction

from portal.accounts import actions, roles
from portal.accounts.models import User

PROVIDER = "cognito"
NAME = "username"  # what allauth's row keeps beside the `sub`
LONGEST = 150  # a name, of any kind, as Django's users have it
# Groups are named as roles, but a group's name has no blanks.
GROUPS = {role.replace(" ", "-"): role for role in roles.ROLES}


def admit(claims: Mapping[str, Any]) -> User:
    """The person of these claims, who is made at the first visit; address, name and role are as the claims say.

    Args: claims: of an ID token that was verified
    """
    account = _find(claims["sub"])
    if account is None:
        try:
            account = _make(claims)
        except IntegrityError:  # signed in twice at once, for the first time
            account = _find(claims["sub"])
            if account is None:
                raise
    _take_over(account, claims)
    user: User = account.user
    return user


def find(sub: str) -> User | None:
    """Whose `sub` this is, or None where nobody's."""
    account = _find(sub)
    return account.user if account else None


def comes_from_the_pool(user: User) -> bool:
    """Is this person's name and role the pool's affair?"""
    return SocialAccount.objects.filter(provider=PROVIDER, user=user).exists()


def name_in_the_pool(user: User) -> str | None:
    """As the pool calls this person, where a call takes a username; None where it does not know them."""
    account = SocialAccount.objects.filter(provider=PROVIDER, user=user).first()
    return str(account.extra_data.get(NAME) or account.uid) if account else None


def account_of(claims: Mapping[str, Any]) -> SocialAccount:
    """The row that says who that is; not saved, and without a user."""
    return SocialAccount(provider=PROVIDER, uid=claims["sub"], extra_data=_names(claims))


def role_of(groups: object) -> str:
    """The highest role among the groups, or an empty string. Groups with other names are other programs' affair."""
    named = groups if isinstance(groups, list) else []
    held = {GROUPS.get(str(group)) for group in named}
    return next((role for role in reversed(roles.ROLES) if role in held), "")


def _find(sub: str) -> SocialAccount | None:
    found: SocialAccount | None = (
        SocialAccount.objects.filter(provider=PROVIDER, uid=sub).select_related("user").first()
    )
    return found


@transaction.atomic
def _make(claims: Mapping[str, Any]) -> SocialAccount:
    user = User(username=claims["sub"])
    user.set_unusable_password()
    user.save()
    account = account_of(claims)
    account.user = user
    account.save()
    return account


@transaction.atomic
def _take_over(account: SocialAccount, claims: Mapping[str, Any]) -> None:
    """Writes what changed, which at most refreshes is nothing."""
    if account.extra_data != _names(claims):
        account.extra_data = _names(claims)
        account.save(update_fields=["extra_data"])
    user: User = account.user
    address = _address(claims)
    facts = {
        "username": _free_name(user, address) or claims["sub"],
        "email": address,
        "first_name": str(claims.get("given_name") or claims.get("name") or "")[:LONGEST],
        "last_name": str(claims.get("family_name") or "")[:LONGEST],
        "is_superuser": False,
    }
    changed = [name for name, value in facts.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, facts[name])
    if changed:
        user.save(update_fields=changed)
    role = role_of(claims.get("cognito:groups"))
    if role != user.role or user.is_staff != (role in roles.STAFF_ROLES):
        actions.assign_role(user, role)


def _names(claims: Mapping[str, Any]) -> dict[str, str]:
    """In the template's pool the name is the `sub` once more; in pools of the original tool it may be another one."""
    return {NAME: str(claims.get("cognito:username") or claims["sub"])}


def _address(claims: Mapping[str, Any]) -> str:
    """The address, if the pool knows that it is this person's. Some flows carry the flag as text."""
    is_verified = claims.get("email_verified") in (True, "true")
    return str(claims.get("email") or "") if is_verified else ""


def _free_name(user: User, address: str) -> str:
    """The address as a username, unless it is too long for one or somebody is called so already."""
    if not address or len(address) > LONGEST:
        return ""
    is_taken = User.objects.filter(username__iexact=address).exclude(pk=user.pk).exists()
    return "" if is_taken else address
