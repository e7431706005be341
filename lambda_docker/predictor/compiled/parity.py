"""The gate: tables are used only where they answer as scikit-learn does, row by row, refusals included.

Rows: the golden ones, varied ones, ones on every threshold that a tree compares an input with and the floats beside
it, ones with gaps, and one extreme number at a time. Trees must answer bit for bit. Elsewhere numbers may differ by
1e-12 of their size, or of the largest that the model gave for ordinary rows: numpy's own last digits depend on the
processor. A row whose tables hand over is scikit-learn's, and so equal.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from predictor import trial_rows
from predictor.compiled.reading import Walker
from predictor.compiled.terms import TEXT_MAX_CHARACTERS, CannotCompile, HandOver
from predictor.compiled.thresholds import thresholds_of
from predictor.compiled.writing import write
from predictor.engines import Answers

TOLERANCE = 1e-12

_VARIED, _WIDE = 100, 40
_CHOICES_AN_INPUT, _EXTREME_ROWS = 20, 200
_EXTREMES = (0.0, -0.0, 1e-320, -1e-320, 3.4e38, -3.4e38, 3.5e38, -3.5e38, 1e300, -1e300)
# What the gate may take of the check's time.
_SECONDS = 20.0
_OTHERWISE = "its tables answer otherwise than scikit-learn does"
_TREES = ("forest_classifier", "forest_regressor", "xgboost_classifier", "xgboost_regressor")

Row = list[Any]
Prediction = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A document that passed.

    rows: compared; largest_difference: as a share, see above; handed_over: rows beside those that were compared
    worst_row: where the largest difference was, None where there was none
    """

    text: str
    rows: int
    largest_difference: float
    milliseconds: float
    handed_over: int = 0
    worst_row: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the manifest has it, but for the checksum."""
        return {
            "rows": self.rows,
            "largest_difference": self.largest_difference,
            "milliseconds": round(self.milliseconds, 4),
            "reason": None,
            "row": None,
        }


@dataclass(frozen=True, slots=True)
class NotCompiled:
    """Why a model is served in full, as the end of a sentence; row: the one whose answers differ."""

    reason: str
    row: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {"rows": 0, "largest_difference": None, "milliseconds": None, "reason": self.reason, "row": self.row}


def compile_model(
    description: Any, *, golden: Sequence[Mapping[str, Any]], single_milliseconds: float
) -> Compiled | NotCompiled:
    """Write a described model as tables and compare them. Args: golden, single_milliseconds: as the trials found."""
    features, output = description.features, description.output
    if not golden:
        return NotCompiled("its answers are not repeatable, so that nothing can be compared")
    if output.type == "labels":
        return NotCompiled("it gives labels alone")
    try:
        document = write(description.model, features=features)
        text = json.dumps(document, allow_nan=False, separators=(",", ":"))
        if len(text) > TEXT_MAX_CHARACTERS:
            raise CannotCompile(f"its tables have more than {TEXT_MAX_CHARACTERS / 1e6:.0f} MB")
        # As it will be read.
        walker = Walker(json.loads(text), features=features, output=output)
    except (CannotCompile, ValueError, RecursionError) as problem:
        said = str(problem) if isinstance(problem, CannotCompile) else "its tables cannot be written"
        return NotCompiled(said)
    own = [[entry["row"][feature.name] for feature in features] for entry in golden]
    milliseconds = _time(walker, own)
    if milliseconds > single_milliseconds:
        return NotCompiled("scikit-learn is faster at it")
    return _Comparison(description, walker, document).run(own, text=text, milliseconds=milliseconds)


class _Comparison:
    def __init__(self, description: Any, walker: Walker, document: Mapping[str, Any]) -> None:
        self._description, self._walker, self._document = description, walker, document
        self._tolerance = 0.0 if _final(document["model"]) in _TREES else TOLERANCE
        self._size = 0.0

    def run(self, golden: Sequence[Row], *, text: str, milliseconds: float) -> Compiled | NotCompiled:
        ends, compared, worst, answered = time.monotonic() + _SECONDS, 0, 0.0, 0
        handed_over, worst_row = 0, None
        names = [feature.name for feature in self._description.features]
        for number, rows in enumerate(self._groups(golden)):
            expectations = self._ask_all(rows)
            if number == 0:
                self._size = max((abs(one) for expected in expectations for one in numbers_of(expected)), default=0.0)
            for row, expected in zip(rows, expectations, strict=True):
                difference = self._compare(row, expected)
                if difference is None:
                    handed_over += 1
                    continue
                if difference > self._tolerance:
                    return NotCompiled(_OTHERWISE, row=dict(zip(names, row, strict=True)))
                if difference > worst:
                    worst, worst_row = difference, dict(zip(names, row, strict=True))
                compared += 1
            answered = compared if number == 0 else answered
            if time.monotonic() > ends:
                break
        if 2 * answered < len(golden):
            return NotCompiled("its tables answer too few rows")
        return Compiled(text, compared, worst, milliseconds, handed_over=handed_over, worst_row=worst_row)

    def _groups(self, golden: Sequence[Row]) -> Iterator[list[Row]]:
        """Rows to ask at once; those that a model may well refuse, and with them all others, are alone."""
        yield list(golden)
        yield list(self._varied())
        yield list(self._on_thresholds(golden[0]))
        yield list(self._with_gaps(golden[0]))
        yield from ([row] for row in islice(self._with_extremes(golden[0]), _EXTREME_ROWS))

    def _compare(self, row: Row, expected: Prediction | None) -> float | None:
        """How far the tables' answer lies from the expected one; None where they hand over."""
        try:
            found = self._walker.answer(row)
        except HandOver:
            return None
        return math.inf if expected is None else self._difference(found, expected)

    def _ask_all(self, rows: Sequence[Row]) -> Sequence[Prediction | None]:
        if len(rows) < 2:
            return [self._ask(row) for row in rows]
        try:
            answers: Answers = self._description.engine.predict(list(zip(*rows, strict=True)))
        except Exception:  # below it is found out for which row
            return [self._ask(row) for row in rows]
        return [answer if _is_finite(answer) else None for answer in map(answers.one, range(len(rows)))]

    def _ask(self, row: Row) -> Prediction | None:
        """scikit-learn's answer to the row alone; None where it refuses, or has no finite number."""
        try:
            answer: Prediction = self._description.engine.predict([[value] for value in row]).one()
        except Exception:  # raising is a model's way to say no
            return None
        return answer if _is_finite(answer) else None

    def _difference(self, found: Prediction, expected: Prediction) -> float:
        if found["label"] != expected["label"] or type(found["label"]) is not type(expected["label"]):
            return math.inf
        mine, theirs = numbers_of(found), numbers_of(expected)
        if len(mine) != len(theirs):
            return math.inf
        return max((share_of(*pair, size=self._size) for pair in zip(mine, theirs, strict=True)), default=0.0)

    def _varied(self) -> Iterator[Row]:
        features, hints = self._description.features, self._description.inputs.hints
        for number in range(_VARIED):
            yield trial_rows.vary(features, hints, number)
        for number in range(_WIDE):
            row = trial_rows.vary(features, hints, number)
            yield [value * 50.0 if isinstance(value, float) else value for value in row]

    def _on_thresholds(self, usual: Row) -> Iterator[Row]:
        """Values on which trees part their rows, and the floats beside them."""
        features = self._description.features
        for place, threshold in thresholds_of(self._document["model"], len(features)):
            if features[place].kind in ("number", "integer"):
                for number in (threshold, math.nextafter(threshold, -math.inf), math.nextafter(threshold, math.inf)):
                    yield _changed(usual, place, number)

    def _with_gaps(self, usual: Row) -> Iterator[Row]:
        """One value missing, all that may be, and every choice."""
        features = self._description.features
        for place, feature in enumerate(features):
            if feature.accepts_missing:
                yield _changed(usual, place, None)
            if feature.kind == "choice":
                yield from (_changed(usual, place, choice) for choice in islice(feature.choices, _CHOICES_AN_INPUT))
        if any(feature.accepts_missing for feature in features):
            yield [None if feature.accepts_missing else value for feature, value in zip(features, usual, strict=True)]

    def _with_extremes(self, usual: Row) -> Iterator[Row]:
        for number in _EXTREMES:
            for place, feature in enumerate(self._description.features):
                if feature.kind in ("number", "integer"):
                    yield _changed(usual, place, number)


