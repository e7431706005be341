"""What allauth asks the portal: its words, its limits, how secrets are kept."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from portal.accounts import limits, passkeys
from portal.accounts.sessions import note_visit

log = logging.getLogger(__name__)
NO_MATCH = "That name and password do not belong together. Passwords are case-sensitive."
# What allauth would say by a template. What is not in here is not said.
WORDS = {
    "account/messages/password_changed.txt": (
        "Your password was changed. Wherever else you were signed in, you no longer are."
    ),
    "mfa/messages/totp_activated.txt": "Your authenticator app is asked for its code from now on.",
    "mfa/messages/totp_deactivated.txt": "Your authenticator app is no longer asked for a code.",
    "mfa/messages/webauthn_added.txt": "The passkey was added.",
    "mfa/messages/webauthn_removed.txt": "The passkey was removed: it opens nothing any more.",
}
PASSKEY_WAY = "mfa_reauthenticate:webauthn"
WAYS = {"reauthenticate": "Use your password", "mfa_reauthenticate": "Use a code", PASSKEY_WAY: "Use a passkey"}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody registers, and no mail is sent: people are added in the console."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": NO_MATCH,
        "email_password_mismatch": NO_MATCH,
        "enter_current_password": "That is not your present password.",
        "incorrect_password": "That is not your password.",
        limits.SPENT: limits.SPENT_WORDS,
        "rate_limited": limits.SPENT_WORDS,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            limits.refuse_if_spent(request, self._get_login_attempts_cache_key(request, **credentials))
        except ValidationError:
            log.warning("Sign-ins from %s are refused for a while: too many failed.", self.get_client_ip(request))
            raise
        super().pre_authenticate(request, **credentials)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth counts by name alone, and so lets a stranger shut people out; here the address belongs to it."""
        return limits.key_from_here(request, super()._get_login_attempts_cache_key(request, **credentials))

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        super().login(request, user)
        note_visit(request)  # the row of this session is written by the sign-in itself

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        said = message or WORDS.get(message_template or "")
        if said:
            messages.add_message(request, level, said, extra_tags=extra_tags)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Passwords, codes and passkeys; these only where the browser would show one."""
        possible = passkeys.are_possible(context.request)
        ways = super().get_reauthentication_methods(user)
        return [
            way | {"description": WAYS.get(way["id"], way["description"])}
            for way in ways
            if possible or way["id"] != PASSKEY_WAY
        ]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """In the words for a wrong password: whether an account is there is nobody's business."""
        messages.error(request, NO_MATCH)
        return HttpResponseRedirect(reverse("account_login"))


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets lie in the database encrypted by the portal's own secret: a copy of the database makes no codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That is not the code, or it was used before. The app shows a new one every 30 seconds.",
    }

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret; where the portal's own secret is another one by now, a new one that fits no code."""
        try:
            return _box().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            log.error("A second factor was made under another PORTICO_SECRET_KEY: it has to be reset.")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": "Portico"}


def _box() -> Fernet:
    digest = hashlib.sha256(b"portico second factors\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
