"""One change of a model at a time.

Whoever begins one claims the model's row, and whoever comes meanwhile is told who it is. Whoever looked at a page on
which another version was live is told what has changed, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import Refused
from portal.registry.models import Event, Model, ModelVersion

# Longer than a replay may take; a claim of that age belongs to a portal that died.
CLAIM_LASTS = timedelta(minutes=4)
MADE_LIVE, ROLLED_BACK = "made live", "rolled back to"
ANYTHING: Final = "anything"
"""Stands for the version that the person saw live, where nobody looked: scripts."""


@contextmanager
def claim(model: Model, *, by: User | None, seen: int | None | str = ANYTHING) -> Iterator[None]:
    """Nobody else changes what the bucket says of this model meanwhile.

    Args:   by: None for the portal itself
    Raises: Refused: somebody else changes the model just now, or has since the page was shown
    """
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


def last_switch(model: Model) -> Event | None:
    """Who changed last which version is live, and when."""
    return model.events.filter(did__in=(MADE_LIVE, ROLLED_BACK)).select_related("by", "version").first()


def _overtaken(model: Model, live: ModelVersion | None) -> str:
    """What to say to the one who came second."""
    last = last_switch(model)
    if live is None or last is None:
        return "Which version is live has changed since this page was shown. Look at what changes now."
    return (
        f"{last.by} has made version {live.number} live since this page was shown, so nothing was changed. "
        "Look at what changes against that one."
    )
