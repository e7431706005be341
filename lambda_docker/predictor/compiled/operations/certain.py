"""What can be said for sure: where rounding could tip the scales, scikit-learn itself is to answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.compiled.operations.links import softmax
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Predictor, Row

# A thousand times what sums of a few hundred products differ by when they are added up in another order.
_UNSURE = 1e-11
# How far logarithms may be from scikit-learn's, as a share of them, and probabilities.
_ROUNDING, _SHOWS = 1e-15, 5e-13
# A rounding of 1e-16 is 1e-12 of a number that is this share of what it was added up from.
_CANCELLED = 2e-4


def require_finite(row: Row) -> Row:
    """The row. Raises: HandOver: something is missing or beyond all floats, or the sum is, which costs only time."""
    try:
        total = sum(row)
    except TypeError:  # texts, or None among them
        raise HandOver from None
    if total - total != 0.0:
        raise HandOver
    return row


def surely_largest(numbers: Sequence[float], reach: float = 0.0) -> int:
    """Where the largest number stands.

    Args:   reach: the size of what the numbers were added up from, if that is more than their own
    Raises: HandOver: another is as large, as far as rounding can tell
    """
    total = sum(numbers)
    if total - total != 0.0:
        raise HandOver
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


def surely_shared(logarithms: Sequence[float], reach: float = 0.0) -> tuple[int, list[float]]:
    """The likeliest class and all probabilities, whose logarithms these are, but for what they have in common.

    Args:   reach: as surely_largest has it
    Raises: HandOver: rounding could tell another class, or shows in the probabilities
    """
    place = surely_largest(logarithms, reach)
    shares = softmax(logarithms)
    slip = _ROUNDING * max(reach, max(map(abs, logarithms)))
    if slip > _SHOWS and any(share * (1.0 - share) * slip > _SHOWS * max(share, 1e-3) for share in shares):
        raise HandOver
    return place, shares


def surely_positive(number: float, reach: float) -> bool:
    """Whether a sum is above nought. Raises: HandOver: rounding could tell otherwise."""
    if abs(number) <= _UNSURE * reach:
        raise HandOver
    return number > 0


def surely_added(total: float, reach: float) -> float:
    """The total. Raises: HandOver: so much of what it was added up from has cancelled that rounding shows."""
    if abs(total) < _CANCELLED * reach:
        raise HandOver
    return total


def value_of(predictor: object) -> Predictor:
    """A regressor that was read. Raises: ValueError: it is something else."""
    return _require(predictor, "value")


def probabilities_of(predictor: object) -> Predictor:
    """A classifier with probabilities that was read. Raises: ValueError: it is something else."""
    return _require(predictor, "probabilities")


def classifier_of(predictor: object) -> Predictor:
    """A classifier that was read. Raises: ValueError: it is something else."""
    return _require(predictor, "probabilities", "scores")


def require_decisions(entry: Entry) -> None:
    """Raises: CannotCompile: what was written answers, but tells no decisions, at which another model is to look."""
    # Here, since operations import this module.
    from predictor.compiled.operations import find

    def read(part: Mapping[str, Any]) -> Any:
        return find(part["op"]).read(part, read)

    if classifier_of(read(entry)).decide is None:
        raise CannotCompile("one of its parts tells no decisions once it is written")


def _require(predictor: object, *kinds: str) -> Predictor:
    if not isinstance(predictor, Predictor) or predictor.gives not in kinds:
        raise ValueError("a part gives something else")
    return predictor


# Transforms that give scikit-learn's own bits.
_EXACT = {
    *("pipeline", "search", "columns", "union", "select", "pass", "impute", "tell_missing", "one_hot", "ordinal"),
    *("scale", "scale_robust", "scale_max_abs", "scale_min_max", "polynomial", "bins", "binarize"),
    *("forest_classifier", "forest_regressor", "boosting_regressor"),
}
# What compares with numbers that stood in the training data themselves, where trees compare with those in between.
_STEPPED = {
    *("bins", "binarize", "histograms_classifier", "histograms_regressor", "neighbors_classifier"),
    *("neighbors_regressor", "lightgbm_classifier", "lightgbm_regressor", "xgboost_classifier", "xgboost_regressor"),
}


def require_exact(before: Sequence[Entry], after: Entry) -> None:
    """Raises: CannotCompile: `after` tells apart what differs in the last digit only, and `before` may."""
    if operations_in(after) & _STEPPED and not all(operations_in(entry) <= _EXACT for entry in before):
        raise CannotCompile("one of its parts compares numbers that another one had to round")


def operations_in(entry: object) -> set[str]:
    """The names of an entry's operation and of all within it."""
    if isinstance(entry, list):
        return (
            set().union(*map(operations_in, entry)) if any(isinstance(part, dict | list) for part in entry) else set()
        )
    if not isinstance(entry, dict):
        return set()
    own = {entry["op"]} if "op" in entry else set()
    return own.union(*map(operations_in, entry.values()))
