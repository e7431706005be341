"""May a program still come in somebody's name? A session's refresh tells of its person; a token asks the pool itself.

The answer is kept for five minutes, for every process alike. While Cognito is away, the last one counts for an hour.
"""

from __future__ import annotations

import logging
import time
from typing import TypedDict

from django.conf import settings
from django.core.cache import cache

from portal.accounts.cognito.people import name_in_the_pool
from portal.accounts.models import User
from portal.errors import GatewayError
from portal.gateways.cognito import people

log = logging.getLogger(__name__)

KEPT_S = 300
GRACE_S = 3600
ASK_AGAIN_AFTER_S = 30  # while Cognito is away, not every call waits for it


class _Known(TypedDict):
    """What Cognito said, when, and until when it is not asked again; times in seconds since 1970."""

    is_welcome: bool
    said_at: float
    ask_at: float


def is_welcome(user: User) -> bool:
    """Is this person in the pool, and switched on? Where no pool decides, everybody is.

    Raises: GatewayError: Cognito cannot be asked, nor has it been for an hour
    """
    if not settings.PORTICO_USER_POOL_ID:
        return True
    known: _Known | None = cache.get(_key(user))
    if known and time.time() < known["ask_at"]:
        return known["is_welcome"]
    name = name_in_the_pool(user)
    return name is not None and _ask(user, name, known)


def forget(user: User) -> None:
    """Cognito has just refused something of this person's: the next program asks anew."""
    cache.delete(_key(user))


def _ask(user: User, name: str, known: _Known | None) -> bool:
    try:
        said = people.is_welcome(name)
    except GatewayError as error:
        now = time.time()
        if known is None or now >= known["said_at"] + GRACE_S:
            raise
        log.warning("Whether a token's person is still in the pool could not be asked: %s", error.detail)
        cache.set(_key(user), {**known, "ask_at": now + ASK_AGAIN_AFTER_S}, GRACE_S)
        return known["is_welcome"]
    now = time.time()
    cache.set(_key(user), _Known(is_welcome=said, said_at=now, ask_at=now + KEPT_S), GRACE_S)
    return said


def _key(user: User) -> str:
    return f"cognito-standing:{user.pk}"
