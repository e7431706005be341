"""A batch's page: what was recognised before the start, how far it is, what came out."""

import uuid
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from portal.accounts.signed_in import person
from portal.errors import GatewayError, Refused
from portal.gateways.contract import Look
from portal.middleware import explain
from portal.predictions import actions, charts, tables
from portal.predictions.models import Batch
from portal.predictions.pacing import pace_of
from portal.predictions.reading_form import FORMATS, ReadingForm

GOES_ON = "The job itself goes on."
FILE_IS_GONE = "The result is no longer there. Score your file again to have it anew."


def get_or_404(request: HttpRequest, pk: uuid.UUID) -> Batch:
    """A batch that this person may see."""
    rows = Batch.objects.visible_to(person(request)).select_related("version__model", "user")
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required("predictions.view_batch", raise_exception=True)
def batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The batch as it stands. With `?part=status` only the fragment that changes."""
    found = get_or_404(request, pk)
    problem = ""
    try:
        actions.refresh_batch(found)
    except GatewayError as error:
        problem = explain(error, GOES_ON)
    if request.GET.get("part") == "status":
        return _fragment(request, found, problem=problem)
    return batch_page(request, found, problem=problem)


@require_safe
@permission_required("predictions.view_batch", raise_exception=True)
def download(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """To the result in the bucket, by a link of some minutes that is made anew each time."""
    found = get_or_404(request, pk)
    if not (found.is_done or found.is_partial):
        raise Http404
    link = actions.link_to_result(found) if found.has_result else None
    if link is None:
        return batch_page(request, found, problem=FILE_IS_GONE, status=410)
    return HttpResponse(status=302, headers={"Location": link, "Cache-Control": "no-store"})


def batch_page(
    request: HttpRequest, found: Batch, *, problem: str = "", refusal: str = "", status: int = 200
) -> HttpResponse:
    """The whole page. A file that waits for its start is looked at."""
    context = _context(request, found) | {"problem": problem, "refusal": refusal}
    if found.is_waiting and found.purged_at is None:
        try:
            context |= _look(found)
        except GatewayError as error:
            context |= {"has_arrived": True, "problem": problem or explain(error, "Nothing was scored yet.")}
            status = 503
    return render(request, "predictions/batch.html", context, status=status)


def _fragment(request: HttpRequest, found: Batch, *, problem: str) -> HttpResponse:
    context = _context(request, found) | {"problem": problem}
    if found.is_waiting and not problem and actions.has_arrived(found):
        context["phase"] = "arrived"
    return render(request, "predictions/_batch_status.html", context)


def _context(request: HttpRequest, found: Batch) -> dict[str, Any]:
    version, counted = found.version, found.summary if found.has_ended and found.summary else found.progress
    context: dict[str, Any] = {
        "batch": found,
        "version": version,
        "model": version.model,
        "phase": _phase(found),
        "may_act": _is_own(request, found) and request.user.has_perm("predictions.add_batch"),
        "pace": pace_of(found),
        "errors": counted.get("errors") or [],
    }
    if not found.is_waiting:
        context |= {
            "class_bars": charts.class_bars(version, counted),
            "band_bars": charts.band_bars(version, counted),
            "histogram": charts.histogram(version, counted),
            "training_rows": version.training_answers.get("rows"),
            "preview": tables.preview(found.summary),
        }
    return context


def _is_own(request: HttpRequest, found: Batch) -> bool:
    """A job of the API is stopped and started by the API."""
    return found.user_id == person(request).pk and not found.is_of_the_api


def _phase(found: Batch) -> str:
    """What the page's script watches: it loads the page anew when this changes."""
    if found.is_waiting:
        return "waiting"
    return "under-way" if found.is_under_way else "ended"


def _look(found: Batch) -> dict[str, Any]:
    try:
        look: Look = actions.look_at(found)
    except Refused:
        return {"has_arrived": False}
    return {
        "has_arrived": True,
        "phase": "arrived",
        "look": look,
        "format": FORMATS.get(look.reading.get("format") or "", ""),
        "form": ReadingForm(found.version, look=look, chosen=found.chosen),
        "first_rows": tables.first_rows(look),
        "used_columns": set(look.mapping.values()),
    }
