"""A file of observations: upload, progress, result."""

import csv
import json
import uuid

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.signed_in import person
from portal.errors import Fixable, GatewayError, Refused
from portal.gateways import storage
from portal.middleware import explain, may_post_to_the_bucket
from portal.predictions import actions, charts
from portal.predictions.models import Batch
from portal.predictions.views.models import live_version_or_404
from portal.registry.models import ModelVersion

FILE_IS_GONE = "The scored file is no longer there: files are kept for 30 days. Score your file again to have it anew."


def _get_or_404(request: HttpRequest, pk: uuid.UUID) -> Batch:
    rows = Batch.objects.visible_to(person(request)).select_related("version__model", "user")
    return get_object_or_404(rows, pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("predictions.add_batch", raise_exception=True)
@may_post_to_the_bucket
def new_batch(request: HttpRequest, slug: str) -> HttpResponse:
    """Where a file is chosen. Posted as JSON by the page's script, the file then goes straight to the bucket; posted as
    a form, it comes through the portal."""
    version = live_version_or_404(slug)
    if request.method != "POST":
        return _upload_page(request, version)
    if request.content_type == "application/json":
        return _open_for_script(request, version)
    try:
        return _take_form(request, version)
    except Fixable as error:
        return _upload_page(request, version, problem=error.user_message, status=422)
    except GatewayError as error:
        problem = explain(error)
        return _upload_page(request, version, problem=problem, status=503)


@require_safe
@permission_required("predictions.add_batch", raise_exception=True)
def template(request: HttpRequest, slug: str) -> HttpResponse:
    """A file to start from: the header the model needs, and its examples as rows."""
    version = live_version_or_404(slug)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.csv"'
    writer = csv.writer(response)
    names = [feature.name for feature in version.features.all()]
    writer.writerow(names)
    writer.writerows([example.row.get(name) for name in names] for example in version.examples.all())
    return response


@require_POST
@permission_required("predictions.add_batch", raise_exception=True)
def start_batch(request: HttpRequest, pk: uuid.UUID) -> JsonResponse:
    """The page's script says that the file is in place."""
    batch = get_object_or_404(Batch, pk=pk, user=person(request))
    try:
        actions.start_batch(batch)
    except Fixable as error:
        return JsonResponse({"message": error.user_message}, status=422)
    except GatewayError as error:
        return JsonResponse({"message": explain(error)}, status=503)
    return JsonResponse({"page": batch.get_absolute_url()})


@require_safe
@permission_required("predictions.view_batch", raise_exception=True)
def batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How far the batch is, then its result. With `?part=status` only the fragment that changes."""
    found = _get_or_404(request, pk)
    problem = ""
    try:
        actions.refresh_batch(found)
    except GatewayError as error:
        problem = explain(error, "The job itself goes on.")
    return _batch_page(request, found, problem=problem)


@require_safe
@permission_required("predictions.view_batch", raise_exception=True)
def download(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """The scored file, streamed."""
    found = _get_or_404(request, pk)
    if not found.is_done:
        raise Http404
    stored = storage.get_stream(storage.batch_key(found.user_id, found.id, "output.csv"))
    if stored is None:
        return _batch_page(request, found, problem=FILE_IS_GONE, status=410)
    size_bytes, chunks = stored
    headers = {
        "Content-Length": str(size_bytes),
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=found.output_name)
        or "attachment",
    }
    return StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8", headers=headers)


def _batch_page(request: HttpRequest, found: Batch, *, problem: str, status: int = 200) -> HttpResponse:
    context = {
        "batch": found,
        "version": found.version,
        "model": found.version.model,
        "problem": problem,
        "class_bars": charts.class_bars(found.version, found.summary),
        "histogram": charts.histogram(found.version, found.summary),
        "preview": charts.preview(found.summary),
    }
    template = "predictions/_batch_status.html" if request.GET.get("part") == "status" else "predictions/batch.html"
    return render(request, template, context, status=status)


def _open_for_script(request: HttpRequest, version: ModelVersion) -> JsonResponse:
    try:
        asked = json.loads(request.body)
        name, size_bytes = str(asked["name"]), int(asked["size"])
    except (ValueError, KeyError, TypeError, RequestDataTooBig):
        return JsonResponse({"message": "The page sent an unreadable request. Reload it and try again."}, status=400)
    try:
        batch = actions.open_batch(version, file_name=name, size_bytes=size_bytes, by=person(request))
        post = actions.presign_input(batch)
    except Fixable as error:
        return JsonResponse({"message": error.user_message}, status=422)
    except GatewayError as error:
        return JsonResponse({"message": explain(error)}, status=503)
    return JsonResponse(
        {"url": post.url, "fields": post.fields, "start": reverse("predictions:start_batch", args=[batch.id])}
    )


def _take_form(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None:
        raise Refused("Choose a CSV file first.")
    batch = actions.open_batch(
        version, file_name=file.name or "file.csv", size_bytes=file.size or 0, by=person(request)
    )
    try:
        actions.store_input(batch, file)
        actions.start_batch(batch)
    except GatewayError as error:
        actions.fail_batch(batch, error.user_message)
        raise
    return redirect(batch)


def _upload_page(request: HttpRequest, version: ModelVersion, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"version": version, "model": version.model, "problem": problem}
    return render(request, "predictions/new_batch.html", context, status=status)
