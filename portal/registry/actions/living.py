"""Which version answers: made live, rolled back, archived."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Refused
from portal.gateways import inference, storage
from portal.registry import states
from portal.registry.actions import publishing
from portal.registry.actions.claiming import ANYTHING, MADE_LIVE, ROLLED_BACK, claim
from portal.registry.actions.describing import record
from portal.registry.models import Model, ModelVersion


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
    with claim(version.model, by=by, seen=seen):
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
    with claim(model, by=by, seen=seen):
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
    with claim(version.model, by=by), transaction.atomic():
        state = ModelVersion.objects.values_list("state", flat=True).get(pk=version.pk)
        states.check_change(state, states.ARCHIVED)
        ModelVersion.objects.filter(pk=version.pk).update(state=states.ARCHIVED)
        record(version.model, version, "archived", by=by)
    version.state = states.ARCHIVED


def _switch(version: ModelVersion, did: str, *, by: User) -> None:
    model = version.model
    model.refresh_from_db(fields=["capture"])
    storage.put_json(storage.live_key(model.slug), publishing.pointer_of(version))
    with transaction.atomic():
        before = model.versions.filter(state=states.LIVE).exclude(pk=version.pk)
        detail = f"instead of version {before[0].number}" if before else ""
        before.update(state=states.READY)
        model.versions.filter(pk=version.pk).update(state=states.LIVE, live_at=timezone.now())
        publishing.mark(model)
        record(model, version, did, by=by, detail=detail)
    publishing.write_pages(model)
    model.refresh_from_db(fields=["publish_since"])
    version.refresh_from_db(fields=["state", "live_at"])
