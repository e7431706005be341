"""The calls, in the order of a pipeline: open an upload, make a version of it, have it checked, make it live."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from portal.accounts.signed_in import person
from portal.registry import actions, states
from portal.registry.actions import ANYTHING, NewModel
from portal.registry.api.answers import Problem, call, error, read_body, read_text, require
from portal.registry.forms.upload import AnnouncementForm
from portal.registry.models import SLUG, Model, ModelVersion

NOTES_MOST = 20_000


@call("POST")
def open_upload(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for one file, and the ticket to come back with once it is posted."""
    _find_or_name(request, slug, name="")
    announced = AnnouncementForm(read_body(request))
    if not announced.is_valid():
        raise Problem(400, "bad_request", "“file_name” must be text, and “size_bytes” a whole number.")
    opened = actions.open_upload(**announced.cleaned_data, by=person(request))
    return JsonResponse({"url": opened.post.url, "fields": opened.post.fields, "ticket": opened.ticket}, status=201)


@call("POST")
def make_version(request: HttpRequest, slug: str) -> HttpResponse:
    """A version of the file that was posted. Asked twice with one ticket, it answers with the one version."""
    body = read_body(request)
    name = read_text(body, "name", most=80)
    target = _find_or_name(request, slug, name=name)
    announced = actions.read_ticket(read_text(body, "ticket", most=2000), by=person(request))
    received = actions.find_received(announced.upload)
    if received and received.model.slug != slug:
        raise Problem(409, "refused", f"This upload is a version of “{received.model.slug}” already. Open another one.")
    if received:
        return JsonResponse(_describe(request, received))
    version = actions.receive(
        target,
        announced.upload,
        file_name=announced.file_name,
        size_bytes=announced.size_bytes,
        by=person(request),
        notes=read_text(body, "notes", most=NOTES_MOST),
    )
    return JsonResponse(_describe(request, version), status=201)


@call("GET")
def version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """How far a version is, and what was found out about it."""
    return JsonResponse(_describe(request, _version_or_404(request, slug, number)))


@call("POST")
def check(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Check it, to the end; who does not want to wait so long asks for the version meanwhile."""
    found = _version_or_404(request, slug, number)
    require(request, "registry.change_modelversion", "check versions")
    actions.check(found, by=person(request))
    return JsonResponse(_describe(request, found))


@call("POST")
def make_live(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Let it answer from now on. With `seen`, only if that version (or null: none) is live still."""
    found = _version_or_404(request, slug, number)
    require(request, "registry.activate_modelversion", "make versions live")
    body = read_body(request)
    seen = body.get("seen", ANYTHING)
    if seen is not ANYTHING and seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise Problem(400, "bad_request", "“seen” must be the number of the version that is live, or null for none.")
    if found.state != states.LIVE:
        actions.make_live(found, by=person(request), seen=seen)
        found.refresh_from_db()
    return JsonResponse(_describe(request, found))


@call("GET", "POST", "PUT", "PATCH", "DELETE")
def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """An address that is none is told so as JSON too."""
    return error(404, "not_found", "There is no such call. docs/contract.md section 7 names them.")


def _find_or_name(request: HttpRequest, slug: str, *, name: str) -> Model | NewModel:
    """The model, or one to be made with its first version.

    Raises: Problem: the person may not, or the short name is none
    """
    require(request, "registry.add_modelversion", "upload models")
    found = Model.objects.filter(slug=slug).first()
    if found:
        return found
    require(request, "registry.add_model", "make models")
    try:
        Model._meta.get_field("slug").run_validators(slug)
        SLUG(slug)
    except ValidationError as fault:
        raise Problem(400, "bad_request", f"“{slug}” is no short name. {' '.join(fault.messages)}") from fault
    return NewModel(name=name or slug.replace("-", " ").capitalize(), slug=slug)


def _version_or_404(request: HttpRequest, slug: str, number: int) -> ModelVersion:
    if not request.user.has_perm("registry.view_modelversion"):
        raise Http404
    rows = ModelVersion.objects.select_related("model")
    return get_object_or_404(rows, model__slug=slug, number=number)


def _describe(request: HttpRequest, version: ModelVersion) -> dict[str, Any]:
    """A version as the API tells it: docs/contract.md section 7."""
    since = version.checking_since
    return {
        "model": version.model.slug,
        "version": version.number,
        "state": version.state,
        "stage": version.stage,
        "stage_words": version.get_stage_display(),
        "checking_seconds": None if since is None else round((timezone.now() - since).total_seconds(), 1),
        "file_name": version.file_name,
        "size_bytes": version.size_bytes,
        "sha256": version.sha256,
        "scan": {
            name: version.scan.get(name)
            for name in ("format", "compression", "estimator", "steps", "fitted_with", "uncompressed_bytes")
        },
        "reasons": version.refusals,
        "warnings": version.manifest.get("warnings") or [],
        "flags": version.manifest.get("flags") or [],
        "trials": version.manifest.get("trials") or {},
        "page": request.build_absolute_uri(reverse("admin:registry_modelversion_change", args=[version.pk])),
    }
