"""Files without a foreign name whose numbers would lead compiled code out of its memory, or round in circles."""

import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn import ensemble, linear_model, neighbors, preprocessing, svm, tree

from tests.portal.scanner.hostile import joblib_bytes, model_with
from tests.portal.scanner.hostile_archives import skops_bytes

Cases = dict[str, Callable[[], bytes]]
RANDOM = np.random.RandomState(3)
ROWS = RANDOM.normal(size=(60, 4))
TWO = (ROWS[:, 0] > 0).astype(int)


class Changed:
    """Pickles as its object does, with one part of the state changed."""

    def __init__(self, thing: Any, change: Callable[[Any], Any]) -> None:
        self.made = thing.__reduce__()
        self.change = change

    def __reduce__(self):
        state = self.made[2]
        state = dict(state) if isinstance(state, dict) else list(state)
        changed = self.change(state)
        return (*self.made[:2], changed if changed is not None else state)


def set_node(field: str, value: int, *, node: int = 0) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        state["nodes"] = state["nodes"].copy()
        state["nodes"][field][node] = value

    return change


def decision_tree(change: Callable[[Any], Any]) -> Any:
    model = tree.DecisionTreeClassifier(max_depth=3, random_state=0).fit(ROWS, TWO)
    vars(model)["tree_"] = Changed(model.tree_, change)
    return model


def another_tree(**arguments: int) -> Any:
    """A tree of more columns than its model asks for."""
    model = tree.DecisionTreeClassifier(max_depth=3).fit(ROWS, TWO)
    wide = tree.DecisionTreeClassifier(max_depth=3).fit(RANDOM.normal(size=(60, 9)), TWO)
    model.tree_ = wide.tree_
    return model


def forest_with_wide_tree(kind: Any) -> Any:
    model = kind(n_estimators=2).fit(ROWS, TWO)
    wide = kind(n_estimators=2).fit(RANDOM.normal(size=(60, 9)), TWO)
    model.estimators_[1] = wide.estimators_[1]
    return model


def boosting_with_more_columns() -> Any:
    model = ensemble.GradientBoostingRegressor(n_estimators=2).fit(ROWS, TWO)
    model.estimators_ = np.hstack([model.estimators_] * 3)
    return model


def hist_boosting(field: str, value: int) -> Any:
    model = ensemble.HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=5).fit(ROWS, TWO)
    model._predictors[0][0].nodes[field][0] = value
    return model


def search_tree(position: int, change: Callable[[Any], Any], kind: str = "kd_tree") -> Any:
    model = neighbors.KNeighborsClassifier(algorithm=kind, leaf_size=5).fit(ROWS, TWO)

    def changed(state: list[Any]) -> tuple[Any, ...]:
        state[position] = change(state[position].copy())
        return tuple(state)

    model._tree = Changed(model._tree, changed)
    return model


