"""The refresh token in the session: kept, used when it is due, given up.

Of what a sign-in gives, the refresh token alone is kept, encrypted: who reads the session table must not be able to
sign in with it. The access token that a person's own calls take is of a refresh of that moment, and kept nowhere. A
refresh asks the pool whether the person is still welcome, and with which groups. It is due five minutes before the ID
token ends, at a person's next request. While Cognito is away, sessions live on for an hour.

Two requests at once may both refresh. Without rotation both are right; with it, the loser finds in the stored session
what the winner got.
"""

from __future__ import annotations

import base64
import functools
import logging
import time
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from portal.accounts.cognito import people, standing
from portal.accounts.signed_in import person
from portal.errors import GatewayError, NotLetIn
from portal.gateways.cognito import id_tokens, tokens

log = logging.getLogger(__name__)

KEY = "cognito"
DUE_BEFORE_S = 300
GRACE_S = 3600
ASK_AGAIN_AFTER_S = 30  # while Cognito is away, not every page waits for it
CONFIRMED_FOR_S = 300  # as allauth has it for local accounts
AWAY_TOO_LONG = "You were signed out: the sign-in service could not be reached for an hour. Sign in again."


class Kept(TypedDict):
    """What a session knows of its sign-in; times in seconds since 1970.

    Attributes: confirmed_at: when its person last said a password; sessions of former versions lack it
    """

    client_id: str
    refresh_token: str
    sub: str
    expires_at: int
    asked_at: int
    confirmed_at: NotRequired[int]


def keep(session: SessionBase, given: tokens.Tokens, claims: Mapping[str, Any]) -> None:
    """Remember a sign-in."""
    session[KEY] = Kept(
        client_id=given.client_id,
        refresh_token=seal(given.refresh_token),
        sub=claims["sub"],
        expires_at=int(claims["exp"]),
        asked_at=0,
        confirmed_at=int(claims.get("auth_time", 0)),
    )


def read(session: SessionBase) -> Kept | None:
    """What this session knows of its sign-in; None where the pool has no part in it."""
    return cast("Kept | None", session.get(KEY))


def is_due(kept: Kept) -> bool:
    """Is it time to ask Cognito, and not just after it did not answer?"""
    now = time.time()
    return now >= kept["expires_at"] - DUE_BEFORE_S and now >= kept["asked_at"] + ASK_AGAIN_AFTER_S


def is_confirmed(session: SessionBase) -> bool:
    """Did this session's person say a password just now?"""
    kept = read(session)
    return kept is not None and time.time() < kept.get("confirmed_at", 0) + CONFIRMED_FOR_S


def keep_up(request: HttpRequest, kept: Kept) -> str:
    """Refresh. The request goes on as the person with today's role, or as nobody.

    Returns: why the person was signed out, or an empty string
    """
    session = request.session
    try:
        _refresh(request, kept)
    except GatewayError as error:
        log.warning("A session could not be refreshed: %s", error.detail)
        return "" if _was_refreshed_meanwhile(session, kept) else _postpone(request, kept)
    except NotLetIn as error:
        if _was_refreshed_meanwhile(session, kept):
            return ""
        log.info("A session ended: its refresh was refused.")
        standing.forget(person(request))
        logout(request)
        return error.user_message
    return ""


def access_token(request: HttpRequest) -> str:
    """A fresh one, for a call of this person's own.

    Raises: NotLetIn: the session is over, but not yet ended; GatewayError
    """
    kept = read(request.session)
    if kept is None:
        raise NotLetIn(tokens.ENDED)
    try:
        return _refresh(request, kept)
    except NotLetIn:
        if not _was_refreshed_meanwhile(request.session, kept):
            raise
        return _refresh(request, request.session[KEY])


def give_up(*several: Kept | None) -> bool:
    """Make refresh tokens worthless at Cognito, too. Once it does not answer, it is not asked about the others.

    Returns: whether it was told of all
    """
    try:
        for kept in several:
            if kept is not None:
                _revoke(kept)
    except GatewayError as error:
        log.warning("A refresh token could not be revoked: %s", error.detail)
        return False
    return True


def seal(secret: str) -> str:
    """For a session: what who reads the table must not learn."""
    return _fernet(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises: NotLetIn: it was sealed with another PORTICO_SECRET_KEY"""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise NotLetIn(tokens.ENDED) from error


def _refresh(request: HttpRequest, kept: Kept) -> str:
    """Returns: the access token. Raises: NotLetIn; GatewayError."""
    given = tokens.refresh(unseal(kept["refresh_token"]), client_id=kept["client_id"])
    claims = id_tokens.verify(given.id_token, client_id=kept["client_id"])
    if claims["sub"] != kept["sub"]:
        log.error("A refresh gave the token of somebody else.")
        raise NotLetIn(tokens.ENDED)
    request.user = people.admit(claims)
    request.session[KEY] = {
        **kept,
        "refresh_token": seal(given.refresh_token) if given.refresh_token else kept["refresh_token"],
        "expires_at": int(claims["exp"]),
        "asked_at": 0,
    }
    try:
        request.session.save()  # now: a page that fails must not take a rotated token with it
    except UpdateError as error:  # it was ended meanwhile, from another browser
        raise NotLetIn(tokens.ENDED) from error
    return given.access_token


def _revoke(kept: Kept) -> None:
    try:
        tokens.revoke(unseal(kept["refresh_token"]), client_id=kept["client_id"])
    except NotLetIn:  # sealed by another secret: there is nothing to name
        return


def _postpone(request: HttpRequest, kept: Kept) -> str:
    now = int(time.time())
    if now >= kept["expires_at"] + GRACE_S:
        logout(request)
        return AWAY_TOO_LONG
    request.session[KEY] = {**kept, "asked_at": now}
    return ""


def _was_refreshed_meanwhile(session: SessionBase, kept: Kept) -> bool:
    """Another request of this session was faster: go on with what it got."""
    stored = cast("Kept | None", type(session)(session.session_key).get(KEY))
    if stored is None or stored["expires_at"] <= kept["expires_at"]:
        return False
    session[KEY] = stored
    return True


@functools.cache
def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(salted_hmac(__name__, "refresh token", secret, algorithm="sha256").digest()))
