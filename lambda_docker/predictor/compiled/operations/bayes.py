"""Naive Bayes and quadratic discriminants: for each class the logarithm of how likely it is with this row."""

import math
from collections.abc import Mapping
from operator import mul
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite, surely_largest, surely_shared
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_BAYES = "sklearn.naive_bayes"


def _write_gaussian(model: Any, write: Write) -> Entry:
    import numpy as np

    starts = np.log(model.class_prior_) - 0.5 * np.sum(np.log(2.0 * np.pi * model.var_), axis=1)
    _require_finite(starts)
    return {
        "starts": pack("d", starts),
        "means": [pack("d", row) for row in model.theta_],
        "variances": [pack("d", row) for row in model.var_],
    }


def _read_gaussian(entry: Mapping[str, Any], read: Read) -> Predictor:
    classes = [
        (start, list(zip(unpack(means), unpack(variances), strict=True)))
        for start, means, variances in zip(unpack(entry["starts"]), entry["means"], entry["variances"], strict=True)
    ]

    def answer(row: Row) -> tuple[int, list[float]]:
        require_finite(row)
        logarithms = []
        for start, columns in classes:
            far = 0.0
            for value, (mean, variance) in zip(row, columns, strict=True):
                off = value - mean
                far += off * off / variance
            logarithms.append(start - 0.5 * far)
        return surely_shared(logarithms)

    return Predictor("probabilities", answer)


def _write_counts(model: Any, write: Write) -> Entry:
    """Multinomial and complement."""
    count = len(model.classes_)
    is_complement = type(model).__name__ == "ComplementNB" and count > 1
    starts = [0.0] * count if is_complement else model.class_log_prior_
    return _write_weighed(model.feature_log_prob_, starts)


def _write_bernoulli(model: Any, write: Write) -> Entry:
    import numpy as np

    absent = np.log(1 - np.exp(model.feature_log_prob_))
    entry = _write_weighed(model.feature_log_prob_ - absent, model.class_log_prior_ + absent.sum(axis=1))
    return entry if model.binarize is None else {**entry, "threshold": float(model.binarize)}


def _write_weighed(weights: Any, starts: Any) -> Entry:
    _require_finite(weights)
    _require_finite(starts)
    return {"weights": [pack("d", row) for row in weights], "starts": pack("d", starts)}


def _read_weighed(entry: Mapping[str, Any], read: Read) -> Predictor:
    classes = list(zip(map(unpack, entry["weights"]), unpack(entry["starts"]), strict=True))
    steepest = max(max(map(abs, weights)) for weights, _ in classes)
    threshold = entry.get("threshold")

    def answer(row: Row) -> tuple[int, list[float]]:
        require_finite(row)
        if threshold is not None:
            row = [1.0 if value > threshold else 0.0 for value in row]
        logarithms = [sum(map(mul, row, weights)) + start for weights, start in classes]
        return surely_shared(logarithms, steepest * sum(map(abs, row)))

    return Predictor("probabilities", answer)


def _write_quadratic(model: Any, write: Write) -> Entry:
    import numpy as np

    turned = [rotation * scaling**-0.5 for rotation, scaling in zip(model.rotations_, model.scalings_, strict=True)]
    starts = np.array([-0.5 * np.sum(np.log(scaling)) for scaling in model.scalings_]) + np.log(model.priors_)
    for numbers in (starts, *turned):
        _require_finite(numbers)
    return {
        "starts": pack("d", starts),
        "means": [pack("d", row) for row in model.means_],
        "axes": [[pack("d", column) for column in matrix.T] for matrix in turned],
    }


def _read_quadratic(entry: Mapping[str, Any], read: Read) -> Predictor:
    classes = [
        (start, unpack(means), [(axis, list(map(abs, axis))) for axis in map(unpack, axes)])
        for start, means, axes in zip(unpack(entry["starts"]), entry["means"], entry["axes"], strict=True)
    ]

    def weigh(row: Row) -> tuple[list[float], float]:
        """The logarithms, and the size of what they were added up from."""
        require_finite(row)
        logarithms, reach = [], 0.0
        for start, means, axes in classes:
            off = [value - mean for value, mean in zip(row, means, strict=True)]
            sizes, far, farther = list(map(abs, off)), 0.0, 0.0
            for axis, steepness in axes:
                along = sum(map(mul, off, axis))
                far += along * along
                farther += abs(along) * sum(map(mul, sizes, steepness))
            logarithms.append(start - 0.5 * far)
            reach = max(reach, farther)
        return logarithms, reach

    def answer(row: Row) -> tuple[int, list[float]]:
        return surely_shared(*weigh(row))

    def decide(row: Row) -> Any:
        logarithms, reach = weigh(row)
        surely_largest(logarithms, reach)
        return logarithms[1] - logarithms[0] if len(logarithms) == 2 else logarithms

    return Predictor("probabilities", answer, decide)


def _require_finite(numbers: Any) -> None:
    if not all(math.isfinite(number) for number in getattr(numbers, "flat", numbers)):
        raise CannotCompile("it takes something for impossible, and so counts with infinities")


OPERATIONS = (
    Operation("bayes_gaussian", (f"{_BAYES}.GaussianNB",), _write_gaussian, _read_gaussian),
    Operation("bayes_counts", (f"{_BAYES}.MultinomialNB", f"{_BAYES}.ComplementNB"), _write_counts, _read_weighed),
    Operation("bayes_bernoulli", (f"{_BAYES}.BernoulliNB",), _write_bernoulli, _read_weighed),
    Operation(
        "quadratic",
        ("sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",),
        _write_quadratic,
        _read_quadratic,
    ),
)
