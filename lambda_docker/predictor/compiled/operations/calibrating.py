"""Probabilities made of another model's decisions or probabilities: by a sigmoid, or by an isotonic regression.

An isotonic regression runs straight from one of its points to the next. Between points that lie very close it rises so
steeply that the last digit of what goes in shows: there scikit-learn itself is asked.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import classifier_of, probabilities_of, require_decisions, surely_largest
from predictor.compiled.operations.links import expit, finite
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Row, Write

_ISOTONIC = "sklearn.isotonic.IsotonicRegression"
# What goes in may differ by this share of the points' size, what comes out by this much.
_GOES_IN, _COMES_OUT = 1e-14, 1e-12
_SLIGHTLY_MORE = 1.0 + 1e-5


def _write(model: Any, write: Write) -> Entry:
    classes = list(model.classes_)
    return {
        "classes": len(classes),
        "models": [_write_one(one, classes, write) for one in model.calibrated_classifiers_],
    }


def _write_one(calibrated: Any, classes: list[Any], write: Write) -> Entry:
    if calibrated.method not in ("sigmoid", "isotonic"):
        raise CannotCompile(f"its calibration is by {calibrated.method}")
    if list(calibrated.estimator.classes_) != classes:
        raise CannotCompile("a calibrated model within it has not seen all classes")
    write_curve = _write_sigmoid if calibrated.method == "sigmoid" else write_isotonic
    of, decides = write(calibrated.estimator), hasattr(calibrated.estimator, "decision_function")
    if decides:
        require_decisions(of)
    return {
        "of": of,
        "on": "decisions" if decides else "probabilities",
        "curves": [write_curve(curve) for curve in calibrated.calibrators],
    }


def _write_sigmoid(curve: Any) -> Entry:
    return {"slope": float(curve.a_), "start": float(curve.b_)}


def write_isotonic(curve: Any) -> Entry:
    """Raises: CannotCompile: it counts in float32."""
    if str(curve.X_thresholds_.dtype) != "float64" or str(curve.y_thresholds_.dtype) != "float64":
        raise CannotCompile("an isotonic regression counts in float32")
    return {
        "from": pack("d", curve.X_thresholds_),
        "to": pack("d", curve.y_thresholds_),
        "beyond": "clip" if curve.out_of_bounds == "clip" else "refused",
    }


def _read(entry: Mapping[str, Any], read: Read) -> Predictor:
    count = entry["classes"]
    parts = [_read_one(one, count, read) for one in entry["models"]]

    def answer(row: Row) -> tuple[int, list[float]]:
        given = [part(row) for part in parts]
        means = [sum(column) / len(parts) for column in zip(*given, strict=True)]
        return surely_largest(means), means

    return Predictor("probabilities", answer)


def _read_one(entry: Mapping[str, Any], count: int, read: Read) -> Callable[[Row], list[float]]:
    ask = _inputs_of(read(entry["of"]), entry["on"], count)
    curves = [_read_sigmoid(one) if "slope" in one else read_isotonic(one) for one in entry["curves"]]
    if count == 2:
        (curve,) = curves

        def tell(row: Row) -> list[float]:
            probability = _capped(curve(ask(row)[0]))
            return [1.0 - probability, probability]

        return tell

    def share(row: Row) -> list[float]:
        each = [curve(number) for curve, number in zip(curves, ask(row), strict=True)]
        total = sum(each)
        return [_capped(one / total) for one in each] if total else [1 / count] * count

    return share


def _inputs_of(model: Any, on: str, count: int) -> Callable[[Row], list[float]]:
    """What the curves see of a row: one number where there are two classes, or one for each class."""
    if on == "decisions":
        decide = classifier_of(model).decide
        if decide is None:
            raise ValueError("a part has no decisions")
        return (lambda row: [decide(row)]) if count == 2 else decide
    answer = probabilities_of(model).answer
    return (lambda row: answer(row)[1][1:]) if count == 2 else (lambda row: list(answer(row)[1]))


def _capped(probability: float) -> float:
    return 1.0 if 1.0 < probability <= _SLIGHTLY_MORE else probability


def _read_sigmoid(entry: Mapping[str, Any]) -> Callable[[float], float]:
    slope, start = entry["slope"], entry["start"]
    return lambda number: expit(-(slope * finite(number) + start))


def read_isotonic(entry: Mapping[str, Any]) -> Callable[[float], float]:
    """The curve. What it raises: HandOver."""
    places, heights = unpack(entry["from"]), unpack(entry["to"])
    low, high = places[0], places[-1]
    slack = _GOES_IN * max(abs(low), abs(high))
    if len(places) == 1:
        return lambda number: heights[0] if finite(number) == low or entry["beyond"] == "clip" else _refuse()

    def height(number: float) -> float:
        if number >= high:
            return heights[-1]
        if number <= low:
            return heights[0]
        at = bisect_right(places, number) - 1
        slope = (heights[at + 1] - heights[at]) / (places[at + 1] - places[at])
        return float(slope * (number - places[at]) + heights[at])

    def curve(number: float) -> float:
        finite(number)
        if entry["beyond"] != "clip" and not low <= number <= high:
            raise HandOver
        if abs(height(number + slack) - height(number - slack)) > _COMES_OUT:
            raise HandOver
        return height(number)

    return curve


def _refuse() -> float:
    raise HandOver


def _read_isotonic_regression(entry: Mapping[str, Any], read: Read) -> Predictor:
    curve = read_isotonic(entry)
    return Predictor("value", lambda row: curve(row[0]))


OPERATIONS = (
    Operation("calibrate", ("sklearn.calibration.CalibratedClassifierCV",), _write, _read),
    Operation("isotonic", (_ISOTONIC,), lambda model, write: write_isotonic(model), _read_isotonic_regression),
    Operation(
        "frozen",
        ("sklearn.frozen._frozen.FrozenEstimator",),
        lambda model, write: {"of": write(model.estimator)},
        lambda entry, read: read(entry["of"]),
    ),
    Operation(
        "consensus",
        ("sklearn.linear_model._ransac.RANSACRegressor",),
        lambda model, write: {"of": write(model.estimator_)},
        lambda entry, read: read(entry["of"]),
    ),
)