def _is_finite(prediction: Prediction) -> bool:
    return all(map(math.isfinite, numbers_of(prediction)))


def _changed(row: Row, place: int, value: Any) -> Row:
    return [*row[:place], value, *row[place + 1 :]]


def share_of(one: float, other: float, *, size: float) -> float:
    """How far two numbers are apart, as a share of the larger, or of the model's ordinary size."""
    return 0.0 if one == other else abs(one - other) / max(abs(one), abs(other), size)


def numbers_of(prediction: Prediction | None) -> list[float]:
    """All of a prediction's numbers, in their order."""
    if prediction is None:
        return []
    found: list[float] = []
    for name in ("value", "probabilities", "scores"):
        entry = prediction[name]
        found += entry if isinstance(entry, list) else [] if entry is None else [entry]
    return found


def _time(walker: Walker, rows: Sequence[Row]) -> float:
    """Milliseconds that a row takes, the best of some."""
    best = math.inf
    for row in [*rows, *rows][:40]:
        began = time.perf_counter()
        try:
            walker.answer(row)
        except HandOver:
            continue
        best = min(best, time.perf_counter() - began)
    return best * 1000 if best < math.inf else 0.0


def _final(entry: Mapping[str, Any]) -> str:
    """The operation that answers."""
    return _final(entry["steps"][-1]) if entry.get("steps") else str(entry["op"])
