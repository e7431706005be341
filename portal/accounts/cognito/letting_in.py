"""The last step, whichever way somebody came: claims that were verified become a session."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from portal.accounts.cognito import people, sessions
from portal.accounts.cognito.provider import CognitoProvider
from portal.errors import GatewayError, NotLetIn
from portal.gateways.cognito import tokens

log = logging.getLogger(__name__)

SWITCHED_OFF = "Your account is switched off in this Portico. Ask an administrator."


def let_in(request: HttpRequest, given: tokens.Tokens, claims: Mapping[str, Any], *, next_url: str) -> HttpResponse:
    """Sign the person of these claims in, by allauth's own flow, so that its list of sessions has this one too.

    Args: claims: of `given`, verified
    Raises: NotLetIn: the person is switched off here
    """
    user = people.admit(claims)
    if not user.is_active:
        _give_back(given)
        raise NotLetIn(SWITCHED_OFF)
    # allauth finds the person by this; it never gets to where it would look for one by address, or make one.
    login = SocialLogin(account=people.account_of(claims), provider=CognitoProvider(request))
    login.state = {"next": next_url} if next_url else {}
    before = sessions.read(request.session)
    response: HttpResponse = complete_social_login(request, login)
    if request.user.is_authenticated:  # allauth has given it a key of its own by now
        sessions.keep(request.session, given, claims)
        sessions.give_up(before)  # of the session that this one has replaced
    return response


def next_url_of(request: HttpRequest) -> str:
    """The page of this site that was wanted, or an empty string."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


def _give_back(given: tokens.Tokens) -> None:
    """Nobody will use this refresh token; that it stays good is no reason to say anything else."""
    try:
        tokens.revoke(given.refresh_token, client_id=given.client_id)
    except GatewayError as error:
        log.warning("A refresh token that is not needed could not be revoked: %s", error.detail)
