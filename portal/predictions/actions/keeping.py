"""Results are handed out, and files deleted when their time is over. The row stays, with its counts."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from portal.gateways import storage
from portal.predictions import states
from portal.predictions.actions.changing import key_of, without_cells
from portal.predictions.models import Batch

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
NEVER_STARTED = "It was not started before its file's time was over."


def link_to_result(batch: Batch) -> str | None:
    """A link to the result for the next minutes, or None where the file is gone. Raises: GatewayError.

    The bucket sends the file itself, with ranges for interrupted downloads: through the portal one of its few threads
    would be taken for as long as five gigabytes take.
    """
    key = batch.result_key or key_of(batch, batch.result_file)
    if storage.size_of(key) is None:
        return None
    return storage.presign_download(
        key,
        file_name=batch.output_name,
        content_type=CONTENT_TYPES[batch.output_name.rpartition(".")[2]],
        expires_s=settings.PORTICO_DOWNLOAD_EXPIRES_S,
    )


def _keys_of_the_caller(batch: Batch) -> list[str]:
    """What a call of the API has left in the caller's own folder; nothing while another batch keeps the same file."""
    others = Batch.objects.filter(given_key=batch.given_key, purged_at=None).exclude(pk=batch.pk)
    if not batch.given_key or others.exists():
        return []
    own_folder = batch.given_key.partition("/")[0] + "/"
    return [key for key in (batch.given_key, batch.result_key) if key.startswith(own_folder)]


def purge_batches() -> int:
    """Delete the objects of all batches whose time is over. Running it twice deletes nothing more.

    Returns: how many batches that were
    Raises:  GatewayError: some are left, for the next time
    """
    purged = 0
    for batch in Batch.objects.expired(timezone.now()):
        if not batch.was_within_a_call:
            storage.delete_under(key_of(batch, ""))
        for key in _keys_of_the_caller(batch):
            storage.delete(key)
        batch.purged_at, batch.progress = timezone.now(), {}
        batch.summary = without_cells(batch.summary)
        if batch.is_waiting:
            batch.state, batch.error, batch.finished_at = states.CANCELLED, NEVER_STARTED, batch.purged_at
        batch.save(update_fields=["purged_at", "progress", "summary", "state", "error", "finished_at"])
        purged += 1
    return purged
