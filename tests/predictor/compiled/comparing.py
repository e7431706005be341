"""The walker beside scikit-learn: every row is either handed over or answered alike."""

import json
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from predictor.compiled.numbers import unpack
from predictor.compiled.reading import Walker
from predictor.compiled.terms import HandOver
from predictor.compiled.writing import write
from predictor.description import Description, describe

EXTREMES = (1e308, -1e308, 1e39, -1e39, 3.4028235677973366e38, 1e-320, 0.0, -0.0, 1.0, -1.0)
_CLOSE = 1e-12
_EDGES_MAX = 12


@dataclass(frozen=True, slots=True)
class Data:
    """A small table with two targets. classes: of `labels`, in any of the types that scikit-learn takes"""

    table: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    seed: int


@st.composite
def data_sets(draw: st.DrawFn, *, classes: int | None = None, least: int = 1, positive: bool = False) -> Data:
    """Tables of 30 to 50 rows: measured numbers, counts with many ties, or both, in columns of unlike sizes."""
    seed, rows, columns = draw(st.integers(0, 2**20)), draw(st.integers(30, 50)), draw(st.integers(least, 5))
    kind, count = draw(st.sampled_from(("measured", "counted", "both"))), classes or draw(st.integers(2, 4))
    words = draw(st.sampled_from(("numbers", "texts", "truths")))
    random = np.random.default_rng(seed)
    table = random.normal(size=(rows, columns)) * 10.0 ** random.integers(-1, 3, columns)
    counted = range(columns) if kind == "counted" else range(0, columns, 2) if kind == "both" else ()
    for place in counted:
        table[:, place] = random.integers(-2, 4, rows)
    table = abs(table) if positive else table
    spread = table.std(axis=0) + 1e-9
    values = (table / spread) @ random.normal(size=columns) + random.normal(size=rows) * 0.3
    codes = np.digitize(values, np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]))
    codes[:count] = range(count)
    if words == "texts":
        labels = np.array([f"class {code}" for code in range(count)])[codes]
    elif words == "truths" and count == 2:
        labels = codes == 1
    else:
        labels = codes * 3 - 2
    return Data(table, labels, values, seed)


class Compared:
    """A fitted estimator in both of its forms. is_exact: whether numbers must agree bit for bit"""

    def __init__(self, estimator: Any, *, is_exact: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.description: Description = describe(estimator)
        # A text in between: what is kept is a file.
        self.document = json.loads(json.dumps(write(estimator, features=self.description.features), allow_nan=False))
        self.walker = Walker(self.document, features=self.description.features, output=self.description.output)
        self._is_exact = is_exact

    def check(self, data: Data, *, answered: float = 0.7) -> None:
        """Compare all rows that are worth it.

        Args: answered: the least share of the training rows that the walker must answer by itself
        """
        ordinary = data.table[:15].tolist()
        scale = self.scale_of(ordinary)
        by_itself = sum(self.check_row(row, scale=scale) for row in ordinary)
        assert by_itself >= answered * len(ordinary), f"{by_itself} of {len(ordinary)} rows answered"
        for row in self._unusual(data):
            self.check_row(row, scale=scale)

    def check_row(self, row: Sequence[Any], *, scale: float = 1.0) -> bool:
        """Whether the walker answered by itself; what it answered is scikit-learn's answer."""
        try:
            got = self.walker.answer(row)
        except HandOver:
            return False
        self._require_same(got, self._ask(row), scale=scale, row=row)
        return True

    def check_rows(self, rows: Sequence[Sequence[Any]], *, scale: float = 1.0) -> int:
        """check_row for many, of which scikit-learn is asked at once; how many of them the walker answered."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answers = self.description.engine.predict(list(zip(*rows, strict=True)))
        except Exception:  # one of them is refused
            return sum(self.check_row(row, scale=scale) for row in rows)
        answered = 0
        for place, row in enumerate(rows):
            try:
                got = self.walker.answer(row)
            except HandOver:
                continue
            self._require_same(got, answers.one(place), scale=scale, row=row)
            answered += 1
        return answered

    def _require_same(self, got: dict[str, Any], wanted: dict[str, Any], *, scale: float, row: Sequence[Any]) -> None:
        assert got["label"] == wanted["label"] and type(got["label"]) is type(wanted["label"]), (row, got, wanted)
        for kind in ("value", "probabilities", "scores"):
            size = 1.0 if kind == "probabilities" else scale
            self._require_alike(got[kind], wanted[kind], scale=size, row=row)

    def _ask(self, row: Sequence[Any]) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.description.engine.predict([[value] for value in row]).one()

    def scale_of(self, rows: Iterable[Sequence[Any]]) -> float:
        """The largest number that scikit-learn gives for these rows."""
        numbers = [0.0]
        for row in rows:
            said = self._ask(row)
            numbers += [abs(number) for kind in ("value", "scores") for number in _flat(said[kind])]
        return max(numbers)

    def _require_alike(self, got: Any, wanted: Any, *, scale: float, row: Any) -> None:
        assert isinstance(got, list) == isinstance(wanted, list) and (got is None) == (wanted is None), (got, wanted)
        for one, other in zip(_flat(got), _flat(wanted), strict=True):
            reach = 0.0 if self._is_exact else _CLOSE * max(abs(one), abs(other), 1e-3 * scale)
            assert math.isfinite(one) and abs(one - other) <= reach, (row, got, wanted)

    def _unusual(self, data: Data) -> list[list[Any]]:
        random, base = np.random.default_rng(data.seed + 1), data.table[3].tolist()
        spread, width = data.table.std(axis=0) + 1e-9, data.table.shape[1]
        rows: list[list[Any]] = (data.table[:8] + random.normal(size=(8, width)) * spread).tolist()
        rows += (random.normal(size=(5, width)) * spread * 5).tolist()
        rows += [[extreme] * width for extreme in EXTREMES]
        rows += [_with(base, int(random.integers(width)), extreme) for extreme in (*EXTREMES, None)]
        rows.append([None] * width)
        edges = [(place, value) for place, value in edges_of(self.document["model"]) if place < width]
        random.shuffle(edges)
        for place, value in edges[:_EDGES_MAX]:
            for near in (value, *_neighbours(value)):
                rows.append(_with(base, int(place), near))
        return rows


def edges_of(entry: Any) -> list[tuple[int, float]]:
    """(column, value) at which something in a document changes its mind."""
    if isinstance(entry, list):
        return [edge for part in entry for edge in edges_of(part)]
    if not isinstance(entry, dict):
        return []
    edges = [edge for part in entry.values() for edge in edges_of(part)]
    if "thresholds" in entry and "features" in entry:
        pairs = zip(unpack(entry["features"]), unpack(entry["thresholds"]), strict=True)
        edges += [(place, value) for place, value in pairs if place >= 0 and math.isfinite(value)]
    if "edges" in entry:
        edges += [(place, value) for place, column in enumerate(entry["edges"]) for value in unpack(column)]
    return edges


def _neighbours(value: float) -> tuple[float, ...]:
    with np.errstate(all="ignore"):
        single = float(np.float32(value))
    around = (math.nextafter(value, math.inf), math.nextafter(value, -math.inf), single)
    return tuple(near for near in around if math.isfinite(near))


def _with(row: Sequence[Any], place: int, value: Any) -> list[Any]:
    return [*row[:place], value, *row[place + 1 :]]


def _flat(numbers: Any) -> list[float]:
    return [] if numbers is None else numbers if isinstance(numbers, list) else [numbers]
