"""One's own account: what opens it, where it is open, and the tokens for programs."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import passkeys, sessions, tokens
from portal.accounts.forms import TokenForm
from portal.accounts.models import ApiToken
from portal.accounts.second_factors import second_factors_of
from portal.accounts.signed_in import person

NOT_TOLD = "The sign-in service could not be told: what it gave that browser ends by itself, within hours."


@never_cache
@require_safe
def account(request: HttpRequest, **more: Any) -> HttpResponse:
    """Password, second factors and sessions, with what may be done about each.

    Args: more: for the template
    """
    user = person(request)
    context = {
        **more,
        "factors": second_factors_of(user),
        "sessions": sessions.sessions_of(request, user),
        "passkeys_possible": passkeys.are_possible(request),
        "address_for_passkeys": passkeys.address_for_them(request),
    }
    return render(request, "accounts/account.html", context)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign out in one other browser."""
    found = [row for row in sessions.other_sessions(request, person(request)) if row.pk == pk]
    return _end(request, found, "You are signed out there.")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    return _end(request, sessions.other_sessions(request, person(request)), "You are signed in nowhere but here.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_tokens(request: HttpRequest) -> HttpResponse:
    """The list, and a form for a new one. The answer to that form is the only page that ever shows the token."""
    user = person(request)
    if not user.may_have_tokens:
        raise PermissionDenied
    form = TokenForm(request.POST or None, user=user)
    made, secret = None, ""
    if request.method == "POST" and form.is_valid():
        made, secret = tokens.make_token(user, name=form.cleaned_data["name"], days=form.cleaned_data["days"])
        form = TokenForm(user=user)
    rows = user.api_tokens.filter(revoked_at=None)
    context = {"form": form, "tokens": rows, "made": made, "secret": secret}
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one back. Its own person may always do that, whatever the role is now."""
    token = get_object_or_404(ApiToken, pk=pk, user=person(request), revoked_at=None)
    tokens.revoke(token)
    messages.success(request, f"“{token.name}” was taken back: programs that use it are turned away from now on.")
    return redirect("accounts:tokens")


def _end(request: HttpRequest, rows: list[UserSession], done: str) -> HttpResponse:
    if sessions.end(request, rows):
        messages.success(request, done)
    else:
        messages.warning(request, f"{done} {NOT_TOLD}")
    return redirect("mfa_index")
