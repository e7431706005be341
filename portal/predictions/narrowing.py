"""Which predictions a filter lets through, at a cost that does not grow with the table.

Each single filter has an index in the list's order. Of several at once, the one that lets the fewest through is
followed, for `LOOK_ROWS` rows at most; the page then says how far it looked, and goes on from there.
docs/decisions/011 says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from portal.predictions import search
from portal.predictions.models import Batch, Prediction
from portal.predictions.paging import Found, Place, in_order
from portal.registry.models import ModelVersion

LOOK_ROWS = 5_000
# Prefetched, not joined: a page of rows has few different people and versions. Manifests are long, and not shown.
SHOWN = ("user", Prefetch("version", ModelVersion.objects.only("number", "model").select_related("model")))


@dataclass(frozen=True)
class Predictions:
    """Predictions that meet all conditions.

    Attributes:
        facets: column → the value it must have; each column leads an index that goes on with created_at and id
        loose: column → the values it may have, without such an index
        dates: a condition on created_at
    """

    facets: Mapping[str, Any] = field(default_factory=dict)
    loose: Mapping[str, list[Any]] = field(default_factory=dict)
    dates: Q = field(default_factory=Q)
    text: str = ""

    def take(self, place: Place | None, *, is_newer: bool, limit: int) -> Found:
        """As paging.Source has it."""
        rows, reached = self._candidates(place, is_newer=is_newer)
        found = list(rows.defer("words").prefetch_related(*SHOWN, "version__features")[:limit])
        return Found(found, None if len(found) == limit else reached)

    def count(self, most: int) -> int | None:
        """How many there are, `most` if there are more, or None where only a long search could say."""
        rows, reached = self._candidates(None, is_newer=False)
        return None if reached else rows[:most].count()

    def _candidates(self, place: Place | None, *, is_newer: bool) -> tuple[QuerySet, Place | None]:
        everything = in_order(Prediction.objects.filter(self.dates), place, is_newer=is_newer)
        if not self.text and not self.loose and len(self.facets) <= 1:
            return everything.filter(**self.facets), None
        matches = search.rare_matches(self.text) if self.text else None
        if matches is not None:
            return self._within(matches, everything, is_newer=is_newer), None
        keys, reached = self._shortest(everything, is_newer=is_newer)
        return self._within(keys, everything, is_newer=is_newer), reached

    def _shortest(self, everything: QuerySet, *, is_newer: bool) -> tuple[QuerySet, Place | None]:
        """The keys of the next LOOK_ROWS rows of the facet that reaches furthest with them, and how far that is."""
        best, furthest = everything, _place_of_last(everything)
        for column, value in self.facets.items():
            rows = everything.filter(**{column: value})
            reached = _place_of_last(rows)
            if furthest is None:
                break
            if reached is None or (reached > furthest if is_newer else reached < furthest):
                best, furthest = rows, reached
        return best.values("pk")[:LOOK_ROWS], furthest

    def _within(self, keys: Any, everything: QuerySet, *, is_newer: bool) -> QuerySet:
        """Of the rows with these keys, those that meet all conditions.

        A database that takes one of the conditions' indexes, or the order's, for cheaper than the keys would go through
        the whole table where it is wrong. Behind a function none is of use to it.
        """
        rows = everything.filter(pk__in=keys)
        for column, value in [*self.facets.items(), *self.loose.items()]:
            name, _, lookup = column.partition("__")
            rows = rows.alias(**{f"{name}_plain": Coalesce(F(name), F(name))})
            rows = rows.filter(**{f"{name}_plain__{lookup or ('in' if column in self.loose else 'exact')}": value})
        if self.text:
            rows = search.with_text(rows, self.text)
        at = Coalesce(F("created_at"), F("created_at"))
        return rows.order_by(at.asc() if is_newer else at.desc(), "id" if is_newer else "-id")


@dataclass(frozen=True)
class Batches:
    """Batches that meet a condition. There are few enough to go through them all."""

    condition: Q

    def take(self, place: Place | None, *, is_newer: bool, limit: int) -> Found:
        """As paging.Source has it."""
        rows = in_order(Batch.objects.filter(self.condition), place, is_newer=is_newer)
        return Found(list(rows.prefetch_related(*SHOWN)[:limit]))

    def count(self, most: int) -> int:
        """How many there are, or `most` if there are more."""
        return Batch.objects.filter(self.condition).order_by()[:most].count()


def _place_of_last(rows: QuerySet) -> Place | None:
    """The place of the last row that is looked at, or None if these are all."""
    last = rows.values_list("created_at", "id")[LOOK_ROWS - 1 : LOOK_ROWS + 1]
    return Place(*last[0]) if len(last) == 2 else None
