"""Uploading: a new model with its first version, or a new version. One form, with or without JavaScript."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from portal.accounts.signed_in import person
from portal.errors import GatewayError, Refused
from portal.registry import actions
from portal.registry.actions import NewModel
from portal.registry.admin.pages import console_page, say_away
from portal.registry.forms.upload import NewModelForm, NewVersionForm
from portal.registry.models import Model, ModelVersion


@require_http_methods(["GET", "POST"])
@permission_required(["registry.add_modelversion", "registry.add_model"], raise_exception=True)
def upload(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The upload page. The script of the page asks for JSON: where to go, or what is wrong with which field."""
    model = get_object_or_404(Model, pk=pk) if pk else None
    form_class = NewVersionForm if model else NewModelForm
    form = form_class(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _go(request, _take(request, form, model))
        except Refused as refusal:
            form.add_error("file", refusal.user_message)
    if form.is_bound and wants_json(request):
        return JsonResponse({"errors": form.all_errors}, status=422)
    context = {"form": form, "model": model, "title": "Upload a version" if model else "Upload a model"}
    return console_page(request, "registry/upload.html", context, status=422 if form.is_bound else 200)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _take(request: HttpRequest, form: NewVersionForm, model: Model | None) -> ModelVersion | None:
    """The version that came of it; None where not even its row was written."""
    given = form.cleaned_data
    version = None
    try:
        version = actions.upload_version(
            model or NewModel(name=given["name"], slug=given["slug"], facts={"summary": given["summary"]}),
            given["file"],
            file_name=given["file"].name,
            by=person(request),
            notes=given["notes"],
            training=given["training"],
            new_pictures=form.new_pictures(),
        )
        actions.check(version, by=person(request))
    except GatewayError as error:
        next_step = "What arrived was kept: check it again in a moment." if version else "Upload it again."
        say_away(request, error, next_step=next_step)
    return version


def _go(request: HttpRequest, version: ModelVersion | None) -> HttpResponse:
    if version and version.has_passed:
        messages.success(
            request, f"Version {version.number} passed the check. Look over its settings, then make it live."
        )
    place = (
        reverse("admin:registry_modelversion_change", args=[version.pk])
        if version
        else reverse("admin:registry_model_changelist")
    )
    return JsonResponse({"location": place}) if wants_json(request) else redirect(place)
