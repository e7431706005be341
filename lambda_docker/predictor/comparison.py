"""How far two answers to one row lie apart."""

import math
from collections.abc import Iterator
from typing import Any

from predictor.engines import Answers

# Below this a difference is measured by itself: near nought every rounding is large beside the number.
_NEAR_NOUGHT = 1e-3


def largest_difference(first: Answers, second: Answers) -> float:
    """The largest difference between numbers in the same place, as a share of their size; 0.0 where there are none."""
    pairs = zip(_numbers(first), _numbers(second), strict=False)
    return max((_difference(one, other) for one, other in pairs), default=0.0)


def _numbers(answers: Answers) -> Iterator[float]:
    for listed in (answers.values, answers.probabilities, answers.scores):
        yield from _flat(listed or [])


def _flat(listed: list[Any]) -> Iterator[float]:
    for entry in listed:
        if isinstance(entry, list):
            yield from _flat(entry)
        else:
            yield entry


def _difference(one: float, other: float) -> float:
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    difference = abs(one - other) / max(abs(one), abs(other), _NEAR_NOUGHT)
    return difference if math.isfinite(difference) else math.inf
