"""The numbers that trees compare a model's inputs with, behind whatever was done to the inputs before."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from predictor.compiled.numbers import unpack

_THRESHOLDS_AN_INPUT = 40

# A column that is an input, after steps (divide, add) that undo what was done to it; None for any other one.
_Source = tuple[int, tuple[tuple[float, float], ...]] | None


def thresholds_of(model: Mapping[str, Any], count: int) -> Iterator[tuple[int, float]]:
    """What trees compare some of the `count` inputs with: (place of the input, number), some for each."""
    return _thresholds(model, [(place, ()) for place in range(count)])


def _thresholds(entry: Mapping[str, Any], sources: list[_Source]) -> Iterator[tuple[int, float]]:
    if "thresholds" in entry:
        yield from _of_trees(entry, sources)
    for step in entry.get("steps", ()):
        yield from _thresholds(step, sources)
        sources = _after(step, sources)


def _of_trees(entry: Mapping[str, Any], sources: list[_Source]) -> Iterator[tuple[int, float]]:
    seen: dict[int, int] = {}
    for feature, threshold in zip(unpack(entry["features"]), unpack(entry["thresholds"]), strict=True):
        source = sources[feature] if 0 <= feature < len(sources) else None
        if source is None or seen.setdefault(source[0], 0) >= _THRESHOLDS_AN_INPUT:
            continue
        seen[source[0]] += 1
        for scale, mean in reversed(source[1]):
            threshold = threshold * scale + mean  # noqa: PLW2901  # it is taken back step by step
        if math.isfinite(threshold):
            yield source[0], threshold


def _after(step: Mapping[str, Any], sources: list[_Source]) -> list[_Source]:
    """Where the columns behind a transform come from, as far as is known; there may be more columns than are listed."""
    if not sources:
        return []
    if step["op"] == "pass" or step["op"] == "impute" and "told" not in step and len(step["columns"]) == len(sources):
        return sources
    if step["op"] == "pipeline":
        for inner in step["steps"]:
            sources = _after(inner, sources)
        return sources
    if step["op"] == "scale":
        scales = unpack(step["divide"]) if "divide" in step else [1.0] * len(sources)
        means = unpack(step["subtract"]) if "subtract" in step else [0.0] * len(sources)
        return [
            None if source is None else (source[0], (*source[1], (scale, mean)))
            for source, scale, mean in zip(sources, scales, means, strict=False)
        ]
    if step["op"] == "select":
        return [sources[place] if place < len(sources) else None for place in unpack(step["columns"])]
    if step["op"] == "columns":
        return list(_dealt(step["parts"], sources))
    return []


def _dealt(parts: Iterable[Mapping[str, Any]], sources: list[_Source]) -> Iterator[_Source]:
    for part in parts:
        picked = [sources[place] if place < len(sources) else None for place in part["columns"]]
        of = part["of"]
        if of["op"] == "one_hot":
            width = sum(map(len, of["categories"])) - sum(place is not None for place in of["dropped"])
            yield from [None] * width
        elif of["op"] == "ordinal" or "weight" in part and of["op"] in ("pass", "scale"):
            yield from [None] * len(picked)
        else:
            after = _after(of, picked) if "weight" not in part else []
            yield from after
            # How many columns it makes is not known, and so not what stands where from here on.
            if len(after) != len(picked):
                return
