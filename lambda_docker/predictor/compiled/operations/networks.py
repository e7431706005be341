"""Multi-layer perceptrons: weighted sums, layer after layer, with an activation in between."""

import math
from collections.abc import Callable, Mapping
from operator import mul
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite, surely_positive, surely_shared
from predictor.compiled.operations.links import INVERSES, expit
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_MODULE = "sklearn.neural_network._multilayer_perceptron"
# From here on numpy multiplies faster than Python calls.
MULTIPLICATIONS_MAX = 12_000
_ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "identity": lambda value: value,
    "logistic": expit,
    "tanh": math.tanh,
    "relu": lambda value: value if value > 0.0 else 0.0,
}


def _write(model: Any, write: Write) -> Entry:
    if sum(matrix.size for matrix in model.coefs_) > MULTIPLICATIONS_MAX:
        raise CannotCompile(f"its network multiplies more than {MULTIPLICATIONS_MAX:,} times")
    if any(str(matrix.dtype) != "float64" for matrix in model.coefs_):
        raise CannotCompile("its network counts in float32")
    if model.activation not in _ACTIVATIONS or model.out_activation_ not in ("identity", "logistic", "softmax", "exp"):
        raise CannotCompile("its network has an activation that is not among those that are written")
    if model.n_outputs_ != 1 and model.out_activation_ != "softmax":
        raise CannotCompile("it has more than one output")
    layers = [
        {"weights": [pack("d", column) for column in matrix.T], "intercepts": pack("d", intercepts)}
        for matrix, intercepts in zip(model.coefs_, model.intercepts_, strict=True)
    ]
    return {"layers": layers, "activation": model.activation, "out": model.out_activation_}


def _read_sums(entry: Mapping[str, Any]) -> Callable[[Row], list[float]]:
    layers = [
        list(zip(map(unpack, layer["weights"]), unpack(layer["intercepts"]), strict=True)) for layer in entry["layers"]
    ]
    activate, last = _ACTIVATIONS[entry["activation"]], layers.pop()

    def sums(row: Row) -> list[float]:
        require_finite(row)
        for layer in layers:
            row = [activate(sum(map(mul, row, weights)) + intercept) for weights, intercept in layer]
        return require_finite([sum(map(mul, row, weights)) + intercept for weights, intercept in last])

    return sums


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    sums = _read_sums(entry)
    inverse = INVERSES[{"identity": "identity", "exp": "log"}[entry["out"]]]
    return Predictor("value", lambda row: inverse(sums(row)[0]))


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    sums = _read_sums(entry)
    if entry["out"] == "softmax":
        return Predictor("probabilities", lambda row: surely_shared(sums(row)))
    if entry["out"] != "logistic":
        raise ValueError("a classifier's output is another one")

    def answer(row: Row) -> tuple[int, list[float]]:
        (decision,) = sums(row)
        probability = expit(decision)
        return int(surely_positive(decision, 1.0)), [1.0 - probability, probability]

    return Predictor("probabilities", answer)


OPERATIONS = (
    Operation("network_classifier", (f"{_MODULE}.MLPClassifier",), _write, _read_classifier),
    Operation("network_regressor", (f"{_MODULE}.MLPRegressor",), _write, _read_regressor),
)
