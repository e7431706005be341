"""A batch from its start to its end. The state machine is the truth; the row follows whenever somebody looks."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from portal.errors import GatewayError, Refused
from portal.gateways import executions, inference, storage
from portal.predictions import states
from portal.predictions.actions.changing import fail, key_of, move
from portal.predictions.actions.following import START_LASTS, ask, counts, finish, follow_job, note_progress
from portal.predictions.actions.opening import has_arrived, look_at
from portal.predictions.models import Batch

ENDINGS = ("summary.json", "refusal.json")
OUTPUTS = ("output.csv", "output.parquet")


def start_batch(batch: Batch) -> None:
    """Start scoring the file that has arrived. Starting twice, or in two tabs, is starting once.

    Raises: Refused: the file is not there, or cannot be scored as it stands; GatewayError: nothing was started, and it
            can be tried again
    """
    if not batch.is_waiting:
        return
    look = look_at(batch)
    if look.refusal:
        raise Refused(look.refusal)
    if move(batch, states.QUEUED, job=batch.make_job(), attempt=1, started_at=timezone.now()):
        _launch(batch, back_to=states.UPLOADING)


def resume_batch(batch: Batch) -> None:
    """Start a stopped batch again, with the same job: only the parts that are missing are scored. Those that were put
    together as a partial result are used up, so that it then begins anew.

    Raises: Refused: it was not stopped, or its file is gone; GatewayError: as start_batch
    """
    if batch.is_under_way:
        return
    if not batch.may_be_resumed:
        raise Refused("Only a batch that was started and has stopped can be resumed.")
    if not has_arrived(batch):
        raise Refused("The file is no longer there. Upload it again as a new batch.")
    claimed = move(
        batch,
        states.QUEUED,
        job=batch.job or batch.make_job(),
        attempt=batch.attempt + 1,
        started_at=timezone.now(),
        finished_at=None,
        execution_arn="",
        error="",
        is_refused=False,
        progress={**batch.progress, "base": {name: batch.progress.get(name) or 0 for name in ("rows", "bytes_done")}},
    )
    if claimed:
        _launch(batch, back_to=states.FAILED)


def refresh_batch(batch: Batch, *, with_progress: bool = True) -> None:
    """Bring the row up to date with the state machine; does nothing once the batch has ended.

    Raises: GatewayError: nobody can be asked; the row stays as it was
    """
    if batch.upload_is_overdue and not has_arrived(batch):
        fail(batch, "The file never arrived. Upload it again.")
    if not batch.is_under_way:
        return
    if batch.is_of_the_api:
        follow_job(batch, with_progress=with_progress)
        return
    if not batch.execution_arn:
        _start_what_was_lost(batch)
        return
    status = ask(batch)
    if status.state == "done":
        finish(batch, status.summary or {})
    elif status.state == "failed":
        note_progress(batch)
        fail(batch, status.error, is_refused=status.is_refused)
    elif with_progress:
        note_progress(batch)


def cancel_batch(batch: Batch) -> None:
    """Stop a batch, wherever it is. What was scored stays, for a resume or to be collected.

    Raises: GatewayError: it may go on; it can be tried again
    """
    if batch.is_waiting and move(batch, states.CANCELLED, finished_at=timezone.now()):
        return
    refresh_batch(batch, with_progress=False)
    if not batch.is_under_way:
        return
    if batch.execution_arn:
        executions.stop(batch.execution_arn)
        status = ask(batch)
        if status.state == "done":  # it was faster
            finish(batch, status.summary or {})
            return
    note_progress(batch)
    move(batch, states.CANCELLED, finished_at=timezone.now())


def collect_batch(batch: Batch) -> None:
    """Put together what a stopped batch had scored, as a result that says that it is partial.

    Raises: Refused: there is nothing to collect, or the job has not come to rest yet; GatewayError
    """
    if batch.is_partial:
        return
    if not batch.may_be_collected:
        raise Refused("Nothing was scored before the batch stopped.")
    if batch.execution_arn and ask(batch).state == "running":
        raise Refused("The job has not come to rest yet. Try again in a moment.")
    summary = inference.collect_batch(batch.job or batch.make_job())
    if not summary.get("partial"):
        finish(batch, summary)
        return
    facts = {"summary": summary, **counts(summary)}
    if Batch.objects.filter(pk=batch.pk, state=batch.state).update(**facts):
        for name, value in facts.items():
            setattr(batch, name, value)
    else:
        batch.refresh_from_db()


def _launch(batch: Batch, *, back_to: str) -> None:
    """Start the execution of a batch that this call has claimed."""
    try:
        if batch.attempt > 1:
            # How the last attempt ended must not be taken for the end of this one.
            for name in (*ENDINGS, *(OUTPUTS if batch.summary.get("partial") else ())):
                storage.delete(key_of(batch, name))
        arn = executions.start(batch.job, attempt=batch.attempt)
    except GatewayError as error:
        # The same attempt again next time: should the request have got through after all, it is one execution.
        facts: dict[str, Any] = {"attempt": batch.attempt - 1, "started_at": None}
        if back_to == states.FAILED:
            facts |= {"error": f"It could not be resumed. {error.user_message}", "finished_at": timezone.now()}
        move(batch, back_to, **facts)
        raise
    claimed = Batch.objects.filter(pk=batch.pk, attempt=batch.attempt, state__in=states.UNDER_WAY)
    if claimed.update(execution_arn=arn, summary={}):
        batch.execution_arn, batch.summary = arn, {}
        return
    executions.stop(arn)  # it was cancelled in between
    batch.refresh_from_db()


def _start_what_was_lost(batch: Batch) -> None:
    """A portal that died between its claim and its call left a batch that nobody has started, or is said to have."""
    if batch.started_at is None or timezone.now() - batch.started_at > START_LASTS:
        _launch(batch, back_to=states.UPLOADING if batch.attempt == 1 else states.FAILED)
