"""What the live version and the one that is to follow it say to the same golden rows, asked just now.

Golden rows are inputs that a version answered when it was checked: docs/contract.md section 5.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from statistics import median
from typing import Any

from portal.gateways import inference
from portal.gateways.contract import Output
from portal.registry.models import ModelVersion

MOST_ROWS = 20
MOST_CHANGES_TOLD = 3
# As in the function's own comparison: other processors differ in last digits, which nobody acts on.
TOLERANCE = {"rel_tol": 1e-9, "abs_tol": 1e-12}

Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """One version's answer to a row: a class with its word, a number that can be drawn, or why there is neither."""

    label: str = ""
    word: str = ""
    number: float | None = None
    error: str = ""


@dataclass(frozen=True)
class AnsweredRow:
    """A row and what both versions say to it. `before` is None where no version is live yet."""

    number: int
    inputs: Row
    before: Said | None
    after: Said

    @property
    def has_both(self) -> bool:
        return self.before is not None and not self.before.error and not self.after.error

    @property
    def is_other_label(self) -> bool:
        return self.before is not None and self.has_both and self.before.label != self.after.label

    @property
    def move(self) -> float | None:
        """How far the number went, never negative; None where there are not two."""
        if self.before is None or self.before.number is None or self.after.number is None:
            return None
        return abs(self.after.number - self.before.number)

    @property
    def is_moved(self) -> bool:
        before = self.before.number if self.before else None
        after = self.after.number
        return before is not None and after is not None and not math.isclose(before, after, **TOLERANCE)

    @property
    def keeps_answer(self) -> bool:
        """The same class; where there are no classes, the same number."""
        return self.has_both and not self.is_other_label and bool(self.after.label or not self.is_moved)


@dataclass(frozen=True)
class SideBySide:
    """Golden rows with both answers. `of` says what the numbers are, empty where there are none."""

    before: ModelVersion | None
    after: ModelVersion
    rows: list[AnsweredRow]
    of: str

    @property
    def has_shares(self) -> bool:
        """Are the numbers probabilities?"""
        return bool(self.of) and self.after.output.type != "regression"

    @property
    def words(self) -> str:
        """The picture in one sentence."""
        return _tell_changes(self) if self.before else _tell_answers(self)


def set_side_by_side(before: ModelVersion | None, after: ModelVersion) -> SideBySide | None:
    """Ask both versions their golden rows; where none is live, take the new one's answers from its check.

    Returns: None where neither has golden rows
    Raises:  GatewayError, BadInput, Refused: one of them cannot be asked
    """
    if before is None:
        golden = after.manifest.get("golden") or []
        answers = [{"prediction": trial["prediction"]} for trial in golden]
        return _pair(None, after, [(trial["row"], trial["row"]) for trial in golden], answers, answers)
    pairs = _choose_rows(before, after)
    if not pairs:
        return None
    old, new = ([pair[side] for pair in pairs] for side in (0, 1))
    return _pair(before, after, pairs, _ask(before, old), _ask(after, new))


def _choose_rows(before: ModelVersion, after: ModelVersion) -> list[tuple[Row, Row]]:
    """Golden rows of both, in turn, each as the old and as the new version takes it; no pair twice."""
    golden = (version.manifest.get("golden") or [] for version in (after, before))
    chosen: dict[str, tuple[Row, Row]] = {}
    for trial in chain.from_iterable(zip_longest(*golden)):
        if trial is not None and len(chosen) < MOST_ROWS:
            pair = _fit(trial["row"], before), _fit(trial["row"], after)
            chosen.setdefault(json.dumps(pair, sort_keys=True), pair)
    return list(chosen.values())


def _fit(row: Mapping[str, Any], version: ModelVersion) -> Row:
    """The row for this version: what it lacks left out, what it has more at its default."""
    return {
        feature["name"]: row.get(feature["name"], feature.get("default")) for feature in version.manifest["features"]
    }


def _ask(version: ModelVersion, rows: list[Row]) -> list[dict[str, Any]]:
    return inference.answer_rows(slug=version.model.slug, number=version.number, sha256=version.sha256, rows=rows)


