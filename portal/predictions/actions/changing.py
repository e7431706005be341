"""How a batch's row changes its state: by the table, and by one of two who try at once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from portal.gateways import storage
from portal.predictions import states
from portal.predictions.models import Batch

# Where a model keeps outputs only.
NOT_KEPT = "Why was not kept: this model keeps outputs only."
# Cells of the file, in a summary: they go when the file goes.
OF_THE_FILE = ("preview", "errors")


def move(batch: Batch, new: str, **facts: Any) -> bool:
    """Change the state, unless somebody else has changed it meanwhile; the batch then shows what they made of it.

    Returns: whether it was this call that changed it
    """
    if not states.leads_to(batch.state, new):
        states.check_change(states.BATCH_CHANGES, batch.state, new)
    if not Batch.objects.filter(pk=batch.pk, state=batch.state).update(state=new, **facts):
        batch.refresh_from_db()
        return False
    for name, value in {"state": new, **facts}.items():
        setattr(batch, name, value)
    return True


def fail(batch: Batch, reason: str, **facts: Any) -> None:
    """End the batch with a sentence that says why."""
    move(batch, states.FAILED, error=reason[:1000], finished_at=timezone.now(), **facts)


def key_of(batch: Batch, file_name: str) -> str:
    """Where a file of the batch lies."""
    return storage.batch_key(owner_of(batch), batch.id, file_name)


def owner_of(batch: Batch) -> int | str:
    """Whose it is by the names of the bucket."""
    return batch.owner or batch.user_id


def input_key(batch: Batch) -> str:
    """Where its upload lies, whatever its format."""
    return key_of(batch, "input.csv")


def without_cells(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary that quotes nothing of the file."""
    return {name: value for name, value in summary.items() if name not in OF_THE_FILE}
