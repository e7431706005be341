"""Uploading: a new model with its first version, or a new version. One form, with or without JavaScript.

The page's script asks for JSON, in two steps with the transfer between them: first all fields but the file, which are
checked, and answered with a form for the bucket and a ticket; then the same fields with the ticket, which make the
version. Without the script the file comes along through the portal.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from portal.accounts.signed_in import person
from portal.errors import GatewayError, Refused
from portal.middleware import explain, may_post_to_the_bucket
from portal.registry import actions
from portal.registry.actions import NewModel
from portal.registry.admin.pages import console_page, say_away
from portal.registry.forms.upload import AnnouncementForm, NewModelForm, NewVersionForm
from portal.registry.models import Model, ModelVersion

TOO_MUCH = "The pictures and the training data together are more than the portal takes. Leave some out."


@require_http_methods(["GET", "POST"])
@permission_required(["registry.add_modelversion", "registry.add_model"], raise_exception=True)
@may_post_to_the_bucket
def upload(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The upload page, and both steps of its script."""
    model = get_object_or_404(Model, pk=pk) if pk else None
    if request.method == "POST" and wants_json(request):
        return _answer_script(request, model)
    form = _form_class(model)(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = _take_file(request, form, model)
        except Refused as refusal:
            form.add_error("file", refusal.user_message)
        else:
            return redirect(_page_of(version) if version else reverse("admin:registry_model_changelist"))
    context = {"form": form, "model": model, "title": "Upload a version" if model else "Upload a model"}
    return console_page(request, "registry/upload.html", context, status=422 if form.is_bound else 200)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _form_class(model: Model | None) -> type[NewVersionForm]:
    return NewVersionForm if model else NewModelForm


def _take_file(request: HttpRequest, form: NewVersionForm, model: Model | None) -> ModelVersion | None:
    """The version that came of it; None where it could not be stored."""
    file = form.cleaned_data["file"]
    try:
        return actions.upload_version(
            _target(form, model), file, file_name=file.name, by=person(request), **_given(form)
        )
    except GatewayError as error:
        say_away(request, error, next_step="Upload it again.")
        return None


def _answer_script(request: HttpRequest, model: Model | None) -> JsonResponse:
    try:
        ticket = request.POST.get("ticket")
        return _finish(request, model, ticket) if ticket else _open(request, model)
    except Refused as refusal:
        return JsonResponse({"errors": {"file": [refusal.user_message]}}, status=422)
    except GatewayError as error:
        return JsonResponse({"message": explain(error)}, status=503)
    except (RequestDataTooBig, TooManyFilesSent):
        return JsonResponse({"message": TOO_MUCH}, status=413)


def _open(request: HttpRequest, model: Model | None) -> JsonResponse:
    """Every mistake is told before the transfer begins."""
    form = _form_class(model)(request.POST, request.FILES, brings_file=False)
    announced = AnnouncementForm(request.POST)
    is_valid = all([form.is_valid(), announced.is_valid()])
    if not is_valid:
        file = {"file": ["Choose the model file."]} if announced.errors else {}
        return JsonResponse({"errors": {**file, **form.all_errors}}, status=422)
    opened = actions.open_upload(**announced.cleaned_data, by=person(request))
    return JsonResponse({"url": opened.post.url, "fields": opened.post.fields, "ticket": opened.ticket})


def _finish(request: HttpRequest, model: Model | None, ticket: str) -> JsonResponse:
    announced = actions.read_ticket(ticket, by=person(request))
    # Said twice, by a double click or because the answer got lost: the short name is taken now, by this very upload.
    if received := actions.find_received(announced.upload):
        return JsonResponse({"location": _page_of(received)})
    form = _form_class(model)(request.POST, request.FILES, brings_file=False)
    if not form.is_valid():
        return JsonResponse({"errors": form.all_errors}, status=422)
    version = actions.receive(
        _target(form, model),
        announced.upload,
        file_name=announced.file_name,
        size_bytes=announced.size_bytes,
        by=person(request),
        **_given(form),
    )
    return JsonResponse({"location": _page_of(version)})


def _target(form: NewVersionForm, model: Model | None) -> Model | NewModel:
    given = form.cleaned_data
    return model or NewModel(name=given["name"], slug=given["slug"], facts={"summary": given["summary"]})


def _given(form: NewVersionForm) -> dict[str, Any]:
    """What goes with the file."""
    return {
        "notes": form.cleaned_data["notes"],
        "training": form.cleaned_data["training"],
        "new_pictures": form.new_pictures(),
    }


def _page_of(version: ModelVersion) -> str:
    return reverse("admin:registry_modelversion_change", args=[version.pk])
