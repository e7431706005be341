"""Which version answers: made live, rolled back, archived.

One change of a model at a time: whoever begins one claims the model's row, and whoever comes meanwhile is told who it
is. Whoever looked at a page on which another version was live is told what has changed, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Refused
from portal.gateways import inference, signatures, storage
from portal.registry import states
from portal.registry.actions.describing import record
from portal.registry.models import Event, Model, ModelVersion

# Longer than a replay may take; a claim of that age belongs to a portal that died.
CLAIM_LASTS = timedelta(minutes=4)
MADE_LIVE, ROLLED_BACK = "made live", "rolled back to"
ANYTHING: Final = "anything"
"""Stands for the version that the person saw live, where nobody looked: scripts."""


class RowsMoved(Refused):
    """The function answers golden rows otherwise than at the check. `moved`: docs/contract.md section 3, replay."""

    def __init__(self, version: ModelVersion, moved: list[dict[str, Any]], rows: int) -> None:
        super().__init__(
            f"Version {version.number} now answers {len(moved)} of its {rows} golden rows otherwise than when it was "
            "checked, so it was not made live. Most often the container holds other releases of scikit-learn or numpy "
            "than then: fit the model again with these, and upload it as a new version."
        )
        self.moved = moved


def make_live(version: ModelVersion, *, by: User, seen: int | None | str = ANYTHING) -> None:
    """Let this version answer from now on; the one before it stays one click away.

    The functions answer its golden rows once more before. The pointer in the bucket (for API calls) is written first,
    then the row (for the portal): if the portal stops between the two, the page still shows the old version as live and
    the same click mends it.

    Args:   seen: number of the version that was live when the person decided, None for none
    Raises: Refused: it is not ready, or somebody else was faster; RowsMoved; GatewayError. Nothing was changed.
    """
    with _claim(version.model, by=by, seen=seen):
        states.check_change(ModelVersion.objects.values_list("state", flat=True).get(pk=version.pk), states.LIVE)
        replay = inference.replay(slug=version.model.slug, number=version.number, sha256=version.sha256)
        if replay.moved:
            raise RowsMoved(version, replay.moved, replay.rows)
        _switch(version, MADE_LIVE, by=by)


def roll_back(model: Model, *, by: User, seen: int | None | str = ANYTHING, to: int | None = None) -> ModelVersion:
    """Let the version that was live before answer again, at once: nothing is tried out, it has answered before.

    Args:    seen: as in make_live; to: number of the version that the person was promised, None for whichever it is
    Returns: that version
    Raises:  Refused: there is none, or somebody else was faster; GatewayError. Nothing was changed.
    """
    with _claim(model, by=by, seen=seen):
        version = model.version_before
        if version is None:
            raise Refused("There is no earlier version that was live and is still ready.")
        if to is not None and to != version.number:
            raise Refused(f"A rollback would bring version {version.number} now, not {to}. Nothing was changed.")
        _switch(version, ROLLED_BACK, by=by)
    return version


def archive(version: ModelVersion, *, by: User) -> None:
    """Put a version away: it leaves the lists and cannot be made live. Its file and its answers stay.

    Raises: Refused: it is live, or being checked
    """
    with _claim(version.model, by=by), transaction.atomic():
        state = ModelVersion.objects.values_list("state", flat=True).get(pk=version.pk)
        states.check_change(state, states.ARCHIVED)
        ModelVersion.objects.filter(pk=version.pk).update(state=states.ARCHIVED)
        record(version.model, version, "archived", by=by)
    version.state = states.ARCHIVED


def last_switch(model: Model) -> Event | None:
    """Who changed last which version is live, and when."""
    return model.events.filter(did__in=(MADE_LIVE, ROLLED_BACK)).select_related("by", "version").first()


def _switch(version: ModelVersion, did: str, *, by: User) -> None:
    model = version.model
    pointer = signatures.sign_pointer(slug=model.slug, number=version.number, sha256=version.sha256)
    storage.put_json(storage.live_key(model.slug), pointer)
    with transaction.atomic():
        before = model.versions.filter(state=states.LIVE).exclude(pk=version.pk)
        detail = f"instead of version {before[0].number}" if before else ""
        before.update(state=states.READY)
        model.versions.filter(pk=version.pk).update(state=states.LIVE, live_at=timezone.now())
        record(model, version, did, by=by, detail=detail)
    version.refresh_from_db(fields=["state", "live_at"])


@contextmanager
def _claim(model: Model, *, by: User, seen: int | None | str = ANYTHING) -> Iterator[None]:
    """Raises: Refused: somebody else changes the model just now, or has since the page was shown."""
    now = timezone.now()
    free = Q(changing_since=None) | Q(changing_since__lt=now - CLAIM_LASTS)
    if not Model.objects.filter(free, pk=model.pk).update(changing_since=now, changing_by=by):
        other = Model.objects.values_list("changing_by__username", flat=True).get(pk=model.pk)
        raise Refused(
            f"{other or 'Somebody'} is changing which version of “{model}” is live just now. Look again in a moment."
        )
    try:
        live = model.live_version
        if seen != ANYTHING and seen != (live.number if live else None):
            raise Refused(_overtaken(model, live))
        yield
    finally:
        Model.objects.filter(pk=model.pk, changing_since=now).update(changing_since=None, changing_by=None)


def _overtaken(model: Model, live: ModelVersion | None) -> str:
    """What to say to the one who came second."""
    last = last_switch(model)
    if live is None or last is None:
        return "Which version is live has changed since this page was shown. Look at what changes now."
    return (
        f"{last.by} has made version {live.number} live since this page was shown, so nothing was changed. "
        "Look at what changes against that one."
    )
