"""Forms about people."""

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm, SetPasswordForm

from portal.accounts import roles
from portal.accounts.cognito.people import comes_from_the_pool
from portal.accounts.models import ApiToken, User

ROLE_CHOICES = [("", "No role: may sign in, sees nothing"), *((role, role.capitalize()) for role in roles.ROLES)]
ROLE_HELP = (
    "Viewers see their own history. Predictors predict and score files. "
    "Model owners manage models and see all history. Admins also manage people."
)
FROM_THE_POOL = "Comes from the user pool and its groups at each sign-in: change it there, with `deploy users`."
OWN_ACCOUNT = "Somebody else has to change this on your own account."


class RoleField(forms.ChoiceField):
    """One of the four roles, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=ROLE_CHOICES, required=False, help_text=ROLE_HELP, **kwargs)


class AddUserForm(BaseUserCreationForm):
    role = RoleField(initial=roles.PREDICTOR)


class ChangeUserForm(forms.ModelForm):
    """Nobody can shut himself out: one's own role and switch are locked."""

    role = RoleField()
    editor: User | None = None  # set on the class made for each request

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "role" not in self.fields:
            return  # shown to somebody who may not change it
        self.fields["role"].initial = self.instance.role
        if comes_from_the_pool(self.instance):
            for name in ("username", "role", "first_name", "last_name", "email"):
                self.fields[name].disabled = True
                self.fields[name].help_text = FROM_THE_POOL
        self.fields["is_active"].help_text = "Switched off, a person can no longer sign in. What they did is kept."
        if self.editor is not None and self.editor.pk == self.instance.pk:
            for name in ("role", "is_active"):
                self.fields[name].disabled = True
                self.fields[name].help_text = OWN_ACCOUNT


class NewPasswordForm(SetPasswordForm):
    """Set somebody's password. Every account here has one."""

    def clean(self) -> dict[str, Any]:
        return {**(super().clean() or self.cleaned_data), "set_usable_password": True}  # the admin's view asks for it


class TokenForm(forms.Form):
    """A token for a program: what it is for, and for how long."""

    name = forms.CharField(
        max_length=60,
        help_text="What uses it, for example “nightly training”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=[(30, "30 days"), (90, "90 days"), (365, "A year")],
        coerce=int,
        initial=90,
        help_text="Then it is turned away, and a new one is needed.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if ApiToken.objects.filter(user=self.user, name=name, revoked_at=None).exists():
            raise forms.ValidationError("You have a token of this name. Choose another name, or take that one back.")
        return name
