"""The views of the doors that differ from allauth's."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView, PasswordChangeView, ReauthenticateView
from allauth.mfa.base import views as second_step
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from portal.accounts import limits, passkeys
from portal.accounts.signed_in import person


class CountsFailures:
    """Who has failed too often gets 429, and is told when to come back."""

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        form = context["form"]
        wait = limits.wait_of(form) if form.is_bound else None
        response: HttpResponse = super().render_to_response(context, **options)  # type: ignore[misc] # of the view beside
        if wait is not None:
            response.status_code = 429
            response["Retry-After"] = str(wait)
        return response


class SignInView(CountsFailures, LoginView):
    template_name = "accounts/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        possible = passkeys.are_possible(self.request)
        return super().get_context_data(**kwargs) | {"passkeys_possible": possible, "is_local": settings.IS_LOCAL}


class SecondStepView(CountsFailures, second_step.AuthenticateView):
    template_name = "accounts/second_step.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has_passkeys = is_mfa_enabled(self.stage.login.user, [Authenticator.Type.WEBAUTHN])
        offered = has_passkeys and passkeys.are_possible(self.request)
        return super().get_context_data(**kwargs) | {"offers_passkey": offered}


class ConfirmView(CountsFailures, ReauthenticateView):
    template_name = "accounts/confirm.html"


class ConfirmCodeView(CountsFailures, second_step.ReauthenticateView):
    template_name = "accounts/confirm.html"


class AddAppView(CountsFailures, ActivateTOTPView):
    template_name = "accounts/app.html"


class OwnPasswordView(PasswordChangeView):
    template_name = "accounts/password.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who has no password here has it elsewhere, and changes it there."""
        if not person(request).has_usable_password():
            raise Http404
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response
