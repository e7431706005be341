"""What can be said for sure: where rounding could tip the scales, scikit-learn itself is to answer."""

from collections.abc import Sequence

from predictor.compiled.terms import HandOver, Predictor, Row

# A thousand times what sums of a few hundred products differ by when they are added up in another order.
_UNSURE = 1e-11


def require_finite(row: Row) -> Row:
    """The row. Raises: HandOver: something is missing or beyond all floats, or the sum is, which costs only time."""
    total = sum(row)
    if total - total != 0.0:
        raise HandOver
    return row


def surely_largest(numbers: Sequence[float], reach: float = 0.0) -> int:
    """Where the largest number stands.

    Args:   reach: the size of what the numbers were added up from, if that is more than their own
    Raises: HandOver: another is as large, as far as rounding can tell
    """
    most = max(numbers)
    unsure = most - _UNSURE * max(reach, abs(most))
    place = -1
    for at, number in enumerate(numbers):
        if number >= unsure:
            if place >= 0:
                raise HandOver
            place = at
    if place < 0:
        raise HandOver
    return place


def surely_positive(number: float, reach: float) -> bool:
    """Whether a sum is above nought. Raises: HandOver: rounding could tell otherwise."""
    if abs(number) <= _UNSURE * reach:
        raise HandOver
    return number > 0


def value_of(predictor: object) -> Predictor:
    """A regressor that was read. Raises: ValueError: it is something else."""
    return _require(predictor, "value")


def probabilities_of(predictor: object) -> Predictor:
    """A classifier with probabilities that was read. Raises: ValueError: it is something else."""
    return _require(predictor, "probabilities")


def classifier_of(predictor: object) -> Predictor:
    """A classifier that was read. Raises: ValueError: it is something else."""
    return _require(predictor, "probabilities", "scores")


def _require(predictor: object, *kinds: str) -> Predictor:
    if not isinstance(predictor, Predictor) or predictor.gives not in kinds:
        raise ValueError("a part gives something else")
    return predictor
