"""Asking the model: one observation, or a file of them. Every question is a row before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import BadInput, GatewayError, Refused
from portal.gateways import inference, storage
from portal.gateways.contract import Answer, Scalar
from portal.gateways.storage import PresignedPost
from portal.predictions import states
from portal.predictions.models import Batch, Prediction
from portal.registry.models import ModelVersion


def predict_one(version: ModelVersion, row: Mapping[str, Scalar], *, by: User) -> Prediction:
    """Ask exactly this version about one observation.

    Args:    row: a value for each feature by name, None for missing
    Returns: the prediction, answered
    Raises:  BadInput: the model cannot take these values; GatewayError: no answer. The row is kept in both cases.
    """
    prediction = Prediction.objects.create(user=by, version=version, inputs=dict(row))
    try:
        answer = inference.predict(slug=version.model.slug, number=version.number, sha256=version.sha256, row=row)
    except BadInput as error:
        _close(prediction, states.REFUSED, error=error.user_message)
        raise
    except GatewayError as error:
        _close(prediction, states.FAILED, error=error.user_message)
        raise
    _take(prediction, answer)
    _close(prediction, states.ANSWERED)
    return prediction


def open_batch(version: ModelVersion, *, file_name: str, size_bytes: int, by: User) -> Batch:
    """A batch that waits for its file.

    Raises: Refused: the file is empty or too large
    """
    if size_bytes <= 0:
        raise Refused("The file is empty. Choose a CSV file with a header and at least one row.")
    if size_bytes > settings.PORTICO_BATCH_MAX_BYTES:
        limit = settings.PORTICO_BATCH_MAX_BYTES // 1024**3
        raise Refused(
            f"The file is larger than {limit} GB, the most that one batch takes. Split it and score the pieces."
        )
    return Batch.objects.create(user=by, version=version, file_name=file_name[:200], size_bytes=size_bytes)


def presign_input(batch: Batch) -> PresignedPost:
    """Where the browser posts the batch's file, straight to the bucket."""
    return storage.presign_upload(
        _key(batch, "input.csv"), max_bytes=batch.size_bytes, expires_s=settings.PORTICO_UPLOAD_EXPIRES_S
    )


def store_input(batch: Batch, file: IO[bytes]) -> None:
    """The way through the portal, for browsers without JavaScript."""
    storage.put_file(_key(batch, "input.csv"), file, content_type="text/csv")


def start_batch(batch: Batch) -> None:
    """Start scoring the file that has arrived. Starting twice is starting once.

    Raises: Refused: the file is not there; GatewayError: nothing was started, and it can be tried again
    """
    if batch.state != states.UPLOADING:
        return
    if storage.size_of(_key(batch, "input.csv")) is None:
        raise Refused("The file has not arrived. Upload it again.")
    version = batch.version
    arn = inference.start_batch(
        batch=batch.id, user_id=batch.user_id, slug=version.model.slug, number=version.number, sha256=version.sha256
    )
    _move(batch, states.UPLOADING, states.RUNNING, execution_arn=arn)


def refresh_batch(batch: Batch) -> None:
    """Bring the row up to date with the state machine; does nothing once the batch has ended."""
    if batch.upload_is_overdue:
        _settle_overdue(batch)
    if batch.state != states.RUNNING:
        return
    status = inference.batch_status(execution_arn=batch.execution_arn, user_id=batch.user_id, batch=batch.id)
    Batch.objects.filter(pk=batch.pk).update(parts_total=status.parts_total, parts_done=status.parts_done)
    batch.refresh_from_db()
    if status.state == "failed":
        _fail(batch, states.RUNNING, status.error)
    elif status.summary:
        counts = {name: status.summary[name] for name in ("rows", "scored", "failed")}
        _move(batch, states.RUNNING, states.DONE, finished_at=timezone.now(), summary=status.summary, **counts)


def fail_batch(batch: Batch, reason: str) -> None:
    """Close a batch whose file could not be taken."""
    _fail(batch, states.UPLOADING, reason)


def _settle_overdue(batch: Batch) -> None:
    """The browser went away: after its upload, then the job starts now; or before, then nothing will come any more."""
    if storage.size_of(_key(batch, "input.csv")) is None:
        _fail(batch, states.UPLOADING, "The file never arrived. Upload it again.")
    else:
        start_batch(batch)


def _fail(batch: Batch, old: str, reason: str) -> None:
    _move(batch, old, states.FAILED, error=reason[:1000], finished_at=timezone.now())


def _move(batch: Batch, old: str, new: str, **facts: Any) -> None:
    """Change the state, unless somebody else has changed it meanwhile; the batch then shows what they made of it."""
    states.check_change(states.BATCH_CHANGES, old, new)
    Batch.objects.filter(pk=batch.pk, state=old).update(state=new, **facts)
    batch.refresh_from_db()


def _take(prediction: Prediction, answer: Answer) -> None:
    version = prediction.version
    shown = answer.value if answer.output.type == "regression" else answer.label
    prediction.outcome = str(shown)[:200]
    prediction.outcome_words = (version.class_word(answer.label) if answer.output.classes else "")[:200]
    prediction.value = answer.value
    prediction.scores = None if answer.scores is None else list(answer.scores)
    if answer.probabilities is not None:
        prediction.probabilities = [
            list(pair) for pair in zip(answer.output.classes, answer.probabilities, strict=True)
        ]
    prediction.band_value = band_value(answer)
    band = version.band_for(prediction.band_value)
    if band:
        prediction.band_label, prediction.band_tone = band.label, band.tone
    prediction.milliseconds, prediction.is_cold = answer.milliseconds, answer.is_cold


def band_value(answer: Answer) -> float | None:
    """What the bands look at: the last class's probability (binary), the answer's own (multiclass), the value."""
    if answer.output.type == "regression":
        return answer.value
    if answer.probabilities is None:
        return None
    return answer.probabilities[-1] if answer.output.type == "binary" else max(answer.probabilities)


def _close(prediction: Prediction, state: str, *, error: str = "") -> None:
    states.check_change(states.PREDICTION_CHANGES, prediction.state, state)
    prediction.state, prediction.error = state, error[:500]
    prediction.save()


def _key(batch: Batch, file_name: str) -> str:
    return storage.batch_key(batch.user_id, batch.id, file_name)
