"""Pictures of a batch's predictions, as plain numbers for a template to draw: percent of the picture's width or height."""

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
        Column(i * width, width, 100 * count / top, 100 - 100 * count / top, f"{edges[i]:.4g} to {edges[i + 1]:.4g}: {count} rows")
        for i, count in enumerate(counts)
    ]
    most = counts.index(top)
    of = _axis(version, given["of"])
    words = f"{of}, from {edges[0]:.4g} to {edges[-1]:.4g}; most rows ({top}) lie between {edges[most]:.4g} and {edges[most + 1]:.4g}"
    return Histogram(of, columns, edges[0], edges[-1], top, words)


def _axis(version: ModelVersion, of: str) -> str:
    if of.startswith("probability of "):
        return f"Probability of {version.class_word(of.removeprefix('probability of '))}"
    model = version.model
    return f"{model.result_label} ({model.target_unit})" if model.target_unit else model.result_label
