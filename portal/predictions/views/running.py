"""The buttons of a batch's page. Each leads back to the page; only a batch's owner has them. Jobs of the API have none:
what has started them stops them."""

import uuid
from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portal.accounts.signed_in import person
from portal.errors import Fixable, GatewayError
from portal.middleware import explain
from portal.predictions import actions
from portal.predictions.models import Batch
from portal.predictions.reading_form import ReadingForm
from portal.predictions.views.batches import batch_page


@require_POST
@permission_required("predictions.add_batch", raise_exception=True)
def start_batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Keep how the file is to be read, then look at it once more (`do=look`) or score it."""
    batch = _own_or_404(request, pk)
    if batch.is_waiting:
        actions.choose(batch, ReadingForm(batch.version, request.POST).chosen())
    if request.POST.get("do") == "look":
        return redirect(batch)
    return _do(request, batch, actions.start_batch)


@require_POST
@permission_required("predictions.add_batch", raise_exception=True)
def cancel_batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop it; with `keep` what was scored is put together at once."""
    batch = _own_or_404(request, pk)
    return _do(request, batch, _cancel_and_keep if request.POST.get("keep") else actions.cancel_batch)


@require_POST
@permission_required("predictions.add_batch", raise_exception=True)
def resume_batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Go on where it stopped."""
    return _do(request, _own_or_404(request, pk), actions.resume_batch)


@require_POST
@permission_required("predictions.add_batch", raise_exception=True)
def collect_batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Put together what a stopped batch had scored."""
    return _do(request, _own_or_404(request, pk), actions.collect_batch)


def _own_or_404(request: HttpRequest, pk: uuid.UUID) -> Batch:
    rows = Batch.objects.filter(user=person(request), source=None).select_related("version__model", "user")
    return get_object_or_404(rows, pk=pk)


def _do(request: HttpRequest, batch: Batch, action: Callable[[Batch], None]) -> HttpResponse:
    try:
        action(batch)
    except Fixable as error:
        return batch_page(request, batch, refusal=error.user_message, status=422)
    except GatewayError as error:
        return batch_page(request, batch, problem=explain(error), status=503)
    return redirect(batch)


def _cancel_and_keep(batch: Batch) -> None:
    actions.cancel_batch(batch)
    if batch.may_be_collected:
        actions.collect_batch(batch)
