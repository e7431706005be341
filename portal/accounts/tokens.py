"""Tokens: made, shown once, recognised, taken back.

A token has 256 bits of chance, so its plain SHA-256 is as good as a slow hash: there is nothing to guess. Recognising
one is a look into an index by that hash, the same work for any token, right or wrong.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from portal.accounts.cognito import standing
from portal.accounts.models import ApiToken, User

PREFIX = "portico_"  # lets scanners for leaked secrets know one when they see it
BYTES = 32
HINT_CHARACTERS = 4
# The time of the last use is for people: to the minute is enough, and a pipeline that polls writes nothing.
NOTED_EVERY = timedelta(minutes=1)


def make_token(user: User, *, name: str, days: int) -> tuple[ApiToken, str]:
    """A new token of this person.

    Returns: its row, and the token itself, which nobody can find out again
    """
    secret = PREFIX + secrets.token_urlsafe(BYTES)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        digest=_digest(secret),
        hint=secret[-HINT_CHARACTERS:],
        expires_at=timezone.now() + timedelta(days=days),
    )
    return row, secret


def revoke(token: ApiToken) -> None:
    """From now on it is worth nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def find_user(secret: str) -> User | None:
    """Whose token this is; None where it is none, taken back or too old, or its person is no longer welcome.

    Notes the use. Raises: GatewayError: the user pool cannot be asked about the person
    """
    token = ApiToken.objects.valid().select_related("user").filter(digest=_digest(secret)).first()
    if token is None or not standing.is_welcome(token.user):
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
