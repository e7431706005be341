"""Before something sensitive, a person shows once more who that is: by the password, or by managed login again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.accounts import limits
from portal.accounts.cognito import challenges, people, sessions
from portal.accounts.cognito.forms import CodeForm, PasswordForm
from portal.accounts.cognito.letting_in import next_url_of
from portal.accounts.cognito.provider import CognitoProvider
from portal.accounts.cognito.views.passwords import REFUSALS, counted, tell
from portal.accounts.signed_in import person
from portal.errors import BackendFault, NotLetIn, Refused
from portal.gateways.cognito import id_tokens, passwords
from portal.gateways.cognito.passwords import Challenge
from portal.gateways.cognito.tokens import Tokens

log = logging.getLogger(__name__)

TOO_LONG = "That took too long. Confirm again from the beginning."
NOT_YOURS = "That is not your password."
View = Callable[[HttpRequest], HttpResponse]


def page(view: View) -> View:
    """For people whose session is the pool's: one that Cognito has ended meanwhile ends here, with a sentence.

    What is turned down and belongs to no field is told on the account's page.
    """

    @wraps(view)
    @never_cache
    @sensitive_post_parameters()
    @require_http_methods(["GET", "HEAD", "POST"])
    def wrapped(request: HttpRequest) -> HttpResponse:
        if sessions.read(request.session) is None:
            raise Http404
        try:
            return view(request)
        except NotLetIn as error:
            return end_session(request, error.user_message)
        except Refused as error:
            messages.error(request, error.user_message)
            return redirect("mfa_index")

    return wrapped


def end_session(request: HttpRequest, why: str) -> HttpResponse:
    """To the door, which leads back here."""
    logout(request)
    messages.warning(request, why)
    return redirect_to_login(request.path)


def ask_first(request: HttpRequest) -> HttpResponse | None:
    """To the page that asks who that is, unless it has been answered within five minutes."""
    return None if sessions.is_confirmed(request.session) else _redirect("account_reauthenticate", request.path)


@page
def by_managed_login(request: HttpRequest) -> HttpResponse:
    """There and back again: it is told to ask, even if it knows its visitor."""
    next_url = next_url_of(request)
    if request.method == "POST":
        return CognitoProvider(request).send_there(request, next_url=next_url, is_again=True)
    return _show(request, None, next_url)


@page
def by_password(request: HttpRequest) -> HttpResponse:
    """One's own password; a code may be asked for after it."""
    form, next_url = PasswordForm(request.POST or None), next_url_of(request)
    name = people.name_in_the_pool(person(request)) or ""
    if request.method == "POST" and form.is_valid():
        try:
            with counted(request, name):
                step = passwords.sign_in(name, form.cleaned_data["password"])
            return _go_on(request, step, next_url)
        except NotLetIn as error:
            form.add_error("password", NOT_YOURS if error.user_message == passwords.NO_MATCH else error.user_message)
        except REFUSALS as error:
            tell(form, error)
    return _show(request, form, next_url)


@page
def by_code(request: HttpRequest) -> HttpResponse:
    """The authenticator's six digits, after the password."""
    waiting = challenges.waiting(request.session, passwords.TOTP)
    if waiting is None:
        return redirect("account_reauthenticate")
    challenge, next_url = waiting
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with counted(request, challenge.username):
                step = passwords.answer_totp(challenge, form.cleaned_data["code"])
            return _go_on(request, step, next_url)
        except passwords.ChallengeOver:
            challenges.forget(request.session)
            messages.warning(request, TOO_LONG)
            return _redirect("account_reauthenticate", next_url)
        except REFUSALS as error:
            tell(form, error)
    return _show(request, form, next_url)


def _go_on(request: HttpRequest, step: Tokens | Challenge, next_url: str) -> HttpResponse:
    """Confirmed, or to the code. What the sign-in gave replaces what the session had."""
    if isinstance(step, Challenge):
        if step.name != passwords.TOTP:  # somebody set a temporary password while this session goes on
            raise BackendFault(passwords.UNKNOWN_STEP.format(name=step.name))
        challenges.ask(request.session, step, next_url)
        return redirect("mfa_reauthenticate")
    claims = id_tokens.verify(step.id_token, client_id=step.client_id)
    before = sessions.read(request.session)
    challenges.forget(request.session)
    if before is None or claims["sub"] != before["sub"]:
        log.error("A person's own name and password gave the token of somebody else.")
        raise NotLetIn(NOT_YOURS)
    people.admit(claims)
    sessions.keep(request.session, step, claims)
    sessions.give_up(before)
    return redirect(next_url or "mfa_index")


def _redirect(page: str, next_url: str) -> HttpResponse:
    return redirect(f"{reverse(page)}?{urlencode({'next': next_url})}")


def _show(request: HttpRequest, form: forms.Form | None, next_url: str) -> HttpResponse:
    wait = limits.wait_of(form) if form else None
    status = 429 if wait is not None else 422 if form and form.errors else 200
    response = render(request, "accounts/cognito/confirm.html", {"form": form, "next": next_url}, status=status)
    if wait is not None:
        response["Retry-After"] = str(wait)
    return response
