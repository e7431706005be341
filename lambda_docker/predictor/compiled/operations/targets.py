"""Regressors whose target was transformed, and is transformed back; and dummies, which say the same of every row."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import value_of
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Write

_DUMMY = "sklearn.dummy"
_DATA = "sklearn.preprocessing._data"
_FUNCTION = "sklearn.preprocessing._function_transformer.FunctionTransformer"
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "log1p": math.log1p,
    "expm1": math.expm1,
    "log": math.log,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "square": lambda value: value * value,
}


def _write_transformed(model: Any, write: Write) -> Entry:
    back = model.transformer_
    name = f"{type(back).__module__}.{type(back).__qualname__}"
    if name == _FUNCTION:
        return {"of": write(model.regressor_), "back": _write_function(back.inverse_func)}
    if name not in _BACK:
        raise CannotCompile(f"its target is transformed by a {type(back).__qualname__[:60]}")
    return {"of": write(model.regressor_), "back": _BACK[name](back)}


def _write_function(function: Any) -> list[Any]:
    import numpy as np

    if function is None:
        return []
    # By identity: a function of the same name may be its author's.
    for name in _FUNCTIONS:
        if function is getattr(np, name):
            return [["function", name]]
    raise CannotCompile("its target is transformed by a function that is not numpy's log, exp, log1p, expm1 or sqrt")


def _back(*steps: tuple[str, Any]) -> list[Any]:
    return [[name, float(array[0])] for name, array in steps if array is not None]


_BACK: dict[str, Callable[[Any], list[Any]]] = {
    f"{_DATA}.StandardScaler": lambda it: _back(
        ("multiply", it.scale_ if it.with_std else None), ("add", it.mean_ if it.with_mean else None)
    ),
    f"{_DATA}.RobustScaler": lambda it: _back(
        ("multiply", it.scale_ if it.with_scaling else None), ("add", it.center_ if it.with_centering else None)
    ),
    f"{_DATA}.MinMaxScaler": lambda it: _back(("subtract", it.min_), ("divide", it.scale_)),
    f"{_DATA}.MaxAbsScaler": lambda it: _back(("multiply", it.scale_)),
}
_STEPS: dict[str, Callable[[Any], Callable[[float], float]]] = {
    "multiply": lambda by: lambda value: value * by,
    "divide": lambda by: lambda value: value / by,
    "add": lambda by: lambda value: value + by,
    "subtract": lambda by: lambda value: value - by,
    "function": lambda name: _FUNCTIONS[name],
}


def _read_transformed(entry: Mapping[str, Any], read: Read) -> Predictor:
    answer = value_of(read(entry["of"])).answer
    steps = [_STEPS[name](by) for name, by in entry["back"]]

    def back(row: Any) -> float:
        value = answer(row)
        try:
            for step in steps:
                value = step(value)
        except ValueError:  # outside of the function's domain
            raise HandOver from None
        return float(value)

    return Predictor("value", back)


def _write_dummy_classifier(model: Any, write: Write) -> Entry:
    _require_one_output(model)
    prior, classes = model.class_prior_, list(model.classes_)
    if model.strategy in ("stratified", "uniform"):
        raise CannotCompile("a DummyClassifier draws lots")
    place = classes.index(model.constant) if model.strategy == "constant" else int(prior.argmax())
    if model.strategy == "prior":
        return {"place": place, "probabilities": pack("d", prior)}
    return {"place": place, "probabilities": pack("d", [float(at == place) for at in range(len(classes))])}


def _read_dummy_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    place, probabilities = entry["place"], unpack(entry["probabilities"])
    return Predictor("probabilities", lambda row: (place, probabilities[:]))


def _write_dummy_regressor(model: Any, write: Write) -> Entry:
    _require_one_output(model)
    return {"value": float(model.constant_.ravel()[0])}


def _read_dummy_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    value = float(entry["value"])
    return Predictor("value", lambda row: value)


def _require_one_output(model: Any) -> None:
    if model.n_outputs_ != 1:
        raise CannotCompile("it has more than one output")


OPERATIONS = (
    Operation(
        "transformed_target",
        ("sklearn.compose._target.TransformedTargetRegressor",),
        _write_transformed,
        _read_transformed,
    ),
    Operation("dummy_classifier", (f"{_DUMMY}.DummyClassifier",), _write_dummy_classifier, _read_dummy_classifier),
    Operation("dummy_regressor", (f"{_DUMMY}.DummyRegressor",), _write_dummy_regressor, _read_dummy_regressor),
)
