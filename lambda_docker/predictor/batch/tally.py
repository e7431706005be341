"""What a part, and in the end a batch, counts: mergeable in any grouping, and JSON in between.

Source: docs/contract.md §4 (summary.json)
"""

import math
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

SHOWN_ROWS = 20
SHOWN_ERRORS = 20
SHOWN_LABELS = 50
PROBABILITY_BINS = 20
_MOST_BINS = 24


@dataclass
class Bins:
    """Counts of numbers in bins of width 2**exponent whose edges are multiples of it: any two parts' bins nest."""

    exponent: int | None = None
    counts: Counter[int] = field(default_factory=Counter)

    def add(self, numbers: npt.ArrayLike) -> None:
        array = np.asarray(numbers, dtype=np.float64)
        if not array.size:
            return
        exponent = _fitting_exponent(float(array.min()), float(array.max()))
        if self.exponent is not None:
            exponent = max(exponent, self.exponent)
        indices, counts = np.unique(np.floor(np.ldexp(array, -exponent)), return_counts=True)
        found = {int(index): int(count) for index, count in zip(indices, counts, strict=True)}
        self.merge(Bins(exponent=exponent, counts=Counter(found)))

    def merge(self, other: "Bins") -> None:
        if other.exponent is None:
            return
        if self.exponent is None:
            self.exponent = other.exponent
        self._coarsen(max(self.exponent, other.exponent))
        shift = (self.exponent or 0) - other.exponent
        for index, count in other.counts.items():
            self.counts[index >> shift] += count
        while max(self.counts) - min(self.counts) >= _MOST_BINS:
            self._coarsen(self.exponent + 1)

    def edges_and_counts(self) -> tuple[list[float], list[int]]:
        if self.exponent is None:
            return [], []
        low, high = min(self.counts), max(self.counts)
        edges = [_edge(index, self.exponent) for index in range(low, high + 2)]
        return edges, [self.counts[index] for index in range(low, high + 1)]

    def _coarsen(self, exponent: int) -> None:
        shift = exponent - (exponent if self.exponent is None else self.exponent)
        coarser: Counter[int] = Counter()
        for index, count in self.counts.items():
            coarser[index >> shift] += count
        self.exponent, self.counts = exponent, coarser


@dataclass
class Tally:
    """Counts over some rows. `histogram_of` names what the histogram shows; probabilities have 20 bins from 0 to 1.

    errors: {"row": from 1 among these rows, "line": of the file, "error"} for the first SHOWN_ERRORS
    """

    histogram_of: str | None = None
    rows: int = 0
    scored: int = 0
    blank_lines: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    bands: Counter[str] = field(default_factory=Counter)
    probabilities: list[int] = field(default_factory=lambda: [0] * PROBABILITY_BINS)
    values: Bins = field(default_factory=Bins)
    preview: list[list[str]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def add_probabilities(self, numbers: npt.NDArray[np.float64]) -> None:
        bins = np.minimum((numbers * PROBABILITY_BINS).astype(np.intp), PROBABILITY_BINS - 1)
        counts = np.bincount(bins, minlength=PROBABILITY_BINS).tolist()
        self.probabilities = [old + new for old, new in zip(self.probabilities, counts, strict=True)]

    def merge(self, later: "Tally") -> None:
        """Add the counts of the rows that follow."""
        self.histogram_of = self.histogram_of or later.histogram_of
        moved = [{**error, "row": error["row"] + self.rows} for error in later.errors]
        self.errors = (self.errors + moved)[:SHOWN_ERRORS]
        self.preview = (self.preview + later.preview)[:SHOWN_ROWS]
        self.rows += later.rows
        self.scored += later.scored
        self.blank_lines += later.blank_lines
        self.labels.update(later.labels)
        self.bands.update(later.bands)
        self.probabilities = [a + b for a, b in zip(self.probabilities, later.probabilities, strict=True)]
        self.values.merge(later.values)

    def distribution(self) -> dict[str, Any]:
        """Class counts, most frequent first, and the histogram, as the summary has them."""
        histogram = None
        if self.histogram_of == "prediction":
            edges, counts = self.values.edges_and_counts()
            histogram = {"of": self.histogram_of, "edges": edges, "counts": counts} if counts else None
        elif self.histogram_of is not None:
            edges = [number / PROBABILITY_BINS for number in range(PROBABILITY_BINS + 1)]
            histogram = {"of": self.histogram_of, "edges": edges, "counts": self.probabilities}
        classes = [[label, count] for label, count in self.labels.most_common(SHOWN_LABELS)]
        return {"classes": classes or None, "histogram": histogram, "bands": [*map(list, self.bands.items())] or None}

    def to_json(self) -> dict[str, Any]:
        return {
            "histogram_of": self.histogram_of,
            "rows": self.rows,
            "scored": self.scored,
            "blank_lines": self.blank_lines,
            "labels": dict(self.labels),
            "bands": dict(self.bands),
            "probabilities": self.probabilities,
            "values": {"exponent": self.values.exponent, "counts": list(self.values.counts.items())},
            "preview": self.preview,
            "errors": self.errors,
        }

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Tally":
        values = Bins(exponent=entry["values"]["exponent"], counts=Counter(dict(entry["values"]["counts"])))
        labels, bands = Counter(entry["labels"]), Counter(entry["bands"])
        return cls(**{**entry, "labels": labels, "bands": bands, "values": values})


def _edge(index: int, exponent: int) -> float:
    try:
        return math.ldexp(index, exponent)
    except OverflowError:
        # The bin that holds the largest floats ends beyond them.
        return math.copysign(sys.float_info.max, index)


def _fitting_exponent(low: float, high: float) -> int:
    """The least power of two by which the range falls into about _MOST_BINS bins, above what floats can tell apart."""
    finest = math.frexp(max(abs(low), abs(high)))[1] - 40
    spread = (high / 2 - low / 2) * 2 / _MOST_BINS if math.isfinite(high - low) else math.ldexp(1.0, 1020)
    return max(math.frexp(spread)[1] if spread > 0 else finest, finest, -1000)
