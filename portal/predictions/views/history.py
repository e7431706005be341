"""Everything that was asked and answered, and the same as a file."""

from collections.abc import Sequence

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.accounts.signed_in import person
from portal.errors import GatewayError
from portal.middleware import log_reference
from portal.predictions import actions, export
from portal.predictions.history import Count, HistoryFilter, count, stream
from portal.predictions.models import Batch, Prediction
from portal.predictions.narrowing import fetch_shown
from portal.predictions.paging import Place, page_after, page_before

PAGE_ROWS = 25
REFRESHED = 5  # each may take a call or two; the rest follow at a later look


@require_safe
@permission_required("predictions.view_prediction", raise_exception=True)
def history(request: HttpRequest) -> HttpResponse:
    """One page of the filtered history."""
    chosen = HistoryFilter(request.GET, viewer=person(request))
    sources = chosen.sources()
    after, before = (Place.read(request.GET.get(name, "")) for name in ("after", "before"))
    page = page_after(sources, after, size=PAGE_ROWS) if after else page_before(sources, before, size=PAGE_ROWS)
    fetch_shown(page.rows)
    _refresh(page.rows)
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    counted = Count(len(page.rows)) if page.is_all else count(sources) if page.is_first else None
    context = {"filter": chosen, "page": page, "query": query.urlencode(), "counted": counted}
    return render(request, "predictions/history.html", context)


@require_safe
@permission_required("predictions.view_prediction", raise_exception=True)
def export_history(request: HttpRequest) -> StreamingHttpResponse:
    """All rows of the filter, as CSV, sent while they are read."""
    chosen = HistoryFilter(request.GET, viewer=person(request))
    rows = stream(chosen.sources())
    model = chosen.cleaned_data.get("model")
    name = f"portico-history-{timezone.localdate():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(export.lines(rows, model), content_type="text/csv; charset=utf-8", headers=headers)


def _refresh(rows: Sequence[Prediction | Batch]) -> None:
    """Batches that were left alone are asked after; a page of history never fails because the cloud side is away."""
    unfinished = [row for row in rows if isinstance(row, Batch) and not row.has_ended]
    for row in unfinished[:REFRESHED]:
        try:
            actions.refresh_batch(row, with_progress=False)
        except GatewayError as error:
            log_reference(error)
            return
