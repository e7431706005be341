"""LightGBM's trees: float64 thresholds, and leaves added up in float64 in the trees' order.

LightGBM takes what is within its idea of nought for nought. Its own threshold there is just that wide, so that only a
number right on the negative one would go another way: that threshold is written one float lower.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.operations.certain import surely_largest, surely_positive
from predictor.compiled.operations.forest import Nodes, Trees
from predictor.compiled.operations.links import softmax
from predictor.compiled.operations.sums import of_total, read_sums, read_value
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_MODULE = "lightgbm.sklearn"
_NOUGHT = 1.0000000180025095e-35
_IDENTITIES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_EXPONENTIALS = ("poisson", "gamma", "tweedie")


def _write_lightgbm(model: Any, write: Write) -> Entry:
    booster = model.booster_
    if f"{type(booster).__module__}.{type(booster).__qualname__}" != "lightgbm.basic.Booster":
        raise CannotCompile("its booster is not LightGBM's own")
    dump = booster.dump_model()
    objective, *settings = dump["objective"].split(" ")
    if dump.get("average_output") or settings not in ([], ["sigmoid:1"], [f"num_class:{dump['num_class']}"]):
        raise CannotCompile("its LightGBM has an objective that is not among those that are written")
    link = _link_of(objective)
    trees = Trees(values=[[]])
    for tree in dump["tree_info"]:
        trees.add(_lightgbm_nodes(tree["tree_structure"]))
    start = [0.0] * dump["num_tree_per_iteration"]
    return {**trees.to_entry(), "start": start, "link": link, "is_cast": False, "takes_missing": True}


def _link_of(objective: str) -> str:
    if objective in _IDENTITIES:
        return "identity"
    if objective in _EXPONENTIALS:
        return "log"
    links = {"binary": "expit", "multiclass": "softmax"}
    if objective not in links:
        raise CannotCompile(f"its LightGBM's objective, {objective[:40]}, is not among those that are written")
    return links[objective]


def _lightgbm_nodes(root: Mapping[str, Any]) -> Nodes:
    nodes = Nodes([], [], [], [], [], [])
    waiting: list[tuple[Mapping[str, Any], list[int] | None, int]] = [(root, None, 0)]
    while waiting:
        node, links, parent = waiting.pop()
        place = len(nodes.lefts)
        if links is not None:
            links[parent] = place
        is_leaf = "leaf_value" in node
        if "leaf_const" in node or (not is_leaf and (node["decision_type"] != "<=" or node["missing_type"] == "Zero")):
            raise CannotCompile("its LightGBM splits by categories, or takes noughts for missing, or has linear leaves")
        nodes.lefts.append(-1 if is_leaf else 0)
        nodes.rights.append(-1)
        nodes.features.append(0 if is_leaf else node["split_feature"])
        nodes.thresholds.append(0.0 if is_leaf else _threshold(node["threshold"]))
        nodes.missing_left.append(0 if is_leaf else int(_goes_left_if_missing(node)))
        nodes.values.append([float(node["leaf_value"]) if is_leaf else 0.0])
        if not is_leaf:
            waiting += [(node["right_child"], nodes.rights, place), (node["left_child"], nodes.lefts, place)]
    return nodes


def _goes_left_if_missing(node: Mapping[str, Any]) -> bool:
    """Where nothing was missing in training, LightGBM takes what is missing for nought."""
    return bool(node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0.0)


def _threshold(number: float) -> float:
    if -_NOUGHT <= number < 0:
        return math.nextafter(-_NOUGHT, -math.inf)
    return min(float(number), 1.7976931348623157e308)


def _sums(entry: Mapping[str, Any]) -> Callable[[Row], list[float]]:
    return read_sums(entry, takes_missing=entry["takes_missing"])


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    return read_value(_sums(entry), entry)


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    add = _sums(entry)
    if entry["link"] == "softmax":

        def choose(row: Row) -> tuple[int, list[float]]:
            shares = softmax(add(row))
            return surely_largest(shares), shares

        return Predictor("probabilities", choose)

    return of_total(add, lambda total: int(surely_positive(total, 1.0)))


OPERATIONS = (
    Operation("lightgbm_classifier", (f"{_MODULE}.LGBMClassifier",), _write_lightgbm, _read_classifier),
    Operation("lightgbm_regressor", (f"{_MODULE}.LGBMRegressor",), _write_lightgbm, _read_regressor),
)
