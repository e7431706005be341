"""Addresses. Everything needs a login (LoginRequiredMiddleware) but sign-in and the health check; the API, a token."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, URLResolver, include, path


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """200 once the portal and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


handler400 = "portal.error_pages.bad_request"
handler403 = "portal.error_pages.forbidden"
handler404 = "portal.error_pages.not_found"
handler500 = "portal.error_pages.broken"


def addresses(doors: Any) -> list[URLResolver | URLPattern]:
    """All of them, with these pages to sign in and out by."""
    return [
        path("health/", health, name="health"),
        path("admin/", admin.site.urls),
        path("api/", include("portal.registry.api.urls")),
        path("", include(doors)),
        path("", include("portal.accounts.urls")),
        path("", include("portal.predictions.urls")),
    ]


urlpatterns = addresses("portal.accounts.cognito.urls" if settings.PORTICO_USER_POOL_ID else "portal.accounts.doors")
