"""allauth's `openid_connect` provider, as this pool is: its endpoints, PKCE and a nonce always."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from portal.accounts.cognito.people import PROVIDER
from portal.gateways.cognito import client

# The last one lets people look after their authenticator app. The pool's client has to allow each.
SCOPES = ["openid", "email", "profile", "aws.cognito.signin.user.admin"]


class CognitoOAuth2Adapter(OpenIDConnectOAuth2Adapter):
    """Where a browser is sent, and where it comes back. The rest of allauth's adapter asks Cognito: a gateway does."""

    basic_auth = False

    @property
    def openid_config(self) -> Mapping[str, Any]:
        """The pool's own, but for the page that people see: its domain is the one at which the CSP lets forms end."""
        return {**client.metadata(), "authorization_endpoint": f"{settings.PORTICO_USER_POOL_DOMAIN}/oauth2/authorize"}

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return callback_url(request)


class CognitoProvider(OpenIDConnectProvider):
    """Its one app is in the settings. What a link to the door asks of scopes or parameters is not listened to."""

    oauth2_adapter_class = CognitoOAuth2Adapter

    def __init__(self, request: HttpRequest) -> None:
        app = SocialApp(
            provider=self.id,
            provider_id=PROVIDER,
            name="Cognito",
            client_id=settings.PORTICO_USER_POOL_CLIENT_ID,
            settings={"oauth_pkce_enabled": True},
        )
        super().__init__(request, app=app)

    def send_there(self, request: HttpRequest, *, next_url: str, is_again: bool = False) -> HttpResponse:
        """To managed login. State, nonce and PKCE's verifier wait in the session.

        Args:   is_again: somebody who is in shows who that is; a session that managed login has does not do
        Raises: GatewayError
        Source: OpenID Connect Core 1.0, section 3.1.2.1, for `prompt`, which managed login knows
        """
        nonce = secrets.token_urlsafe(32)
        asked = {"nonce": nonce, **({"prompt": "login"} if is_again else {})}
        response: HttpResponse = self.redirect(
            request,
            AuthProcess.LOGIN,
            next_url=next_url,
            auth_params=asked,
            scope=SCOPES,
            nonce=nonce,
            is_again=is_again,
        )
        return response

    def take_state(self, request: HttpRequest) -> dict[str, Any] | None:
        """What was remembered when this browser was sent there; None if it was not, long ago, or twice."""
        try:
            state: dict[str, Any] = self.unstash_redirect_state(request, request.GET.get("state", ""))
        except PermissionDenied:
            return None
        return state


def callback_url(request: HttpRequest) -> str:
    """As the pool's client knows it, to the letter."""
    return request.build_absolute_uri(reverse("cognito_callback"))
