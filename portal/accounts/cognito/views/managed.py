"""There and back again: the door, managed login, and what it sends the browser back with."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from portal.accounts.cognito import sessions
from portal.accounts.cognito.letting_in import let_in, next_url_of
from portal.accounts.cognito.provider import CognitoProvider, callback_url
from portal.errors import NotLetIn
from portal.gateways.cognito import id_tokens, tokens

log = logging.getLogger(__name__)

UNKNOWN_STATE = "This sign-in was begun in another browser or too long ago, or its page was opened twice."
BROKEN_OFF = "The sign-in was broken off, or the sign-in service does not let this account in."
FAILED = "The sign-in service could not finish the sign-in."
NOT_ASKED = (
    "The sign-in service let you in without asking who you are. Sign out, sign in with your password, and try again "
    "within five minutes."
)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door. Only a press on its button leads away: a link to this page must not sign anybody in by itself."""
    next_url = next_url_of(request)
    if request.user.is_authenticated:
        return redirect(next_url or "predictions:home")
    if request.method == "POST":
        return CognitoProvider(request).send_there(request, next_url=next_url)
    return render(request, "accounts/cognito/door.html", {"next": next_url})


@login_not_required
@never_cache
@require_GET  # and no HEAD: a code is good once
def callback(request: HttpRequest) -> HttpResponse:
    """Where managed login sends the browser: with a code, or with why there is none. Raises: GatewayError."""
    state = CognitoProvider(request).take_state(request)
    if state is None:
        return _failed(request, UNKNOWN_STATE)
    next_url = state.get("next", "")
    if "code" not in request.GET:
        error = request.GET.get("error", "")
        log.warning("Managed login sent back an error: %r %r", error, request.GET.get("error_description", ""))
        if error == "access_denied":
            return _failed(request, BROKEN_OFF, next_url=next_url, status=403)
        return _failed(request, FAILED, next_url=next_url)
    try:
        return _finish(request, state, next_url)
    except id_tokens.IdTokenRefused as error:
        return _failed(request, error.user_message, next_url=next_url, status=403)
    except NotLetIn as error:
        return _failed(request, error.user_message, next_url=next_url)


def _finish(request: HttpRequest, state: dict[str, Any], next_url: str) -> HttpResponse:
    given = tokens.exchange_code(
        request.GET["code"], redirect_uri=callback_url(request), verifier=state["pkce_code_verifier"]
    )
    claims = id_tokens.verify(given.id_token, client_id=given.client_id, nonce=state["nonce"])
    response = let_in(request, given, claims, next_url=next_url)
    if state.get("is_again") and not sessions.is_confirmed(request.session):
        messages.warning(request, NOT_ASKED)
    return response


def _failed(request: HttpRequest, why: str, *, next_url: str = "", status: int = 400) -> HttpResponse:
    return render(request, "accounts/cognito/failed.html", {"why": why, "next": next_url}, status=status)
