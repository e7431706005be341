"""A code or a refresh token for tokens; taking a refresh token back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings

from portal.errors import BackendAway, BackendFault, NotLetIn
from portal.gateways.cognito.client import (
    AWAY,
    FAULT,
    TIMEOUTS_S,
    Answers,
    metadata,
    pool_client,
    pool_errors,
    secret_of,
    web_errors,
)

CODE_OVER = "The sign-in took too long, or its page was opened twice."
ENDED = "You were signed out: the sign-in service ended your session. Sign in again."

# Disabled, deleted, revoked, too old, or used up: Cognito has one code for most of it, and none may go on.
_REFUSED: Answers = dict.fromkeys(
    ("NotAuthorizedException", "UserNotFoundException", "RefreshTokenReuseException", "UserNotConfirmedException"),
    lambda said: NotLetIn(ENDED),
)
# What was revoked, or never was one of ours, needs no revoking.
_ALREADY_OVER = ("UnauthorizedException", "UnsupportedTokenTypeException", "InvalidParameterException")


@dataclass(frozen=True, repr=False)
class Tokens:
    """What a sign-in or a refresh gives.

    Attributes:
        client_id: whose tokens these are; they are refreshed and revoked in its name
        id_token: not yet looked at
        refresh_token: empty where the old one stays good
        access_token: of a refresh alone, for the person's own calls; a sign-in's is dropped
    """

    client_id: str
    id_token: str
    refresh_token: str = ""
    access_token: str = ""


def exchange_code(code: str, *, redirect_uri: str, verifier: str) -> Tokens:
    """What managed login sent the browser back with, for tokens. A code is good once, for five minutes.

    Raises: NotLetIn: the code is over, or was for another browser; GatewayError
    Source: RFC 6749, section 4.1.3; RFC 7636, section 4.5
    """
    client_id = settings.PORTICO_USER_POOL_CLIENT_ID
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    with web_errors("exchanging a code"):
        answer = requests.post(
            metadata()["token_endpoint"],
            data=form,
            auth=(client_id, settings.PORTICO_USER_POOL_CLIENT_SECRET),
            timeout=TIMEOUTS_S,
            allow_redirects=False,
        )
        if answer.status_code >= requests.codes.server_error:
            raise BackendAway(AWAY, detail=f"The token endpoint answered {answer.status_code}")
        said: dict[str, Any] = answer.json()
    if said.get("error") == "invalid_grant":
        raise NotLetIn(CODE_OVER)
    if "id_token" not in said:
        raise BackendFault(FAULT, detail=f"The token endpoint answered {answer.status_code}: {said.get('error')}")
    return Tokens(client_id, said["id_token"], said.get("refresh_token", ""))


def refresh(refresh_token: str, *, client_id: str) -> Tokens:
    """New tokens, and a new refresh token where the client rotates them.

    Raises: NotLetIn: the person or the session is no longer welcome; GatewayError
    Source: GetTokensFromRefreshToken, which takes refresh tokens of every flow, with rotation and without
    """
    with pool_errors("refreshing tokens", _REFUSED):
        said = pool_client().get_tokens_from_refresh_token(
            RefreshToken=refresh_token, ClientId=client_id, **secret_of(client_id)
        )["AuthenticationResult"]
    return Tokens(client_id, said["IdToken"], said.get("RefreshToken", ""), said.get("AccessToken", ""))


def revoke(refresh_token: str, *, client_id: str) -> None:
    """From now on it is worth nothing; it is no error if it was so already. Raises: GatewayError."""
    over: Answers = dict.fromkeys(_ALREADY_OVER, lambda said: _AlreadyOver(said))
    try:
        with pool_errors("revoking a refresh token", over):
            pool_client().revoke_token(Token=refresh_token, ClientId=client_id, **secret_of(client_id))
    except _AlreadyOver:
        return


class _AlreadyOver(NotLetIn):
    """There was nothing to revoke."""
