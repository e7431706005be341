"""Writes about people."""

from django.contrib.auth.models import Group
from django.db import transaction

from portal.accounts import roles
from portal.accounts.models import User


@transaction.atomic
def assign_role(user: User, role: str) -> None:
    """Give a user this role and no other. An empty role takes every permission away."""
    user.groups.set(Group.objects.filter(name=role) if role else [])
    user.is_staff = user.is_superuser or role in roles.STAFF_ROLES
    user.save(update_fields=["is_staff"])
