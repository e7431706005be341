"""Nearest neighbours in small tables: every row that was kept is measured, and the nearest are asked.

Where the last neighbour is as near as the first that is left out, as far as rounding can tell, scikit-learn itself is
asked; its trees and its matrix products find another one then.
"""

import math
from collections.abc import Callable, Mapping
from operator import sub
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite, surely_largest
from predictor.compiled.operations.links import largest
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Row, Write

_MODULE = "sklearn.neighbors"
# By power: from here on scikit-learn measures faster. Python has a Euclidean distance of its own.
_NUMBERS_MAX = {1: 8_000, 2: 20_000}
_AS_NEAR = 1e-9
_LEAST, _MOST = 1e-140, 1e150
# What numpy's shorter way to Euclidean distances loses, as a share of the squares that it subtracts.
_LOST = 1e-12


def _write_classifier(model: Any, write: Write) -> Entry:
    if model.outputs_2d_:
        raise CannotCompile("it has more than one output")
    return {**_write(model), "told": pack("i", model._y.ravel()), "classes": len(model.classes_)}


def _write_regressor(model: Any, write: Write) -> Entry:
    if model._y.ndim != 1 and model._y.shape[1] != 1:
        raise CannotCompile("it has more than one output")
    return {**_write(model), "told": pack("d", model._y.ravel())}


def _write(model: Any) -> Entry:
    table = model._fit_X
    if hasattr(table, "toarray") or str(table.dtype) != "float64":
        raise CannotCompile("its neighbours are not plain numbers")
    power = {"euclidean": 2, "l2": 2, "manhattan": 1, "cityblock": 1, "l1": 1}.get(model.metric)
    power = model.p if model.metric == "minkowski" else power
    if power not in (1, 2) or (model.metric_params or {}):
        raise CannotCompile("its neighbours are measured by a metric that is not among those that are written")
    if table.size > _NUMBERS_MAX[power]:
        raise CannotCompile(f"its neighbours have more than {_NUMBERS_MAX[power]:,} numbers")
    if model.weights not in ("uniform", "distance"):
        raise CannotCompile("its neighbours are weighed by a function of its author's")
    if model.weights == "distance" and model._fit_method == "brute":
        # Its distances are differences of large squares, of which little may be left.
        raise CannotCompile("its neighbours are weighed by distances that it finds by matrix products")
    return {
        "rows": [pack("d", row) for row in table],
        "power": int(power),
        "count": int(model.n_neighbors),
        "by_distance": model.weights == "distance",
    }


def _read_nearest(entry: Mapping[str, Any]) -> Callable[[Row], tuple[list[int], list[float]]]:
    rows, count, is_straight = [unpack(row) for row in entry["rows"]], entry["count"], entry["power"] == 2
    by_distance, farthest = entry["by_distance"], max(math.hypot(*unpack(row)) for row in entry["rows"])

    def measure(row: Row) -> list[float]:
        if is_straight:
            return [math.dist(row, other) for other in rows]
        return [sum(map(abs, map(sub, row, other))) for other in rows]

    def is_as_near(row: Row, one: float, other: float) -> bool:
        """Whether scikit-learn might find `other`, which is not the nearer one, as near."""
        if not is_straight:
            return other - one <= _AS_NEAR * one
        size = farthest + math.hypot(*row)
        return other * other - one * one <= _AS_NEAR * one * one + _LOST * size * size

    def find(row: Row) -> tuple[list[int], list[float]]:
        """The nearest rows, and what each of them weighs."""
        require_finite(row)
        measured = measure(row)
        order = sorted(range(len(rows)), key=measured.__getitem__)
        nearest = order[:count]
        # Not so: what overflows, or is lost, when it is squared.
        if not measured[order[-1]] < _MOST:
            raise HandOver
        if count < len(rows) and is_as_near(row, measured[nearest[-1]], measured[order[count]]):
            raise HandOver
        if not by_distance:
            return nearest, [1.0] * count
        distances = [measured[place] for place in nearest]
        if any(0.0 < distance < _LEAST for distance in distances):
            raise HandOver
        if 0.0 in distances:
            return nearest, [float(distance == 0.0) for distance in distances]
        return nearest, [1.0 / distance for distance in distances]

    return find


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    find, told, noughts = _read_nearest(entry), unpack(entry["told"]), [0.0] * entry["classes"]
    choose = surely_largest if entry["by_distance"] else largest

    def answer(row: Row) -> tuple[int, list[float]]:
        nearest, weights = find(row)
        votes = noughts[:]
        for place, weight in zip(nearest, weights, strict=True):
            votes[told[place]] += weight
        total = sum(votes)
        return choose(votes), [vote / total for vote in votes]

    return Predictor("probabilities", answer)


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    find, told = _read_nearest(entry), unpack(entry["told"])

    def answer(row: Row) -> float:
        nearest, weights = find(row)
        total = sum([told[place] * weight for place, weight in zip(nearest, weights, strict=True)])
        return float(total / sum(weights))

    return Predictor("value", answer)


OPERATIONS = (
    Operation(
        "neighbors_classifier",
        (f"{_MODULE}._classification.KNeighborsClassifier",),
        _write_classifier,
        _read_classifier,
    ),
    Operation(
        "neighbors_regressor", (f"{_MODULE}._regression.KNeighborsRegressor",), _write_regressor, _read_regressor
    ),
)
