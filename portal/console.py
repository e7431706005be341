"""The console: Django's admin with Unfold's parts and Portico's look, for model owners and admins."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from unfold.sites import UnfoldAdminSite


class Console(UnfoldAdminSite):
    """Signing in and out and one's own password are the portal's own pages; there is no index but the lists."""

    site_header = site_title = "Portico"
    index_title = "Console"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The first list that the person may open."""
        if request.user.has_perm("registry.view_model"):
            return redirect("admin:registry_model_changelist")
        if request.user.has_perm("accounts.view_user"):
            return redirect("admin:accounts_user_changelist")
        raise PermissionDenied

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("admin:index")

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """To the portal's sign-in; a colleague who is signed in and may not be here is told so."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        following = urlencode({"next": request.GET.get("next") or reverse("admin:index")})
        return redirect(f"{reverse('account_login')}?{following}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("account_logout", preserve_request=True)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if settings.PORTICO_USER_POOL_ID:
            raise Http404  # passwords are the pool's
        return redirect("account_change_password")


class ConsoleConfig(AdminConfig):
    default_site = "portal.console.Console"


def may_see_models(request: HttpRequest) -> bool:
    return request.user.has_perm("registry.view_model")


def may_see_people(request: HttpRequest) -> bool:
    return request.user.has_perm("accounts.view_user")


def is_about_models(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:app_list", args=["registry"]))
