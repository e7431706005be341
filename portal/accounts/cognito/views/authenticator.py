"""One's own account where a pool decides: the authenticator app, which the pool keeps, added and taken off."""

from __future__ import annotations

import base64
import logging
import time
from typing import Any

from allauth.mfa.adapter import get_adapter
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from portal.accounts import views
from portal.accounts.adapters import WORDS
from portal.accounts.cognito import sessions
from portal.accounts.cognito.forms import AddAppForm
from portal.accounts.cognito.views.confirming import ask_first, end_session, page
from portal.accounts.cognito.views.passwords import tell
from portal.accounts.signed_in import person
from portal.errors import BadInput, GatewayError, NotLetIn, Refused, TooOften
from portal.gateways.cognito import authenticators

log = logging.getLogger(__name__)

ADDED = WORDS["mfa/messages/totp_activated.txt"]
REMOVED = WORDS["mfa/messages/totp_deactivated.txt"]
KEY = "cognito_app"
GOOD_FOR_S = 900  # to find the phone: whoever confirmed before is not asked again on the way


def account(request: HttpRequest) -> HttpResponse:
    """The page of any account, with what the pool says of the app, or why it says nothing."""
    if sessions.read(request.session) is None:
        return views.account(request)
    is_on, problem = False, ""
    try:
        is_on = authenticators.has_app(sessions.access_token(request))
    except NotLetIn as error:
        return end_session(request, error.user_message)
    except Refused as error:
        problem = error.user_message
    except GatewayError as error:
        log.warning("A person's second factor could not be looked at: %s", error.detail)
        problem = error.user_message
    return views.account(request, pool_app={"is_on": is_on, "problem": problem})


@page
def add(request: HttpRequest) -> HttpResponse:
    """Each visit gets a secret of its own, which waits in the session for a code that proves the app has it."""
    secret = _waiting(request.session) if request.method == "POST" else ""
    if not secret:
        return ask_first(request) or _begin(request)
    form = AddAppForm(request.POST, secret=secret)
    return _switch_on(request, form) if form.is_valid() else _show(request, form)


@page
def remove(request: HttpRequest) -> HttpResponse:
    """Asks once more, then has the pool switch it off."""
    refusal = ask_first(request)
    if refusal:
        return refusal
    if request.method != "POST":
        return render(request, "accounts/cognito/app_remove.html")
    authenticators.switch_off(sessions.access_token(request))
    log.info("A person took the authenticator app off.")
    messages.success(request, REMOVED)
    return redirect("mfa_index")


def _begin(request: HttpRequest) -> HttpResponse:
    token = sessions.access_token(request)
    if authenticators.has_app(token):
        return redirect("mfa_deactivate_totp")
    secret = authenticators.begin(token)
    request.session[KEY] = {"secret": sessions.seal(secret), "until": int(time.time()) + GOOD_FOR_S}
    return _show(request, AddAppForm(secret=secret))


def _switch_on(request: HttpRequest, form: AddAppForm) -> HttpResponse:
    try:
        authenticators.switch_on(sessions.access_token(request), form.cleaned_data["code"])
    except (BadInput, TooOften) as error:
        tell(form, error)
        return _show(request, form)
    del request.session[KEY]
    log.info("A person added an authenticator app.")
    messages.success(request, ADDED)
    return redirect("mfa_index")


def _waiting(session: SessionBase) -> str:
    """The secret that was shown last, while a code for it is taken; else an empty string."""
    kept: dict[str, Any] | None = session.get(KEY)
    return sessions.unseal(kept["secret"]) if kept and time.time() < kept["until"] else ""


def _show(request: HttpRequest, form: AddAppForm) -> HttpResponse:
    adapter = get_adapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(person(request), form.secret))
    address = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
    context = {"form": form, "totp_svg_data_uri": address}
    return render(request, "accounts/app.html", context, status=422 if form.errors else 200)
