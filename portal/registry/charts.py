"""Answers side by side as a template can draw them: marks in percent of the picture's width."""

from __future__ import annotations

import math
from dataclasses import dataclass

from portal.registry.side_by_side import AnsweredRow, Said, SideBySide

MARGIN = 4.0  # percent on either side, so that marks at the ends are whole
STEPS = (1, 2, 2.5, 5, 10)
MOST_STEPS = 4
MOST_PLACES = 5


@dataclass(frozen=True)
class Tick:
    x: float
    text: str


@dataclass(frozen=True)
class Dumbbell:
    """One row: where its two marks are (None: nowhere), and what stands beside them."""

    row: AnsweredRow
    before_x: float | None
    after_x: float | None
    words: str
    numbers: str


@dataclass(frozen=True)
class Picture:
    """The rows on one scale: of numbers, or a place for each answer."""

    dumbbells: list[Dumbbell]
    ticks: list[Tick]


def draw(found: SideBySide) -> Picture:
    """Lay the answers out."""
    if not found.of:
        return _draw_labels(found)
    low, high, step = _scale(found)

    def place(said: Said | None) -> float | None:
        if said is None or said.number is None:
            return None
        return MARGIN + (100 - 2 * MARGIN) * (said.number - low) / (high - low)

    marks = [low + i * step for i in range(round((high - low) / step) + 1)]
    return Picture(
        [Dumbbell(row, place(row.before), place(row.after), _words(found, row), _numbers(row)) for row in found.rows],
        [Tick(place(Said(number=mark)) or 0, f"{mark + 0.0:.6g}") for mark in marks],
    )


def _draw_labels(found: SideBySide) -> Picture:
    """A place for each answer; where there are too many for that, one side for each version."""
    said = [one for row in found.rows for one in (row.before, row.after) if one and not one.error]
    words = {one.label: one.word for one in sorted(said, key=lambda one: one.label)}
    width = 100 / max(1, len(words))
    places = {label: width * (i + 0.5) for i, label in enumerate(words)}
    ticks = [Tick(places[label], word) for label, word in words.items()]
    if len(words) > MOST_PLACES:
        return Picture([Dumbbell(row, *_sides(row), _words(found, row), "") for row in found.rows], [])

    def place(one: Said | None) -> float | None:
        return places.get(one.label) if one and not one.error else None

    dumbbells = [Dumbbell(row, place(row.before), place(row.after), _words(found, row), "") for row in found.rows]
    return Picture(dumbbells, ticks)


def _sides(row: AnsweredRow) -> tuple[float | None, float | None]:
    before = None if row.before is None or row.before.error else MARGIN
    return before, None if row.after.error else 100 - MARGIN


def _scale(found: SideBySide) -> tuple[float, float, float]:
    """Lowest, highest and step: round numbers around all values. Probabilities have the whole of theirs."""
    if found.has_shares:
        return 0.0, 1.0, 0.25
    numbers = [
        said.number for row in found.rows for said in (row.before, row.after) if said and said.number is not None
    ]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    spread = high - low or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(spread / MOST_STEPS))
    step = next(step * size for step in STEPS if spread / (step * size) <= MOST_STEPS)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    return bottom, top if top > bottom else bottom + step, step


def _words(found: SideBySide, row: AnsweredRow) -> str:
    sides = ((found.before, row.before), (found.after, row.after))
    silent = [f"version {version.number}" for version, said in sides if version and said and said.error]
    if silent:
        return f"no answer from {' and '.join(silent)}"
    return f"{row.before.word} → {row.after.word}" if row.before and row.is_other_label else row.after.word


def _numbers(row: AnsweredRow) -> str:
    was, now = (_short(said.number if said else None) for said in (row.before, row.after))
    if was and now and was != now:
        return f"{was} → {now}"
    return now or was


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.2f}" if abs(number) < 1 else f"{number:.4g}"
