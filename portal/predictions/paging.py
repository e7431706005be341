"""Pages of a list that several tables make up, newest first, found by their place and not by their number.

A page costs the same wherever it lies: it is asked for as what comes before, or after, the place of a row. Rows that
are written meanwhile move no page, so that nothing is shown twice or left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from django.db.models import QuerySet

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """Where a row lies: places compare as the list is ordered, the oldest first."""

    at: datetime
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.id.hex}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """The place that was written so, or None for anything else."""
        micros, _, key = text.partition("-")
        try:
            return cls(EPOCH + timedelta(microseconds=int(micros)), uuid.UUID(key))
        except (ValueError, OverflowError):
            return None

    @classmethod
    def of(cls, row: Any) -> Place:
        return cls(row.created_at, row.pk)


@dataclass(frozen=True, slots=True)
class Found:
    """Some rows of one table, in the direction that was asked for.

    Attributes:
        reached: the last place that was looked at, where the search stopped before the table's end
    """

    rows: Sequence[Any]
    reached: Place | None = None


class Source(Protocol):
    """One table's rows."""

    def take(self, place: Place | None, *, is_newer: bool, limit: int) -> Found:
        """At most `limit` rows beyond the place: before it, newest first; or after it, oldest first."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first.

    Attributes:
        newer, older: the places that the pages beside this one begin at, None at the list's ends
        searched_to: how far it was looked, if the page is not full for that reason
    """

    rows: Sequence[Any]
    newer: Place | None = None
    older: Place | None = None
    searched_to: datetime | None = None

    @property
    def is_first(self) -> bool:
        return self.newer is None

    @property
    def is_all(self) -> bool:
        return self.newer is None and self.older is None


def page_before(sources: Sequence[Source], place: Place | None, *, size: int) -> Page:
    """The page of rows older than the place, or the first one."""
    rows, end, searched_to = _merge(sources, place, size=size, is_newer=False)
    newer = place and (Place.of(rows[0]) if rows else place)
    return Page(rows, newer=newer, older=end, searched_to=searched_to)


def page_after(sources: Sequence[Source], place: Place, *, size: int) -> Page:
    """The page of rows newer than the place. Where that is the newest one, it is the first page, filled up."""
    rows, end, searched_to = _merge(sources, place, size=size, is_newer=True)
    if end is None:
        return page_before(sources, None, size=size)
    rows.reverse()
    older = Place.of(rows[-1]) if rows else place
    return Page(rows, newer=end, older=older, searched_to=searched_to)


def in_order(rows: QuerySet, place: Place | None, *, is_newer: bool) -> QuerySet:
    """The rows beyond the place, in order, asked for so that an index on (…, created_at, id) serves it."""
    if place is not None:
        beyond, back = ("gte", "lte") if is_newer else ("lte", "gte")
        rows = rows.filter(**{f"created_at__{beyond}": place.at}).exclude(
            **{"created_at": place.at, f"id__{back}": place.id}
        )
    return rows.order_by("created_at", "id") if is_newer else rows.order_by("-created_at", "-id")


def _merge(
    sources: Sequence[Source], place: Place | None, *, size: int, is_newer: bool
) -> tuple[list[Any], Place | None, datetime | None]:
    """Rows in the direction asked for, where the next page begins, and how far it was looked if they are too few."""
    found = [source.take(place, is_newer=is_newer, limit=size + 1) for source in sources]
    rows = sorted((row for part in found for row in part.rows), key=Place.of, reverse=not is_newer)
    ends = [part.reached for part in found if part.reached]
    if ends:
        # What a source has not looked at yet may lie between the rows of the others.
        end = min(ends) if is_newer else max(ends)
        rows = [row for row in rows if (Place.of(row) <= end if is_newer else Place.of(row) >= end)]
    if len(rows) > size:
        return rows[:size], Place.of(rows[size - 1]), None
    return (rows, end, end.at) if ends else (rows, None, None)
