"""Where a file is chosen and sent."""

import csv
import json
import uuid

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.signed_in import person
from portal.errors import Fixable, GatewayError, Refused
from portal.middleware import explain, may_post_to_the_bucket
from portal.predictions import actions
from portal.predictions.views.models import live_version_or_404
from portal.registry.models import ModelVersion


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("predictions.add_batch", raise_exception=True)
@may_post_to_the_bucket
def new_batch(request: HttpRequest, slug: str) -> HttpResponse:
    """Where a file is chosen. Posted as JSON by the page's script, the file then goes straight to the bucket; posted as
    a form, it comes through the portal. Either leads to the batch's page, which shows what was recognised."""
    version = live_version_or_404(slug)
    if request.method != "POST":
        return _page(request, version)
    if request.content_type == "application/json":
        return _open_for_script(request, version)
    try:
        return _take_form(request, version)
    except Fixable as error:
        return _page(request, version, problem=error.user_message, status=422)
    except GatewayError as error:
        problem = explain(error)
        return _page(request, version, problem=problem, status=503)


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


def _open_for_script(request: HttpRequest, version: ModelVersion) -> JsonResponse:
    try:
        asked = json.loads(request.body)
        name, size_bytes = str(asked["name"]), int(asked["size"])
        opening = uuid.UUID(asked["opening"])
    except (ValueError, KeyError, TypeError, AttributeError, RequestDataTooBig):
        return JsonResponse({"message": "The page sent an unreadable request. Reload it and try again."}, status=400)
    try:
        batch = actions.open_batch(version, file_name=name, size_bytes=size_bytes, by=person(request), opening=opening)
        post = actions.presign_input(batch)
    except Fixable as error:
        return JsonResponse({"message": error.user_message}, status=422)
    except GatewayError as error:
        return JsonResponse({"message": explain(error)}, status=503)
    return JsonResponse({"url": post.url, "fields": post.fields, "page": batch.get_absolute_url()})


def _take_form(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None:
        raise Refused("Choose a file first.")
    batch = actions.open_batch(
        version,
        file_name=file.name or "file.csv",
        size_bytes=file.size or 0,
        by=person(request),
        opening=_opening(request.POST.get("opening", "")),
    )
    if not batch.is_waiting:
        return redirect(batch)  # the same form once more, after the batch has moved on
    try:
        actions.store_input(batch, file)
    except GatewayError as error:
        actions.fail_batch(batch, error.user_message)
        raise
    return redirect(batch)


def _opening(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _page(request: HttpRequest, version: ModelVersion, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"version": version, "model": version.model, "problem": problem, "opening": uuid.uuid4()}
    return render(request, "predictions/new_batch.html", context, status=status)
