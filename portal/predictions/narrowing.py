"""Which predictions a filter lets through, at a cost that does not grow with the table.

Each single filter has an index in the list's order. Of several at once, the one that lets the fewest through is
followed, for `LOOK_ROWS` rows at most; the page then says how far it looked, and goes on from there.
docs/decisions/011 says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Coalesce

from portal.database import planned_each_time
from portal.predictions import search
from portal.predictions.models import Batch, Prediction
from portal.predictions.paging import Found, Place, in_order
from portal.registry.models import ModelVersion

LOOK_ROWS = 3_000
FIRST_LOOK = 500  # most pages are full after so many
# Manifests are long, and not shown.
VERSIONS = ModelVersion.objects.only("number", "model").select_related("model")


def fetch_shown(rows: Sequence[Prediction | Batch], *, with_features: bool = True) -> None:
    """Fetch the people, versions and features of a page's rows: all of one kind at once, of whatever source."""
    predictions, batches = ([row for row in rows if isinstance(row, kind)] for kind in (Prediction, Batch))
    shown = ("user", Prefetch("version", VERSIONS))
    prefetch_related_objects(predictions, *shown, *(["version__features"] if with_features else []))
    prefetch_related_objects(batches, *shown)


@dataclass
class Predictions:
    """Predictions that meet all conditions.

    Attributes:
        facets: column → the value it must have; each column leads an index that goes on with created_at and id
        dates: a condition on created_at
        known: how many there are, once the first page has held them all
    """

    facets: Mapping[str, Any] = field(default_factory=dict)
    dates: Q = field(default_factory=Q)
    text: str = ""
    known: int | None = field(default=None, init=False)

    @planned_each_time()
    def take(self, place: Place | None, *, is_newer: bool, limit: int) -> Found:
        """As paging.Source has it."""
        found = self._take(place, is_newer=is_newer, limit=limit)
        if place is None and found.reached is None and len(found.rows) < limit:
            self.known = len(found.rows)
        return found

    def _take(self, place: Place | None, *, is_newer: bool, limit: int) -> Found:
        everything = self._in_order(place, is_newer=is_newer)
        if self._is_simple:
            return Found(list(everything.filter(**self.facets).defer("words")[:limit]))
        driver, reached = self._shortest(everything, is_newer=is_newer) if place else self._from_the_newest

        def look(rows: int) -> list[Any]:
            candidates = self._within(driver.values("pk")[:rows], everything, is_newer=is_newer)
            return list(self._with_text(candidates)[:limit])

        keys = look(min(FIRST_LOOK, LOOK_ROWS))
        if len(keys) == limit:
            return Found(_fetch(keys))
        # Only now: an index of words takes longest to say that something is frequent.
        if self._matches is not None:
            return Found(_fetch(self._within(self._matches, everything, is_newer=is_newer)[:limit]))
        keys = look(LOOK_ROWS)
        return Found(_fetch(keys), None if len(keys) == limit else reached)

    @planned_each_time()
    def count(self, most: int) -> int | None:
        """How many there are, `most` if there are more, or None where only a long search could say."""
        if self.known is not None:
            return self.known
        everything = self._in_order(None, is_newer=False)
        if self._is_simple:
            return everything.filter(**self.facets)[:most].count()
        driver, reached = self._from_the_newest
        if reached and "_matches" not in self.__dict__:
            return None  # a short look has filled the page
        if self._matches is not None and not self.facets and not self.dates:
            return min(most, len(self._matches))
        if self._matches is not None:
            return self._within(self._matches, everything, is_newer=False)[:most].count()
        if reached:
            return None
        return self._with_text(self._within(driver.values("pk"), everything, is_newer=False))[:most].count()

    @property
    def _is_simple(self) -> bool:
        return not self.text and len(self.facets) <= 1

    @cached_property
    def _matches(self) -> list[Any] | None:
        return search.rare_matches(self.text) if self.text else None

    @cached_property
    def _from_the_newest(self) -> tuple[QuerySet, Place | None]:
        return self._shortest(self._in_order(None, is_newer=False), is_newer=False)

    def _in_order(self, place: Place | None, *, is_newer: bool) -> QuerySet:
        return in_order(Prediction.objects.filter(self.dates), place, is_newer=is_newer)

    def _shortest(self, everything: QuerySet, *, is_newer: bool) -> tuple[QuerySet, Place | None]:
        """The rows of the facet that reaches furthest with its next LOOK_ROWS, and how far; None: to the end."""
        best, furthest = everything, _place_of_last(everything)
        for column, value in self.facets.items():
            if furthest is None:
                break
            rows = everything.filter(**{column: value})
            reached = _place_of_last(rows)
            if reached is None or (reached > furthest if is_newer else reached < furthest):
                best, furthest = rows, reached
        return best, furthest

    def _within(self, keys: Any, everything: QuerySet, *, is_newer: bool) -> QuerySet:
        """Of the rows with these keys, the keys of those that have all facets.

        A database that takes one of the conditions' indexes, or the order's, for cheaper than the keys would go through
        the whole table where it is wrong. Behind a function none is of use to it.
        """
        rows = everything.filter(pk__in=keys)
        for column, value in self.facets.items():
            name, _, lookup = column.partition("__")
            rows = rows.alias(**{f"{name}_plain": Coalesce(F(name), F(name))})
            rows = rows.filter(**{f"{name}_plain__{lookup or 'exact'}": value})
        at = Coalesce(F("created_at"), F("created_at"))
        order = (at.asc(), "id") if is_newer else (at.desc(), "-id")
        return rows.order_by(*order).values_list("pk", flat=True)

    def _with_text(self, rows: QuerySet) -> QuerySet:
        if not self.text:
            return rows
        return rows.alias(words_plain=Coalesce(F("words"), F("words"))).filter(
            words_plain__contains=search.folded(self.text)
        )


@dataclass
class Batches:
    """Batches that meet a condition. There are few enough to go through them all."""

    condition: Q
    known: int | None = field(default=None, init=False)

    @planned_each_time()
    def take(self, place: Place | None, *, is_newer: bool, limit: int) -> Found:
        """As paging.Source has it."""
        rows = in_order(Batch.objects.filter(self.condition), place, is_newer=is_newer)
        found = list(rows[:limit])
        if place is None and len(found) < limit:
            self.known = len(found)
        return Found(found)

    @planned_each_time()
    def count(self, most: int) -> int:
        """How many there are, or `most` if there are more."""
        return Batch.objects.filter(self.condition).order_by()[:most].count() if self.known is None else self.known


def _fetch(keys: Iterable[Any]) -> list[Prediction]:
    return list(Prediction.objects.filter(pk__in=list(keys)).defer("words"))


def _place_of_last(rows: QuerySet) -> Place | None:
    """The place of the last row that is looked at, or None if these are all."""
    last = rows.values_list("created_at", "id")[LOOK_ROWS - 1 : LOOK_ROWS + 1]
    return Place(*last[0]) if len(last) == 2 else None
