"""People in the console."""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from unfold.admin import ModelAdmin

from portal.accounts import actions
from portal.accounts.cognito.people import comes_from_the_pool
from portal.accounts.forms import AddUserForm, ChangeUserForm, NewPasswordForm
from portal.accounts.models import User
from portal.accounts.second_factors import second_factors_of
from portal.accounts.signed_in import person

admin.site.unregister(Group)  # the roles are a table in the code, not rows to edit
for name in ("account", "mfa", "usersessions", "socialaccount"):  # nor are secrets and sessions
    import_module(f"allauth.{name}.admin")
    for kind in apps.get_app_config(name).get_models():
        if admin.site.is_registered(kind):
            admin.site.unregister(kind)


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

    def get_urls(self) -> list[Any]:
        own = path(
            "<int:pk>/second-factors/",
            self.admin_site.admin_view(self.reset_second_factors),
            name="accounts_user_second_factors",
        )
        return [own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        user = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if user:
            is_local = not settings.PORTICO_USER_POOL_ID and not comes_from_the_pool(user)
            context = {"factors": second_factors_of(user), "has_local_password": is_local}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | context)

    def reset_second_factors(self, request: HttpRequest, pk: int) -> HttpResponse:
        """For somebody who has lost them. One's own are on one's own page, behind a confirmation."""
        user = self.get_object(request, str(pk))
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user) or user == request.user:
            raise PermissionDenied
        if request.method == "POST":
            if actions.reset_second_factors(user, by=person(request).username):
                self.log_change(request, user, "Reset the second factors.")
            messages.success(request, f"{user} signs in by password alone now, and can add a second factor again.")
            return redirect("admin:accounts_user_change", user.pk)
        context = {**self.admin_site.each_context(request), "person": user, "factors": second_factors_of(user)}
        return render(request, "admin/accounts/user/second_factors.html", context)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "role" in form.changed_data or not change:
            actions.assign_role(form.instance, form.cleaned_data["role"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Where a user pool signs people in, a local account would open nothing."""
        return not settings.PORTICO_USER_POOL_ID and super().has_add_permission(request)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        if settings.PORTICO_USER_POOL_ID:
            raise Http404  # it would open nothing
        return super().user_change_password(request, id, form_url)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser may touch a superuser."""
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj and obj.is_superuser and not request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People are switched off, not deleted: what they did stays theirs."""
        return False
