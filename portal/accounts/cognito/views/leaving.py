"""Signing out: this session, its refresh token, and managed login's own session."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.accounts.cognito import sessions

OUT = "You are signed out."
ONLY_HERE = (
    "You are signed out here. The sign-in service could not be told: on a shared computer, close the browser, too."
)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """First of all the session here ends: whatever Cognito answers, that is done."""
    if request.method != "POST":
        return render(request, "accounts/sign_out.html") if request.user.is_authenticated else redirect("account_login")
    kept = sessions.read(request.session)
    logout(request)
    is_told = sessions.give_up(kept)
    messages.success(request, OUT) if is_told else messages.warning(request, ONLY_HERE)
    if kept is None or settings.PORTICO_COGNITO_FORMS:
        return redirect("account_login")
    back = request.build_absolute_uri(reverse("account_login"))
    parameters = urlencode({"client_id": kept["client_id"], "logout_uri": back})
    return HttpResponseRedirect(f"{settings.PORTICO_USER_POOL_DOMAIN}/logout?{parameters}")
