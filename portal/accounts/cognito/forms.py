"""Forms of the sign-in by Cognito. What a password has to be is told here, and judged by the pool."""

from __future__ import annotations

from typing import Any

from django import forms

# Of the template's pool; a test holds the two together. Another pool's rules are told when it refuses a password.
PASSWORD_RULES = "At least 12 characters, among them a small letter, a capital letter and a digit."  # noqa: S105
LONGEST_NAME, LONGEST_PASSWORD, LONGEST_CODE = 128, 256, 2048  # what Cognito takes
NOT_ALIKE = "The two are not alike. Type the same password twice."


def _name(**attrs: Any) -> forms.CharField:
    given = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email", **attrs}
    return forms.CharField(label="E-mail address", max_length=LONGEST_NAME, widget=forms.TextInput(attrs=given))


def _password(label: str, *, help_text: str = "", **attrs: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=help_text,
        widget=forms.PasswordInput(attrs=attrs),
    )


class SignInForm(forms.Form):
    username = _name(autofocus=True)
    password = _password("Password", autocomplete="current-password")


class PasswordForm(forms.Form):
    """One's own password, once more."""

    password = _password("Password", autocomplete="current-password", autofocus=True)


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = _password("New password", autocomplete="new-password", help_text=PASSWORD_RULES)
    again = _password("New password, again", autocomplete="new-password")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", NOT_ALIKE)
        return cleaned


class CodeForm(forms.Form):
    """Six digits; blanks, as authenticators show them, do no harm."""

    code = forms.RegexField(
        r"^(\s*\d){6}\s*$",
        label="Code",
        help_text="The six digits that your authenticator shows for this account.",
        error_messages={"invalid": "The code is six digits."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class AddAppForm(CodeForm):
    """A code proves that the app has the secret."""

    def __init__(self, *args: Any, secret: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret
        self.fields["code"].help_text = "The six digits that the app shows now."


class SendCodeForm(forms.Form):
    username = _name(autofocus=True)


class ResetForm(NewPasswordForm):
    """The code that was sent, and a new password."""

    username = _name()
    code = forms.CharField(
        label="Code",
        max_length=LONGEST_CODE,
        help_text="It was sent to that address. Look among unwanted mail, too.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )
    field_order = ["username", "code", "password", "again"]
