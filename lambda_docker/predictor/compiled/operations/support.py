"""Support vector machines: the row is compared with each support vector by a kernel, and the results are weighed.

Of more than two classes each pair has its own decision, and casts one vote. The class with the most votes is told, and
of several the first, as libsvm has it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite, surely_added, surely_largest
from predictor.compiled.operations.links import finite, largest
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Row, Write

_MODULE = "sklearn.svm._classes"
# From here on libsvm compares faster than Python calls it.
NUMBERS_MAX = 20_000
# What is larger overflows within libsvm, in its own way.
_MOST = 1e75


def _write_classifier(model: Any, write: Write) -> Entry:
    if hasattr(model, "predict_proba"):
        raise CannotCompile("its support vector machine has probabilities, which libsvm finds by trying")
    shape = "ovr" if model.decision_function_shape == "ovr" else "ovo"
    return {
        **_write(model),
        "counts": [int(count) for count in model._n_support],
        "shape": shape,
        "breaks_ties": bool(model.break_ties) and shape == "ovr" and len(model.classes_) > 2,
    }


def _write(model: Any) -> Entry:
    vectors = model.support_vectors_
    if hasattr(vectors, "toarray") or model.kernel not in _KERNELS:
        raise CannotCompile("its support vector machine has a kernel that is not among those that are written")
    if vectors.size > NUMBERS_MAX:
        raise CannotCompile(f"its support vectors have more than {NUMBERS_MAX:,} numbers")
    return {
        "kernel": model.kernel,
        "gamma": float(model._gamma),
        "start": float(model.coef0),
        "degree": int(model.degree),
        "vectors": [pack("d", vector) for vector in vectors],
        "weights": [pack("d", row) for row in model._dual_coef_],
        "intercepts": pack("d", model._intercept_),
    }


def _dot(row: Row, vector: list[float]) -> float:
    return sum(map(mul, row, vector))


def _linear(gamma: float, start: float, degree: int) -> Callable[[Row, list[float]], float]:
    return _dot


def _polynomial(gamma: float, start: float, degree: int) -> Callable[[Row, list[float]], float]:
    return lambda row, vector: float((gamma * _dot(row, vector) + start) ** degree)


def _radial(gamma: float, start: float, degree: int) -> Callable[[Row, list[float]], float]:
    def compare(row: Row, vector: list[float]) -> float:
        distance = math.dist(row, vector)
        return math.exp(-gamma * (distance * distance))

    return compare


def _sigmoid(gamma: float, start: float, degree: int) -> Callable[[Row, list[float]], float]:
    return lambda row, vector: math.tanh(gamma * _dot(row, vector) + start)


_KERNELS = {"linear": _linear, "poly": _polynomial, "rbf": _radial, "sigmoid": _sigmoid}


def _read_kernel(entry: Mapping[str, Any]) -> Callable[[Row], list[float]]:
    compare = _KERNELS[entry["kernel"]](entry["gamma"], entry["start"], entry["degree"])
    vectors = [unpack(vector) for vector in entry["vectors"]]

    def compare_all(row: Row) -> list[float]:
        if not max(map(abs, require_finite(row))) < _MOST:
            raise HandOver
        return [compare(row, vector) for vector in vectors]

    return compare_all


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    compare_all = _read_kernel(entry)
    (weights,), (intercept,) = map(unpack, entry["weights"]), unpack(entry["intercepts"])
    heaviest = sum(map(abs, weights))

    def answer(row: Row) -> float:
        compared = compare_all(row)
        reach = heaviest * max(map(abs, compared), default=0.0) + abs(intercept)
        return surely_added(finite(sum(map(mul, weights, compared)) + intercept), reach)

    return Predictor("value", answer)


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    compare_all, pairs = _read_kernel(entry), _pairs(entry)
    count = len(entry["counts"])

    def decide_pairs(row: Row) -> list[float]:
        """The pairs' decisions, above nought where the first of the two is meant."""
        compared, decisions = compare_all(row), []
        most = max(map(abs, compared))
        for weights, begin, end, intercept, heaviest in pairs:
            (first, second), (other, last) = zip(begin, end, strict=True)
            near = compared[first:second] + compared[other:last]
            decision = finite(sum(map(mul, weights, near)) + intercept)
            decisions.append(surely_added(decision, heaviest * most + abs(intercept)))
        return decisions

    if count == 2:

        def tell(row: Row) -> tuple[int, float]:
            (decision,) = decide_pairs(row)
            return int(decision <= 0), -decision

        return Predictor("scores", tell, lambda row: tell(row)[1])
    gives_pairs, breaks_ties = entry["shape"] == "ovo", entry["breaks_ties"]
    if gives_pairs and count > 3:
        # A score is a class's own: as many pairs as there are classes pass for such, and other numbers for none.
        return Predictor("scores", lambda row: (largest(share_votes(decide_pairs(row), count)[1]), None))

    def answer(row: Row) -> tuple[int, list[float]]:
        decisions = decide_pairs(row)
        scores, votes = share_votes(decisions, count)
        place = surely_largest(scores) if breaks_ties else largest(votes)
        return place, decisions if gives_pairs else scores

    return Predictor("scores", answer, lambda row: answer(row)[1])


def share_votes(decisions: Sequence[float], count: int) -> tuple[list[float], list[float]]:
    """One score a class, and its votes alone, of decisions for each pair that are above nought for the first of it."""
    votes, trust = [0.0] * count, [0.0] * count
    at = 0
    for first in range(count):
        for second in range(first + 1, count):
            decision = decisions[at]
            trust[first] += decision
            trust[second] -= decision
            votes[second if decision < 0 else first] += 1
            at += 1
    return [vote + each / (3 * (abs(each) + 1)) for vote, each in zip(votes, trust, strict=True)], votes


def _pairs(entry: Mapping[str, Any]) -> list[Any]:
    """For each pair of classes: weights, where its vectors begin and end, the intercept, and the weights' size."""
    counts, rows, intercepts = entry["counts"], [unpack(row) for row in entry["weights"]], unpack(entry["intercepts"])
    starts = [sum(counts[:place]) for place in range(len(counts) + 1)]
    pairs: list[Any] = []
    for first in range(len(counts)):
        for second in range(first + 1, len(counts)):
            begin, end = (starts[first], starts[second]), (starts[first + 1], starts[second + 1])
            weights = rows[second - 1][begin[0] : end[0]] + rows[first][begin[1] : end[1]]
            pairs.append((weights, begin, end, intercepts[len(pairs)], sum(map(abs, weights))))
    return pairs


OPERATIONS = (
    Operation("support_classifier", (f"{_MODULE}.SVC", f"{_MODULE}.NuSVC"), _write_classifier, _read_classifier),
    Operation(
        "support_regressor", (f"{_MODULE}.SVR", f"{_MODULE}.NuSVR"), lambda model, write: _write(model), _read_regressor
    ),
)
