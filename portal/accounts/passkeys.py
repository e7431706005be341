"""Passkeys: where a browser takes them, and the pages about them that differ from allauth's."""

from __future__ import annotations

import ipaddress
from typing import Any

from allauth.core.internal import ratelimit
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


def are_possible(request: HttpRequest) -> bool:
    """Browsers give passkeys to names alone, never to numeric addresses, and over HTTPS, or on this very machine.

    Source: Web Authentication, section 5.1.3 (the RP ID is a domain) and 13.4.9
    """
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost"
    return False


def address_for_them(request: HttpRequest) -> str:
    """Where they would be possible: on one's own machine it is called `localhost`. Empty elsewhere."""
    host, _, port = request.get_host().rpartition(":")
    return f"http://localhost:{port}{request.path}" if host in ("127.0.0.1", "[::1]") else ""


class AddPasskeyView(AddWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """allauth leaves asking for a key that opens the door by itself to the page's script; here the server does."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": auth.begin_registration(self.request.user, True)}
        return context


class PasskeySignInView(LoginWebAuthnView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What is to be signed. It waits in a session, so that this is counted, too: sessions are rows."""
        refusal: HttpResponse | None = ratelimit.consume_or_429(
            request, app="allauth.mfa", action="webauthn_login", limit_get=True
        )
        answer: HttpResponse = refusal or super().get(request, *args, **kwargs)
        return answer

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        messages.error(
            self.request,
            "That passkey opens no account here. If it was removed from your account, sign in with your password.",
        )
        return HttpResponseRedirect(reverse("account_login"))
