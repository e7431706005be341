"""Forms of the sign-in: allauth's, in the portal's words."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from django.contrib.auth.password_validation import password_validators_help_text_html


class SignInForm(LoginForm):
    """By name or e-mail address. The page calls the first field "username", as programs that sign in know it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, password = self.fields["login"], self.fields["password"]
        name.label = "Username or e-mail"
        name.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        del password.widget.attrs["placeholder"]
        password.help_text = ""

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix("username" if field_name == "login" else field_name)


class ConfirmForm(ReauthenticateForm):
    """One's own password, once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs = {"autocomplete": "current-password", "autofocus": True}
        self.fields["password"].help_text = ""


class OwnPasswordForm(ChangePasswordForm):
    """A new password for the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"oldpassword": "Present password", "password1": "New password", "password2": "New password, again"}
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].help_text = ""
            self.fields[name].widget.attrs.pop("placeholder", None)
        self.fields["password1"].help_text = password_validators_help_text_html()
