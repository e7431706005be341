"""A batch's answers as a template can draw them: bars and columns in percent of the picture, beside them the answers to
the model's own training data, where some are kept."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.registry.models import ModelVersion


@dataclass(frozen=True)
class Bar:
    """How many rows went to one class or band. `training` is the percentage in the training data, if that is known."""

    word: str
    count: int
    percent: float
    training: float | None = None
    tone: str = ""


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
    """A histogram: its columns, what is counted, the ends of the axis; the training data's outline as a path."""

    of: str
    columns: list[Column]
    low: float
    high: float
    highest_count: int
    words: str
    outline: str


def class_bars(version: ModelVersion, counted: Mapping[str, Any]) -> list[Bar]:
    """One bar a class, the largest first; empty where the model has no classes.

    Args: counted: a summary, or what is known of a batch under way
    """
    counts = _distribution(counted).get("classes") or []
    learned = dict(version.training_answers.get("labels") or [])
    bars = _bars(counts, learned)
    named = [replace(bar, word=version.class_word(bar.word)) for bar in bars]
    return sorted(named, key=lambda bar: -bar.count)


def band_bars(version: ModelVersion, counted: Mapping[str, Any]) -> list[Bar]:
    """One bar a band of wording, in the order of the bands."""
    tones = {band.label: band.tone for band in version.bands.all()}
    found = [version.band_for(number) for number in version.training_answers.get("numbers") or []]
    learned = Counter(band.label for band in found if band)
    bars = _bars(_distribution(counted).get("bands") or [], learned)
    return [replace(bar, tone=tones.get(bar.word, "neutral")) for bar in bars]


def histogram(version: ModelVersion, counted: Mapping[str, Any]) -> Histogram | None:
    """The histogram of a summary, or of what is known so far; None where there is none."""
    given = _distribution(counted).get("histogram")
    if not given or not sum(given["counts"]):
        return None
    edges, counts = given["edges"], given["counts"]
    learned = _in_bins(version.training_answers.get("numbers") or [], edges)
    shares, learned_shares = _shares(counts), _shares(learned, of=len(version.training_answers.get("numbers") or []))
    top, width = max(*shares, *learned_shares), 100 / len(counts)
    columns = [
        Column(
            i * width,
            width,
            100 * share / top,
            100 - 100 * share / top,
            f"{edges[i]:.4g} to {edges[i + 1]:.4g}: {counts[i]} rows",
        )
        for i, share in enumerate(shares)
    ]
    of = _axis(version, given["of"])
    words = f"{of}, from {edges[0]:.4g} to {edges[-1]:.4g}; {_most(counts, edges, 'rows')}"
    outline = ""
    if sum(learned):
        words += f"; of the training data, {_most(learned, edges, 'rows')}"
        outline = _outline([100 - 100 * share / top for share in learned_shares], width)
    return Histogram(of, columns, edges[0], edges[-1], max(counts), words, outline)


def _distribution(counted: Mapping[str, Any]) -> Mapping[str, Any]:
    return counted.get("distribution") or {}


def _bars(counts: Sequence[Sequence[Any]], learned: Mapping[str, int]) -> list[Bar]:
    total, learned_total = sum(count for _, count in counts) or 1, sum(learned.values())
    return [
        Bar(
            str(name),
            count,
            100 * count / total,
            100 * learned.get(str(name), 0) / learned_total if learned_total else None,
        )
        for name, count in counts
    ]


def _in_bins(numbers: Sequence[float], edges: Sequence[float]) -> list[int]:
    """How many numbers lie in each bin; those beyond the ends are in none."""
    counts = [0] * (len(edges) - 1)
    for number in numbers:
        if edges[0] <= number <= edges[-1]:
            counts[min(bisect_right(edges, number) - 1, len(counts) - 1)] += 1
    return counts


def _shares(counts: Sequence[int], *, of: int | None = None) -> list[float]:
    total = (sum(counts) if of is None else of) or 1
    return [count / total for count in counts]


def _most(counts: Sequence[int], edges: Sequence[float], what: str) -> str:
    top = max(counts)
    most = list(counts).index(top)
    return f"most {what} ({top}) lie between {edges[most]:.4g} and {edges[most + 1]:.4g}"


def _outline(heights: Sequence[float], width: float) -> str:
    """A path along the tops of the columns, from the ground on the left to the ground on the right."""
    steps = "".join(f"V{height:.3f}H{(i + 1) * width:.3f}" for i, height in enumerate(heights))
    return f"M0,100{steps}V100"


def _axis(version: ModelVersion, of: str) -> str:
    if of.startswith("probability of "):
        return f"Probability of {version.class_word(of.removeprefix('probability of '))}"
    model = version.model
    return f"{model.result_label} ({model.target_unit})" if model.target_unit else model.result_label
