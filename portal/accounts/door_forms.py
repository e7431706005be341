"""Forms of the sign-in and of one's own account: allauth's, in the portal's words."""

from __future__ import annotations

import struct
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn import forms as passkeys
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError

from portal.accounts import limits

NAME_LENGTH = 60
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, struct.error)


class SignInForm(LoginForm):
    """By name or e-mail address. The page calls the first field "username", as programs that sign in know it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["login"]
        name.label = "Username or e-mail"
        name.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        _plain(self.fields["password"])

    def add_prefix(self, field_name: str) -> str:
        return super().add_prefix("username" if field_name == "login" else field_name)


class ConfirmForm(ReauthenticateForm):
    """One's own password, once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["password"], autofocus=True)


class OwnPasswordForm(ChangePasswordForm):
    """A new password for the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"oldpassword": "Present password", "password1": "New password", "password2": "New password, again"}
        for name, label in labels.items():
            self.fields[name].label = label
            _plain(self.fields[name])
        self.fields["password1"].help_text = password_validators_help_text_html()


class _CodeForm(forms.Form):
    """Six digits of the app, or a recovery code of eight. Wrong ones are counted."""

    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label = "Code"
        code.help_text = "Six digits from your authenticator app, or one of your recovery codes."
        code.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}

    def clean_code(self) -> str:
        limits.refuse_if_spent(context.request, f"mfa-auth-user-{self.user.pk}")  # the key that allauth counts under
        code: str = super().clean_code()  # type: ignore[misc] # of allauth's form, beside this one
        return code


class CodeForm(_CodeForm, second_step.AuthenticateForm):
    """The second step of a sign-in."""


class ConfirmCodeForm(_CodeForm, second_step.ReauthenticateForm):
    """A code instead of one's password, before something sensitive."""


class AddAppForm(_CodeForm, ActivateTOTPForm):
    """A code proves that the app has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = "The six digits that the app shows now."


class _PasskeyForm(forms.Form):
    """What a page's script hands over may be anything, and allauth does not look for everything that it may lack."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc] # of allauth's form, beside this one
        except MALFORMED as error:
            raise _no_passkey() from error


class PasskeySignInForm(_PasskeyForm, passkeys.LoginWebAuthnForm):
    """The only step of a sign-in."""


class PasskeyStepForm(_PasskeyForm, passkeys.AuthenticateWebAuthnForm):
    """The second step of a sign-in."""


class ConfirmPasskeyForm(_PasskeyForm, passkeys.ReauthenticateWebAuthnForm):
    """A passkey instead of one's password, before something sensitive."""


class AddPasskeyForm(passkeys.AddWebAuthnForm):
    """A passkey always opens the door by itself: whoever holds the device has to unlock it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("passwordless", None)
        self.fields["name"] = _name_field(help_text="To tell it from others, for example “phone”.", required=False)
        self.order_fields(["name"])

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except MALFORMED as error:
            raise _no_passkey() from error
        return cleaned


class RenamePasskeyForm(passkeys.EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = _name_field()


def _name_field(**options: Any) -> forms.CharField:
    return forms.CharField(
        label="Name", max_length=NAME_LENGTH, widget=forms.TextInput({"autocomplete": "off"}), **options
    )


def _no_passkey() -> ValidationError:
    return ValidationError("The browser did not hand a passkey over. Try again.", code="malformed")


def _plain(field: forms.Field, **attributes: Any) -> None:
    """Without what allauth writes into and below a password's field."""
    field.help_text = ""
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(attributes)
