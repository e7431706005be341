"""A file comes in, and is looked at before anything is scored."""

from __future__ import annotations

import uuid
from typing import IO, Any

from django.conf import settings

from portal.accounts.models import User
from portal.errors import Refused
from portal.gateways import inference, storage
from portal.gateways.contract import Look
from portal.gateways.storage import PresignedPost
from portal.predictions import states
from portal.predictions.actions.changing import fail, input_key
from portal.predictions.models import Batch
from portal.registry.models import ModelVersion

CONTENT_TYPE = "application/octet-stream"  # what it is, the look at it finds out
NOT_ARRIVED = "The file has not arrived. Upload it again."


def open_batch(
    version: ModelVersion, *, file_name: str, size_bytes: int, by: User, opening: uuid.UUID | None = None
) -> Batch:
    """A batch that waits for its file. Asked again with the same `opening`, the same batch.

    Raises: Refused: the file is empty or too large, or another file was opened so
    """
    if size_bytes <= 0:
        raise Refused("The file is empty. Choose a file with a header and at least one row.")
    if size_bytes > settings.PORTICO_BATCH_MAX_BYTES:
        limit = settings.PORTICO_BATCH_MAX_BYTES // 1024**3
        raise Refused(
            f"The file is larger than {limit} GB, the most that one batch takes. Split it and score the pieces."
        )
    facts: dict[str, Any] = {"version": version, "file_name": file_name[:200], "size_bytes": size_bytes}
    if opening is None:
        return Batch.objects.create(user=by, **facts)
    # Of two requests at once the constraint lets one make the row; the other gets it.
    batch, is_new = Batch.objects.get_or_create(user=by, opening=opening, defaults=facts)
    if not is_new and any(getattr(batch, name) != value for name, value in facts.items()):
        raise Refused("This page has sent another file already. Choose the file once more and send it.")
    return batch


def presign_input(batch: Batch) -> PresignedPost:
    """Where the browser posts the batch's file, straight to the bucket."""
    return storage.presign_upload(
        input_key(batch),
        max_bytes=batch.size_bytes,
        expires_s=settings.PORTICO_UPLOAD_EXPIRES_S,
        content_type=CONTENT_TYPE,
    )


def store_input(batch: Batch, file: IO[bytes]) -> None:
    """The way through the portal, for browsers without JavaScript. Raises: GatewayError."""
    storage.put_file(input_key(batch), file, content_type=CONTENT_TYPE)


def has_arrived(batch: Batch) -> bool:
    """Is the batch's file in its place? Raises: GatewayError."""
    return storage.size_of(input_key(batch)) is not None


def look_at(batch: Batch) -> Look:
    """What is recognised of the file, read as its owner has chosen.

    Raises: Refused: the file is not there; GatewayError
    """
    if not has_arrived(batch):
        raise Refused(NOT_ARRIVED)
    return inference.preview_batch(batch.make_job())


def choose(batch: Batch, chosen: dict[str, Any]) -> None:
    """Keep how the file is to be read and written. A batch that was started stays as it was started."""
    if Batch.objects.filter(pk=batch.pk, state=states.UPLOADING).update(chosen=chosen):
        batch.chosen = chosen


def fail_batch(batch: Batch, reason: str) -> None:
    """Close a batch whose file could not be taken."""
    fail(batch, reason)
