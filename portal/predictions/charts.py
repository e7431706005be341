"""A batch's result as a template can draw it: bars and columns in percent of the picture, and the preview's cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.registry.models import ModelVersion


@dataclass(frozen=True)
class ClassBar:
    """How many rows went to one class."""

    word: str
    count: int
    percent: float


@dataclass(frozen=True)
class Column:
    """One column of a histogram; x, width, height in percent, from the lower left."""

    x: float
    width: float
    height: float
    y: float
    title: str


@dataclass(frozen=True)
class Histogram:
    """A histogram: its columns, what is counted, and the ends of the axis."""

    of: str
    columns: list[Column]
    low: float
    high: float
    highest_count: int
    words: str


def class_bars(version: ModelVersion, summary: dict[str, Any]) -> list[ClassBar]:
    """One bar a class, the largest first; empty where the model has no classes."""
    counts = (summary.get("distribution") or {}).get("classes") or []
    total = sum(count for _, count in counts) or 1
    bars = [ClassBar(version.class_word(name), count, 100 * count / total) for name, count in counts]
    return sorted(bars, key=lambda bar: -bar.count)


def histogram(version: ModelVersion, summary: dict[str, Any]) -> Histogram | None:
    """The histogram of the summary, or None where there is none."""
    given = (summary.get("distribution") or {}).get("histogram")
    if not given or not sum(given["counts"]):
        return None
    edges, counts = given["edges"], given["counts"]
    top, width = max(counts), 100 / len(counts)
    columns = [
        Column(
            i * width,
            width,
            100 * count / top,
            100 - 100 * count / top,
            f"{edges[i]:.4g} to {edges[i + 1]:.4g}: {count} rows",
        )
        for i, count in enumerate(counts)
    ]
    most = counts.index(top)
    of = _axis(version, given["of"])
    span = f"{of}, from {edges[0]:.4g} to {edges[-1]:.4g}"
    words = f"{span}; most rows ({top}) lie between {edges[most]:.4g} and {edges[most + 1]:.4g}"
    return Histogram(of, columns, edges[0], edges[-1], top, words)


@dataclass(frozen=True)
class Cell:
    """A cell of the preview. Added numbers are rounded, with `exact` beside them; original cells stay as they are."""

    shown: str
    exact: str
    is_added: bool
    is_number: bool


def preview(summary: dict[str, Any]) -> list[list[Cell]]:
    """The first rows of the result, cell by cell: what was added comes first here, since it is what one looks for."""
    originals = len(summary.get("columns") or [])
    rows = [[_cell(cell, i >= originals) for i, cell in enumerate(cells)] for cells in summary.get("preview") or []]
    return [cells[originals:] + cells[:originals] for cells in rows]


def _cell(written: Any, is_added: bool) -> Cell:
    text = "" if written is None else str(written)
    try:
        number = float(text)
    except ValueError:
        return Cell(text, "", is_added, is_number=False)
    short = f"{number:.4f}" if abs(number) < 1 else f"{number:.4g}"  # probabilities line up
    if not is_added or len(short) >= len(text) or abs(number) >= 1e4:
        return Cell(text, "", is_added, is_number=True)
    return Cell(short, text, is_added, is_number=True)


def _axis(version: ModelVersion, of: str) -> str:
    if of.startswith("probability of "):
        return f"Probability of {version.class_word(of.removeprefix('probability of '))}"
    model = version.model
    return f"{model.result_label} ({model.target_unit})" if model.target_unit else model.result_label
