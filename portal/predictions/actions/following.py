"""How a batch stands, asked of the state machine: the portal's own, and jobs that were started by the API."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from portal.errors import PorticoError
from portal.gateways import executions, inference, storage
from portal.predictions import states
from portal.predictions.actions.changing import NOT_KEPT, fail, key_of, move, owner_of, without_cells
from portal.predictions.models import Batch

log = logging.getLogger(__name__)

# Who has claimed a start and not said how it went after this long has died over it; and Step Functions may know an
# execution only a moment after it was started.
START_LASTS = timedelta(minutes=1)
STAGES = {
    "queued": states.QUEUED,
    "planning": states.PLANNING,
    "running": states.RUNNING,
    "finishing": states.RUNNING,
}
JOB_IS_GONE = "What the bucket held of this job is gone, and with it how it ended."
REASON_NOT_KEPT = f"It did not get to its end. {NOT_KEPT}"


def follow_job(batch: Batch, *, with_progress: bool) -> None:
    """Bring a job of the API up to date. Raises: GatewayError."""
    if not batch.execution_arn and not _find_job(batch):
        fail(batch, JOB_IS_GONE)
        return
    status = ask(batch)
    if status.state == "done":
        finish(batch, status.summary or {})
    elif status.is_stopped:
        note_progress(batch)
        move(batch, states.CANCELLED, finished_at=timezone.now())
    elif status.state == "failed" and not (status.is_unknown and _has_just_begun(batch)):
        note_progress(batch)
        fail(batch, REASON_NOT_KEPT if batch.is_without_values else status.error, is_refused=status.is_refused)
    elif status.state == "running" and with_progress:
        note_progress(batch)


def ask(batch: Batch) -> executions.BatchStatus:
    """What the state machine says. Raises: GatewayError."""
    return executions.status(batch.execution_arn, user_id=owner_of(batch), batch=batch.id)


def note_progress(batch: Batch) -> None:
    """Keep how far it is. Nobody depends on it: where it cannot be had, the last known stands."""
    try:
        progress = inference.batch_progress(batch.job or batch.make_job())
    except PorticoError as error:
        log.info(
            "The progress of %s is not known just now: %s", batch.id, getattr(error, "detail", type(error).__name__)
        )
        return
    if batch.is_without_values:
        progress = without_cells(progress)
    if "base" in batch.progress:
        progress["base"] = batch.progress["base"]
    state = STAGES.get(progress.get("stage", ""), batch.state)
    if not states.leads_to(batch.state, state):
        state = batch.state
    if progress == batch.progress and state == batch.state:
        return
    if Batch.objects.filter(pk=batch.pk, state=batch.state).update(state=state, progress=progress):
        batch.state, batch.progress = state, progress


def finish(batch: Batch, summary: dict[str, Any]) -> None:
    """Every row is accounted for."""
    state = states.DONE_WITH_ERRORS if summary.get("failed") else states.DONE
    kept = without_cells(summary) if batch.is_without_values else summary
    move(batch, state, finished_at=timezone.now(), summary=kept, progress={}, **counts(summary))


def counts(summary: dict[str, Any]) -> dict[str, int]:
    """The row's own columns of a summary."""
    return {name: int(summary.get(name) or 0) for name in ("rows", "scored", "failed")}


def _find_job(batch: Batch) -> bool:
    """Fill what was started, and when. Returns: whether the bucket still knows. Raises: GatewayError."""
    told = storage.get_json(key_of(batch, "job.json"))
    if told is None:
        return False
    named = {} if batch.is_without_values else {"file_name": batch.file_name, "source": told["file_key"]}
    wishes = told.get("wishes") or {}
    batch.job = {**batch.make_job(), "user": batch.owner, "bands": [], **wishes, "file_name": "", **named}
    batch.execution_arn = executions.of_the_api(batch.id, created=told["created"])
    batch.started_at = datetime.fromtimestamp(told["created"], UTC)
    batch.save(update_fields=["job", "execution_arn", "started_at"])
    return True


def _has_just_begun(batch: Batch) -> bool:
    return batch.started_at is not None and timezone.now() - batch.started_at < START_LASTS
