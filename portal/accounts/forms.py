"""Forms about people."""

from typing import Any

from django import forms
from unfold.forms import UserChangeForm, UserCreationForm

from portal.accounts import roles

ROLE_CHOICES = [("", "No role: may sign in, sees nothing"), *((role, role.capitalize()) for role in roles.ROLES)]
ROLE_HELP = (
    "Viewers see their own history. Predictors predict and score files. "
    "Model owners manage models and see all history. Admins also manage people."
)


class RoleField(forms.ChoiceField):
    """One of the four roles, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=ROLE_CHOICES, required=False, help_text=ROLE_HELP, **kwargs)


class AddUserForm(UserCreationForm):
    role = RoleField(initial=roles.PREDICTOR)


class ChangeUserForm(UserChangeForm):
    role = RoleField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["role"].initial = self.instance.role
