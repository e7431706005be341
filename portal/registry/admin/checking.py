"""The check of a version, from its page: begun by the page's script or by a button, and watched by a fragment."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.signed_in import person
from portal.errors import GatewayError, Refused
from portal.middleware import explain
from portal.registry import actions
from portal.registry.actions import BeingChecked
from portal.registry.admin.pages import say_away
from portal.registry.models import ModelVersion

LATER = "The file was kept: check it again in a moment."


@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the check to its end. The script is answered as JSON: what there is to say beside the version's page."""
    if not request.user.has_perm("registry.change_modelversion"):
        raise PermissionDenied
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    if request.headers.get("Accept") == "application/json":
        return _check_for_script(request, version)
    try:
        actions.check(version, by=person(request))
    except Refused as refusal:
        messages.error(request, refusal.user_message)
    except GatewayError as error:
        say_away(request, error, next_step=LATER)
    return redirect("admin:registry_modelversion_change", version.pk)


@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the version's page that changes while it is checked."""
    if not request.user.has_perm("registry.view_modelversion"):
        raise PermissionDenied
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    answer = render(request, "registry/_check_progress.html", {"version": version})
    answer["Cache-Control"] = "no-store"
    return answer


def _check_for_script(request: HttpRequest, version: ModelVersion) -> JsonResponse:
    try:
        actions.check(version, by=person(request))
    except BeingChecked:
        return JsonResponse({"message": ""})  # another page has begun it: this one watches as well
    except Refused as refusal:
        return JsonResponse({"message": refusal.user_message}, status=409)
    except GatewayError as error:
        return JsonResponse({"message": explain(error, LATER)}, status=503)
    return JsonResponse({"message": ""})
