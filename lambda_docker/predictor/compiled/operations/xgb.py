"""XGBoost's trees, bit for bit: it compares and adds up in float32, and makes its probabilities there.

A sum, difference or quotient of two float32, taken in float64 and rounded once more, is what float32 arithmetic gives:
float64 has more than twice its digits and two more (Figueroa, "When is double rounding innocuous?", 1995). An
exponential is not: the C library's is off by some thousandths of float32's last digit, so that where the true one lies
that near the middle between two float32 either may come out. Such a row is handed over.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from types import SimpleNamespace
from typing import Any

from predictor.compiled.numbers import unpack
from predictor.compiled.operations.forest import Trees, nodes_of
from predictor.compiled.operations.links import largest
from predictor.compiled.operations.walking import read_trees
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Row, Write

_MODULE = "xgboost.sklearn"
_LINKS = {
    **dict.fromkeys(
        ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:squaredlogerror"), "identity"
    ),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "log"),
    **dict.fromkeys(("binary:logistic", "reg:logistic"), "expit"),
    "multi:softprob": "softmax",
}
# glibc promises its expf to be off by 0.502 of the last digit at most, where 0.5 is the best that can be. Of the 609
# million float32 that it may be asked for, it rounds 170,583 otherwise, all within a share of 1e-10 of the middle.
_EXP_IS_OFF = 2.5e-10
# XGBoost's own limit, so that an exponential stays a float32.
_EXPIT_MOST = 88.69999694824219
# Below it float32 has fewer digits.
_SMALLEST = 1.1754943508222875e-38

_SINGLE = Struct("<f")


def _write(model: Any, write: Write) -> Entry:
    booster = model.get_booster()
    if f"{type(booster).__module__}.{type(booster).__qualname__}" != "xgboost.core.Booster":
        raise CannotCompile("its booster is not XGBoost's own")
    if not math.isnan(model.missing):
        raise CannotCompile("its XGBoost takes a number for missing")
    kept = json.loads(bytes(booster.save_raw("json")))
    learner = kept["learner"]
    if learner["gradient_booster"]["name"] != "gbtree":
        raise CannotCompile("its XGBoost has other boosters than plain trees")
    if "c" in learner["feature_types"]:
        raise CannotCompile("its XGBoost splits by categories")
    if int(learner["learner_model_param"]["num_target"]) != 1:
        raise CannotCompile("it has more than one output")
    link = _LINKS.get(learner["objective"]["name"])
    if link is None:
        raise CannotCompile(f"its XGBoost's objective, {learner['objective']['name'][:40]}, is not among those written")
    groups = max(1, int(learner["learner_model_param"]["num_class"]))
    if (link == "softmax") != (groups > 1):
        raise CannotCompile("its XGBoost has as many sums as no objective of its kind")
    trees = _trees_of(learner, groups)
    return {**trees.to_entry(), "start": _start_of(kept, booster), "link": link}


def _trees_of(learner: Mapping[str, Any], groups: int) -> Trees:
    """Those that answer, in the order in which their leaves are added up, one of each class after the other."""
    model = learner["gradient_booster"]["model"]
    best, count = learner["attributes"].get("best_iteration"), len(model["trees"])
    if best is not None:
        count = model["iteration_indptr"][int(best) + 1]
    of_groups = [
        [tree for tree, group in zip(model["trees"][:count], model["tree_info"][:count], strict=True) if group == place]
        for place in range(groups)
    ]
    trees = Trees(values=[[]])
    for stage in zip(*of_groups, strict=True):
        for tree in stage:
            trees.add(nodes_of(_as_scikit_learn(tree)))
    return trees


def _as_scikit_learn(tree: Mapping[str, Any]) -> Any:
    """A tree that compares by "at most" with the float32 below the one that XGBoost compares with by "less than"."""
    import numpy as np

    if any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise CannotCompile("its XGBoost splits by categories, or has several numbers a leaf")
    numbers = np.array(tree["split_conditions"], np.float32)
    lefts = np.array(tree["left_children"], np.int64)
    return SimpleNamespace(
        node_count=len(lefts),
        children_left=lefts,
        children_right=np.array(tree["right_children"], np.int64),
        feature=np.array(tree["split_indices"], np.int64),
        threshold=np.nextafter(numbers, np.float32(-np.inf)).astype(np.float64),
        missing_go_to_left=np.array(tree["default_left"], np.int64),
        value=numbers.astype(np.float64),
    )


def _start_of(kept: dict[str, Any], booster: Any) -> list[float]:
    """Where the sums start: what XGBoost itself makes of the score that it keeps, as its trees say where all say 0."""
    import numpy as np

    for tree in kept["learner"]["gradient_booster"]["model"]["trees"]:
        conditions = zip(tree["left_children"], tree["split_conditions"], strict=True)
        tree["split_conditions"] = [0.0 if left < 0 else condition for left, condition in conditions]
    silent = type(booster)(model_file=bytearray(json.dumps(kept).encode()))
    row = np.zeros((1, booster.num_features()))
    margins = silent.inplace_predict(row, predict_type="margin", validate_features=False)
    return [float(margin) for margin in margins.ravel()]


def _sums(entry: Mapping[str, Any]) -> Callable[[Row], list[float]]:
    start = unpack(entry["start"])
    add = read_trees(entry, sums=len(start), is_cast=True, takes_missing=True, is_single=True)
    if not entry.get("noughts_are_missing"):
        return lambda row: add(row, start)
    missing = math.nan
    return lambda row: add([value or missing for value in row], start)


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    add, link = _sums(entry), entry["link"]
    if link == "identity":
        return Predictor("value", lambda row: add(row)[0])
    inverse = {"log": _exp, "expit": _expit}[link]
    return Predictor("value", lambda row: inverse(add(row)[0]))


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    add = _sums(entry)
    if entry["link"] == "softmax":

        def choose(row: Row) -> tuple[int, list[float]]:
            shares = _softmax(add(row))
            return largest(shares), shares

        return Predictor("probabilities", choose)
    if entry["link"] != "expit":
        raise ValueError("a classifier without probabilities")

    def answer(row: Row) -> tuple[int, list[float]]:
        probability = _expit(add(row)[0])
        return int(probability > 0.5), [_single(1.0 - probability), probability]

    return Predictor("probabilities", answer)


def _expit(margin: float) -> float:
    """1 / (e^-margin + 1), each step in float32."""
    power = math.exp(min(-margin, _EXPIT_MOST))
    share = _share_of(power * (1.0 - _EXP_IS_OFF))
    # Mostly one and the same, even where the exponentials are not.
    if share != _share_of(power * (1.0 + _EXP_IS_OFF)) or share < _SMALLEST:
        raise HandOver
    return share


def _share_of(power: float) -> float:
    # XGBoost adds 1e-16 as well, which float32 cannot tell.
    return _single(1.0 / _single(_single(power) + 1.0))


def _softmax(margins: Sequence[float]) -> list[float]:
    most = max(margins)
    powers = [_exp(_single(margin - most)) for margin in margins]
    # This one sum is in float64.
    total = 0.0
    for power in powers:
        total += power
    total = _single(total)
    shares = [_single(power / total) for power in powers]
    if min(shares) < _SMALLEST:
        raise HandOver
    return shares


def _exp(value: float) -> float:
    """The float32 nearest to e^value. Raises: HandOver: the C library may have another."""
    power = math.exp(value)
    nearest = _single(power * (1.0 - _EXP_IS_OFF))
    if nearest != _single(power * (1.0 + _EXP_IS_OFF)) or nearest < _SMALLEST:
        raise HandOver
    return nearest


def _single(number: float) -> float:
    """Rounded to float32. Raises: OverflowError: beyond it, which the walker hands over."""
    return float(_SINGLE.unpack(_SINGLE.pack(number))[0])


OPERATIONS = (
    Operation(
        "xgboost_classifier", (f"{_MODULE}.XGBClassifier", f"{_MODULE}.XGBRFClassifier"), _write, _read_classifier
    ),
    Operation("xgboost_regressor", (f"{_MODULE}.XGBRegressor", f"{_MODULE}.XGBRFRegressor"), _write, _read_regressor),
)