def _pair(
    before: ModelVersion | None,
    after: ModelVersion,
    pairs: list[tuple[Row, Row]],
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
) -> SideBySide | None:
    if not pairs:
        return None
    first = before or after
    has_numbers = _is_drawn_alike(first.output, after.output)
    rows = []
    for i, ((_, inputs), was, now) in enumerate(zip(pairs, old, new, strict=True), start=1):
        of_class = _followed_class(first.output, was.get("prediction") or {}) if has_numbers else None
        read = [
            _read(output, answer, after, of_class=of_class, has_number=has_numbers)
            for output, answer in ((first.output, was), (after.output, now))
        ]
        rows.append(AnsweredRow(i, inputs, read[0] if before else None, read[1]))
    return SideBySide(before, after, rows, _name_numbers(first) if has_numbers else "")


def _is_drawn_alike(one: Output, other: Output) -> bool:
    """Have both numbers that mean the same?"""
    if "regression" in (one.type, other.type):
        return one.type == other.type
    return one.has_probabilities and other.has_probabilities


def _followed_class(output: Output, prediction: Mapping[str, Any]) -> str | None:
    """The class whose probability is drawn: the last of two, else the one that the first version answers."""
    if output.type == "binary":
        return str(output.classes[-1])
    return None if prediction.get("label") is None else str(prediction["label"])


def _read(
    output: Output, answer: Mapping[str, Any], version: ModelVersion, *, of_class: str | None, has_number: bool
) -> Said:
    prediction = answer.get("prediction")
    if prediction is None:
        return Said(error=str(answer.get("error") or "It gave no answer."))
    if output.type == "regression":
        value = float(prediction["value"])
        return Said(number=value) if has_number else Said(label=repr(value), word=f"{value:.4g}")
    label = str(prediction["label"])
    names = [str(name) for name in output.classes]
    number = prediction["probabilities"][names.index(of_class)] if has_number and of_class in names else None
    return Said(label, version.class_word(label), number)


def _name_numbers(version: ModelVersion) -> str:
    model, output = version.model, version.output
    if output.type == "regression":
        return f"{model.result_label} ({model.target_unit})" if model.target_unit else model.result_label
    if output.type == "binary":
        return f"Probability of {version.class_word(output.classes[-1])}"
    return f"Probability of the answer that version {version.number} gives"


def _tell_changes(found: SideBySide) -> str:
    rows = found.rows
    what = "number" if found.of and not found.has_shares else "answer"
    parts = [_tell_kept(sum(row.keeps_answer for row in rows), len(rows), what)]
    moved = [row for row in rows if row.is_moved]
    if what == "number" and len(moved) > 1:
        parts.append(f"half of them move by {_short(median(row.move or 0 for row in rows if row.has_both))} or less")
    if moved:
        farthest = max(moved, key=lambda row: row.move or 0)
        parts.append(f"the largest move is {_short(farthest.move)}, for row {farthest.number}")
    elif any(row.move is not None for row in rows):
        parts.append("no number moves")
    parts += _tell_labels(rows)
    for version, said in ((found.before, [row.before for row in rows]), (found.after, [row.after for row in rows])):
        if version and (failed := sum(1 for one in said if one and one.error)):
            parts.append(f"version {version.number} cannot answer {_rows(failed)}")
    return "; ".join(parts) + "."


def _tell_kept(kept: int, rows: int, what: str) -> str:
    if rows == 1:
        return f"The only row {'keeps' if kept else 'does not keep'} its {what}"
    if kept == rows:
        return f"All {rows} rows keep their {what}"
    return f"{kept or 'None'} of {rows} rows {'keeps its' if kept == 1 else 'keep their'} {what}"


def _tell_labels(rows: list[AnsweredRow]) -> list[str]:
    changes = Counter((row.before.word, row.after.word) for row in rows if row.before and row.is_other_label)
    told = changes.most_common(MOST_CHANGES_TOLD)
    parts = [f"{_rows(count)} {_change(count)} from {was} to {now}" for (was, now), count in told]
    if others := changes.total() - sum(count for _, count in told):
        parts.append(f"{_rows(others)} {_change(others)} otherwise")
    return parts


def _tell_answers(found: SideBySide) -> str:
    answers = [row.after for row in found.rows]
    said = f"When it was checked, version {found.after.number} answered {_rows(len(answers))}"
    numbers = [answer.number for answer in answers if answer.number is not None]
    if numbers and not answers[0].label:
        return f"{said}, from {_short(min(numbers))} to {_short(max(numbers))}."
    counts = Counter(answer.word for answer in answers).most_common()
    return f"{said}: {_join(f'{count} with {word}' for word, count in counts)}."


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _change(count: int) -> str:
    return "changes" if count == 1 else "change"


def _join(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _short(number: float | None) -> str:
    return f"{number:.2g}" if number and abs(number) < 1 else f"{number or 0:.4g}"
