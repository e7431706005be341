"""Writes about people."""

import logging

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import transaction

from portal.accounts import roles
from portal.accounts.models import User

log = logging.getLogger(__name__)


@transaction.atomic
def assign_role(user: User, role: str) -> None:
    """Give a user this role and no other. An empty role takes every permission away."""
    user.groups.set(Group.objects.filter(name=role) if role else [])
    user.is_staff = user.is_superuser or role in roles.STAFF_ROLES
    user.save(update_fields=["is_staff"])


def reset_second_factors(user: User, *, by: str) -> bool:
    """Take app, passkeys and recovery codes away: the password alone signs in again, until new ones are added.

    Returns: whether there were any
    """
    count, _ = Authenticator.objects.filter(user=user).delete()
    if count:
        log.warning("The second factors of %s were reset by %s.", user.get_username(), by)
    return bool(count)
