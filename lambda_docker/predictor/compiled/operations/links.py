"""What numbers become at the end of a walk: links, and which is the largest."""

import math
from collections.abc import Callable, Sequence

from predictor.compiled.terms import HandOver


def largest(numbers: Sequence[float]) -> int:
    """Where the first of the largest numbers stands, as numpy.argmax says."""
    return numbers.index(max(numbers))


def finite(number: float) -> float:
    """The number. Raises: HandOver: it is none, as from a missing value, which scikit-learn refuses in its words."""
    if number - number != 0.0:
        raise HandOver
    return number


def expit(value: float) -> float:
    """1 / (1 + e^-x), as scipy has it."""
    try:
        return 1.0 / (1.0 + math.exp(-value))
    except OverflowError:
        # There numpy has infinity, and so nought.
        return 0.0


def softmax(decisions: Sequence[float]) -> list[float]:
    most = max(decisions)
    powers = [math.exp(decision - most) for decision in decisions]
    total = sum(powers)
    return [power / total for power in powers]


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        raise HandOver from None


INVERSES: dict[str, Callable[[float], float]] = {"identity": lambda value: value, "log": _exp}
