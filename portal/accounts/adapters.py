"""What allauth asks the portal: the words, and where to go next."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

NO_MATCH = "That name and password do not belong together. Passwords are case-sensitive."
# What allauth would say by a template. What is not in here is not said.
WORDS = {
    "account/messages/password_changed.txt": (
        "Your password was changed. Wherever else you were signed in, you no longer are."
    ),
}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody registers, and no mail is sent: people are added in the console."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": NO_MATCH,
        "email_password_mismatch": NO_MATCH,
        "enter_current_password": "That is not your present password.",
        "incorrect_password": "That is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

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

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("predictions:home")

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """In the words for a wrong password: whether an account is there is nobody's business."""
        messages.error(request, NO_MATCH)
        return HttpResponseRedirect(reverse("account_login"))
