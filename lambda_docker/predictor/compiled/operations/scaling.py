"""Column by column: subtract, divide, multiply, add, clip, in this order, each in scikit-learn's own arithmetic."""

from collections.abc import Mapping
from operator import sub, truediv
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite
from predictor.compiled.terms import Entry, HandOver, Operation, Read, Row, Transform, Write

_DATA = "sklearn.preprocessing._data"
_INFINITY = float("inf")
# What scikit-learn's handling of tiny scales takes for nought: ten times the spacing of floats at one.
_NOTHING = 10 * 2.0**-52


def _write_standard(scaler: Any, write: Write) -> Entry:
    # Where it does not center or scale, the array is None; a constant column's scale is 1.
    return _entry(
        subtract=scaler.mean_ if scaler.with_mean else None, divide=scaler.scale_ if scaler.with_std else None
    )


def _write_robust(scaler: Any, write: Write) -> Entry:
    return _entry(
        subtract=scaler.center_ if scaler.with_centering else None,
        divide=scaler.scale_ if scaler.with_scaling else None,
    )


def _write_max_abs(scaler: Any, write: Write) -> Entry:
    return _entry(divide=scaler.scale_, clip=(-1.0, 1.0) if getattr(scaler, "clip", False) else None)


def _write_min_max(scaler: Any, write: Write) -> Entry:
    return _entry(multiply=scaler.scale_, add=scaler.min_, clip=scaler.feature_range if scaler.clip else None)


def _entry(*, clip: Any = None, **arrays: Any) -> Entry:
    entry: Entry = {name: pack("d", numbers) for name, numbers in arrays.items() if numbers is not None}
    return entry if clip is None else {**entry, "clip": [float(end) for end in clip]}


def _read(entry: Mapping[str, Any], read: Read) -> Transform:
    steps = [_STEPS[name](unpack(entry[name])) for name in _STEPS if name in entry]
    if len(steps) == 1:
        return steps[0]
    if {"subtract", "divide"} == set(entry) - {"op"}:
        return _standard(unpack(entry["subtract"]), unpack(entry["divide"]))

    def scale(row: Row) -> Row:
        for step in steps:
            row = step(row)
        return row

    return scale


def _standard(means: list[float], scales: list[float]) -> Transform:
    return lambda row: list(map(truediv, map(sub, row, means), scales))


def _clip(ends: list[float]) -> Transform:
    low, high = ends

    def clip(row: Row) -> Row:
        if any(abs(value) == _INFINITY for value in row):
            raise HandOver
        # NaN compares with nothing and stays.
        return [low if value < low else high if value > high else value for value in row]

    return clip


_STEPS: dict[str, Any] = {
    "subtract": lambda by: lambda row: [value - each for value, each in zip(row, by, strict=True)],
    "divide": lambda by: lambda row: [value / each for value, each in zip(row, by, strict=True)],
    "multiply": lambda by: lambda row: [value * each for value, each in zip(row, by, strict=True)],
    "add": lambda by: lambda row: [value + each for value, each in zip(row, by, strict=True)],
    "clip": _clip,
}


def _read_normalizer(entry: Mapping[str, Any], read: Read) -> Transform:
    norm = _NORMS[entry["norm"]]

    def normalize(row: Row) -> Row:
        require_finite(row)
        size = norm(row)
        # What is next to nothing stays as it is.
        return row if size < _NOTHING else [value / size for value in row]

    return normalize


_NORMS = {
    "l1": lambda row: sum(map(abs, row)),
    "l2": lambda row: sum(value * value for value in row) ** 0.5,
    "max": lambda row: max(map(abs, row)),
}


def _read_binarizer(entry: Mapping[str, Any], read: Read) -> Transform:
    threshold = float(entry["threshold"])
    return lambda row: [1.0 if value > threshold else 0.0 for value in require_finite(row)]


OPERATIONS = (
    Operation("scale", (f"{_DATA}.StandardScaler",), _write_standard, _read),
    Operation("scale_robust", (f"{_DATA}.RobustScaler",), _write_robust, _read),
    Operation("scale_max_abs", (f"{_DATA}.MaxAbsScaler",), _write_max_abs, _read),
    Operation("scale_min_max", (f"{_DATA}.MinMaxScaler",), _write_min_max, _read),
    Operation("normalize", (f"{_DATA}.Normalizer",), lambda it, write: {"norm": it.norm}, _read_normalizer),
    Operation("binarize", (f"{_DATA}.Binarizer",), lambda it, write: {"threshold": it.threshold}, _read_binarizer),
)
