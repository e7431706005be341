"""Adding and removing pictures of a version, on its page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.signed_in import person
from portal.errors import GatewayError
from portal.registry import actions
from portal.registry.admin.pages import console_page, say_away
from portal.registry.forms.pictures import PictureForm
from portal.registry.models import ModelVersion, Picture

MAY_CHANGE = permission_required("registry.change_modelversion", raise_exception=True)


@require_http_methods(["GET", "POST"])
@MAY_CHANGE
def add_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one more picture; the same part of the page again, alone, where something is wrong with it."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    form = PictureForm(request.POST or None, request.FILES or None, prefix="picture")
    status = 422 if request.method == "POST" else 200
    if form.is_valid():
        try:
            kept = actions.add_picture(version, form.picture(), by=person(request))
        except GatewayError as error:
            say_away(request, error, next_step="The picture was not kept; choose it again.")
            status = 503
        else:
            messages.success(request, f"“{kept.title}” was added.")
            return _back(version)
    context = {"title": "Pictures", "version": version, "model": version.model, "picture_form": form}
    return console_page(request, "registry/pictures.html", context, status=status)


@require_POST
@MAY_CHANGE
def remove_picture(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """Take a picture away."""
    picture = get_object_or_404(Picture.objects.select_related("version__model"), version_id=pk, position=position)
    try:
        actions.remove_picture(picture, by=person(request))
    except GatewayError as error:
        say_away(request, error, next_step=f"“{picture.title}” was not removed.")
    else:
        messages.success(request, f"“{picture.title}” was removed.")
    return _back(picture.version)


def _back(version: ModelVersion) -> HttpResponse:
    return redirect(f"{reverse('admin:registry_modelversion_change', args=[version.pk])}#pictures-title")
