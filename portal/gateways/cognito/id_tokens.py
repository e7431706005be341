"""Is this an ID token of our pool, for us, of now?

Source: OpenID Connect Core 1.0, section 3.1.3.7; "Verifying JSON web tokens" of the Cognito developer guide
"""

from __future__ import annotations

import functools
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any

import jwt
from django.conf import settings

from portal.errors import BackendAway, BackendFault, NotLetIn
from portal.gateways.cognito.client import AWAY, FAULT, READ_TIMEOUT_S, metadata

log = logging.getLogger(__name__)

REFUSED = "The sign-in could not be verified. Try again; if it stays, tell the person who runs this Portico."
LEEWAY_S = 30  # two clocks may differ by this much
KEYS_KEPT_S = 3600
ALGORITHM = "RS256"  # the only one that Cognito signs with; what a token's own header says decides nothing
CLAIMS = ("sub", "iss", "aud", "exp", "iat", "token_use")


class IdTokenRefused(NotLetIn):
    """Not an ID token to trust. Why is in the log only."""


def verify(token: str, *, client_id: str, nonce: str | None = None) -> Mapping[str, Any]:
    """The claims of an ID token that was checked in every way.

    Args: nonce: what the token must repeat; None where nothing was sent along that it could repeat
    Raises: IdTokenRefused; BackendAway: the pool's keys cannot be had; BackendFault
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(token),
            algorithms=[ALGORITHM],
            audience=client_id,
            issuer=settings.PORTICO_USER_POOL_ISSUER,
            leeway=LEEWAY_S,
            options={"require": list(CLAIMS)},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise BackendAway(AWAY, detail=f"The pool's keys cannot be had: {error}") from error
    except json.JSONDecodeError as error:
        raise BackendFault(FAULT, detail=f"The pool's keys are no JSON: {error}") from error
    except jwt.PyJWTError as error:
        raise _refused(f"{type(error).__name__}: {error}") from error
    # An access token carries the same signature and lacks `aud`; the emulator's authorizer lets one through.
    if claims["token_use"] != "id":  # noqa: S105 -- a kind of token, no password
        raise _refused(f"a token for use as {claims['token_use']!r}")
    if nonce is not None and not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise _refused("the nonce is another one")
    return claims


def _refused(reason: str) -> IdTokenRefused:
    log.warning("An ID token was refused: %s", reason)
    return IdTokenRefused(REFUSED)


def _key_of(token: str) -> Any:
    key_id = jwt.get_unverified_header(token).get("kid")
    if not key_id:
        raise jwt.InvalidTokenError("it names no key")
    return _keys(metadata()["jwks_uri"]).get_signing_key(key_id).key


@functools.cache
def _keys(address: str) -> jwt.PyJWKClient:
    """The pool's keys, kept for an hour; a key that is not among them has them fetched once more.

    The pause that PyJWT would make before that is against strangers with made-up tokens. Ours come from Cognito itself.
    """
    return jwt.PyJWKClient(
        address, cache_jwk_set=True, lifespan=KEYS_KEPT_S, timeout=READ_TIMEOUT_S, cooldown_duration=0
    )