def put(where: Any, value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        if isinstance(where, str):
            array[where][0] = value
        else:
            array[where] = value
        return array

    return change


def sparse_rows(**attributes: Any) -> Any:
    matrix = csr_matrix(ROWS)
    vars(matrix).update(attributes)
    return model_with(rows_=matrix)


def spline(**attributes: Any) -> Any:
    model = preprocessing.SplineTransformer().fit(ROWS)
    vars(model.bsplines_[0]).update(attributes)
    return model


def random_state() -> bytes:
    content = pickle.dumps(linear_model.LogisticRegression(random_state=np.random.RandomState(1)).fit(ROWS, TWO))
    return content.replace(b"\x8c\x03pos\x94M\x70\x02", b"\x8c\x03pos\x94M\x71\x7f")


def dumps(model: Any) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pickle.dumps(model)


NUMBERS: Cases = {
    "child beyond the tree": lambda: dumps(decision_tree(set_node("left_child", 10**6))),
    "child far below nought": lambda: dumps(decision_tree(set_node("right_child", -5))),
    "child that is its parent": lambda: dumps(decision_tree(set_node("left_child", 0))),
    "child that is an ancestor": lambda: dumps(decision_tree(set_node("left_child", 0, node=1))),
    "feature beyond the table": lambda: dumps(decision_tree(set_node("feature", 4))),
    "feature below nought": lambda: dumps(decision_tree(set_node("feature", -7))),
    "more nodes counted than there are": lambda: dumps(decision_tree(lambda s: s.update(node_count=10**6))),
    "fewer levels than there are": lambda: dumps(decision_tree(lambda s: s.update(max_depth=0))),
    "no nodes": lambda: dumps(decision_tree(lambda s: s.pop("nodes") is None or None)),
    "nodes that are no records": lambda: dumps(decision_tree(lambda s: s.update(nodes=np.zeros(9)))),
    "child beyond the tree, in joblib": lambda: joblib_bytes(decision_tree(set_node("left_child", 10**6))),
    "child beyond the tree, in zlib joblib": lambda: joblib_bytes(
        decision_tree(set_node("left_child", 10**6)), compress=3
    ),
    "tree of more columns than its model": lambda: dumps(another_tree()),
    "tree of more columns, in skops": lambda: skops_bytes(another_tree()),
    "forest with one wide tree": lambda: dumps(forest_with_wide_tree(ensemble.RandomForestClassifier)),
    "extra trees with one wide tree": lambda: joblib_bytes(forest_with_wide_tree(ensemble.ExtraTreesRegressor)),
    "forest with one wide tree, in skops": lambda: skops_bytes(forest_with_wide_tree(ensemble.RandomForestClassifier)),
    "isolation forest with one wide tree": lambda: dumps(forest_with_wide_tree(ensemble.IsolationForest)),
    "boosting with more columns than outputs": lambda: dumps(boosting_with_more_columns()),
    "histogram node beyond": lambda: dumps(hist_boosting("left", 10**6)),
    "histogram node in a circle": lambda: dumps(hist_boosting("right", 0)),
    "histogram feature beyond": lambda: dumps(hist_boosting("feature_idx", 99)),
    "histogram feature below nought": lambda: joblib_bytes(hist_boosting("feature_idx", -1)),
    "histogram category where there is none": lambda: dumps(hist_boosting("is_categorical", 1)),
    "histogram node beyond, in skops": lambda: skops_bytes(hist_boosting("left", 10**6)),
    "place beyond the points": lambda: dumps(search_tree(1, put(3, 10**6))),
    "place below nought": lambda: dumps(search_tree(1, put(3, -1), "ball_tree")),
    "leaf that ends beyond the points": lambda: dumps(search_tree(2, put("idx_end", 10**6))),
    "leaf that begins below nought": lambda: dumps(search_tree(2, put("idx_start", -3))),
    "node without children": lambda: dumps(search_tree(2, lambda nodes: nodes[:1])),
    "bounds of fewer nodes": lambda: dumps(search_tree(3, lambda bounds: bounds[:, :2])),
    "points of fewer columns": lambda: dumps(search_tree(0, lambda points: points[:, :2].copy())),
    "sparse column beyond": lambda: dumps(sparse_rows(indices=np.full(240, 10**6, dtype=np.int32))),
    "sparse column below nought": lambda: dumps(sparse_rows(indices=np.full(240, -1, dtype=np.int32))),
    "sparse rows that overlap": lambda: dumps(sparse_rows(indptr=np.full(61, 240, dtype=np.int32))),
    "sparse rows beyond the entries": lambda: dumps(sparse_rows(indptr=np.arange(61, dtype=np.int32) * 99)),
    "sparse shape larger than its rows": lambda: dumps(sparse_rows(_shape=(10**6, 4))),
    "spline of a huge degree": lambda: dumps(spline(k=10**6)),
    "spline with too few coefficients": lambda: dumps(spline(_c=np.zeros((1, 7)))),
    "random numbers from beyond the table": random_state,
    "booster whose trees are an address": lambda: (
        dumps(svm.SVC())
        .replace(b"sklearn.svm._classes", b"lightgbm.basic")
        .replace(b"\x8c\x14", b"\x8c\x0e")
        .replace(b"\x8c\x03SVC", b"\x8c\x07Booster")
        .replace(b"\x8c\x06kernel\x94\x8c\x03rbf", b"\x8c\x06handle\x94\x4b\x01")
    ),
}
