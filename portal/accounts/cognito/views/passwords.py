"""The same by forms of the portal's own: password, what may be asked after it, a forgotten password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.accounts import limits
from portal.accounts.cognito import challenges
from portal.accounts.cognito.forms import CodeForm, NewPasswordForm, ResetForm, SendCodeForm, SignInForm
from portal.accounts.cognito.letting_in import let_in, next_url_of
from portal.errors import BadInput, Fixable, TooOften
from portal.gateways.cognito import client, id_tokens, passwords
from portal.gateways.cognito.passwords import Challenge
from portal.gateways.cognito.tokens import Tokens

SENT = "If there is an account with this address, a code is on its way to it. It is good for an hour."
CHANGED = "Your new password is set. Sign in with it."
PAGE_OF = {passwords.NEW_PASSWORD: "cognito_new_password", passwords.TOTP: "cognito_code"}
REFUSALS = (Fixable, forms.ValidationError)

View = Callable[[HttpRequest], HttpResponse]


def page(view: View) -> View:
    """Open to everybody but those who are in already; nothing of it is cached or quoted in an error report."""

    @wraps(view)
    @never_cache
    @sensitive_post_parameters()
    @require_http_methods(["GET", "HEAD", "POST"])
    def wrapped(request: HttpRequest) -> HttpResponse:
        return redirect("predictions:home") if request.user.is_authenticated else view(request)

    return login_not_required(wrapped)


@page
def sign_in(request: HttpRequest) -> HttpResponse:
    """Address and password."""
    form = SignInForm(request.POST or None)
    next_url = next_url_of(request)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["username"]
        try:
            with counted(request, name):
                step = passwords.sign_in(name, form.cleaned_data["password"])
            return _go_on(request, step, next_url)
        except passwords.ResetRequired as error:
            challenges.remember_name(request.session, name)
            messages.info(request, error.user_message)
            return redirect("cognito_forgotten")
        except REFUSALS as error:
            tell(form, error)
    return _show(request, "sign_in", form, next=next_url)


@page
def new_password(request: HttpRequest) -> HttpResponse:
    """A password of one's own, after the temporary one."""
    form = NewPasswordForm(request.POST or None)
    return _answer(request, passwords.NEW_PASSWORD, form, passwords.choose_password, "password")


@page
def code(request: HttpRequest) -> HttpResponse:
    """The authenticator's six digits."""
    return _answer(request, passwords.TOTP, CodeForm(request.POST or None), passwords.answer_totp, "code")


@page
def forgotten(request: HttpRequest) -> HttpResponse:
    """Have a code sent. The answer is the same whoever is asked for."""
    form = SendCodeForm(request.POST or None, initial={"username": challenges.name(request.session)})
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["username"]
        try:
            if not ratelimit.consume(request, action="reset_password", key=limits.key_from_here(request, name.lower())):
                raise TooOften(client.TOO_OFTEN)
            passwords.send_code(name)
        except Fixable as error:
            tell(form, error)
        else:
            challenges.remember_name(request.session, name)
            messages.info(request, SENT)
            return redirect("cognito_reset")
    return _show(request, "forgotten", form)


@page
def reset(request: HttpRequest) -> HttpResponse:
    """The code, and a new password."""
    form = ResetForm(request.POST or None, initial={"username": challenges.name(request.session)})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            with counted(request, given["username"]):
                passwords.set_password(given["username"], code=given["code"], password=given["password"])
        except REFUSALS as error:
            tell(form, error)
        else:
            challenges.forget(request.session)
            messages.success(request, CHANGED)
            return redirect("account_login")
    return _show(request, "reset", form)


@contextmanager
def counted(request: HttpRequest, name: str) -> Iterator[None]:
    """A try that counts if it fails, as one with a local password would: Cognito sees the portal's address alone.

    Raises: ValidationError: there were too many, and none is made
    """
    key = limits.key_from_here(request, name.lower())
    limits.refuse_if_spent(request, key)
    try:
        yield
    except Fixable as error:
        # That the pool's rules refuse a new password says that everything else was right.
        if not (isinstance(error, BadInput) and "password" in error.fields):
            ratelimit.consume(request, action="login_failed", key=key)
        raise


def tell(form: forms.Form, error: Fixable | forms.ValidationError) -> None:
    """At the fields that are meant, else above the form."""
    if isinstance(error, forms.ValidationError):
        form.add_error(None, error)
        return
    fields = error.fields if isinstance(error, BadInput) else {}
    for field, message in fields.items():
        form.add_error(field, message)
    if not fields:
        form.add_error(None, forms.ValidationError(error.user_message, code=type(error).__name__))


def _answer(
    request: HttpRequest,
    name: str,
    form: forms.Form,
    answer: Callable[[Challenge, str], Tokens | Challenge],
    field: str,
) -> HttpResponse:
    """Show the form of a challenge, answer it with a field of that form, and go on to whatever comes next."""
    waiting = challenges.waiting(request.session, name)
    if waiting is None:
        return _begin_again(request, passwords.BEGIN_AGAIN)
    challenge, next_url = waiting
    if request.method == "POST" and form.is_valid():
        try:
            with counted(request, challenge.username):
                step = answer(challenge, form.cleaned_data[field])
            return _go_on(request, step, next_url)
        except passwords.ChallengeOver as error:
            return _begin_again(request, error.user_message)
        except REFUSALS as error:
            tell(form, error)
    return _show(request, PAGE_OF[name].removeprefix("cognito_"), form)


def _go_on(request: HttpRequest, step: Tokens | Challenge, next_url: str) -> HttpResponse:
    """In, or to the next question."""
    if isinstance(step, Challenge):
        challenges.ask(request.session, step, next_url)
        return redirect(PAGE_OF[step.name])
    claims = id_tokens.verify(step.id_token, client_id=step.client_id)
    challenges.forget(request.session)
    return let_in(request, step, claims, next_url=next_url)


def _begin_again(request: HttpRequest, why: str) -> HttpResponse:
    challenges.forget(request.session)
    messages.warning(request, why)
    return redirect("account_login")


def _show(request: HttpRequest, name: str, form: forms.Form, **more: Any) -> HttpResponse:
    wait = limits.wait_of(form)
    is_too_often = wait is not None or form.has_error("__all__", TooOften.__name__)
    status = 429 if is_too_often else 422 if form.errors else 200
    response = render(request, f"accounts/cognito/{name}.html", {"form": form, **more}, status=status)
    if wait is not None:
        response["Retry-After"] = str(wait)
    return response
