"""One's own tokens for programs."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import tokens
from portal.accounts.forms import TokenForm
from portal.accounts.models import ApiToken
from portal.accounts.signed_in import person


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
