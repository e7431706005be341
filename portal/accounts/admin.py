"""People in the console."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from portal.accounts import actions
from portal.accounts.forms import AddUserForm, ChangeUserForm, NewPasswordForm
from portal.accounts.models import User

admin.site.unregister(Group)  # the roles are a table in the code, not rows to edit


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = ChangeUserForm
    add_form = AddUserForm
    change_password_form = NewPasswordForm
    add_form_template = None
    list_filter = []
    search_fields = ["username", "first_name", "last_name", "email"]
    filter_horizontal = ()
    actions = None
    list_per_page = 50
    fieldsets = [
        (None, {"fields": ["username", "role", "is_active"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "role", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.editor = request.user
        return form

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "role" in form.changed_data or not change:
            actions.assign_role(form.instance, form.cleaned_data["role"])

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser may touch a superuser."""
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj and obj.is_superuser and not request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People are switched off, not deleted: what they did stays theirs."""
        return False
