"""Gradient boosting: a start and the leaves of one tree after the other, added up in their order, then a link."""

from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.numbers import unpack
from predictor.compiled.operations.categories import Sides, read_categorical
from predictor.compiled.operations.forest import Nodes, Trees, nodes_of
from predictor.compiled.operations.links import INVERSES, expit, largest, softmax
from predictor.compiled.operations.walking import read_trees
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_GB, _HISTOGRAMS = "sklearn.ensemble._gb", "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"
_LINKS = {
    "IdentityLink": "identity",
    "LogLink": "log",
    "LogitLink": "expit",
    "HalfLogitLink": "expit_of_double",
    "MultinomialLogit": "softmax",
}


def _write_boosting(model: Any, write: Write) -> Entry:
    import numpy as np

    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))[0].tolist()
    if model.init_ != "zero" and type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise CannotCompile("its gradient boosting starts from another model")
    trees = Trees(values=[[]])
    for stage in model.estimators_:
        for tree in stage:
            trees.add(_scaled(nodes_of(tree.tree_), model.learning_rate))
    return {**trees.to_entry(), "start": start, "link": _link_of(model), "is_cast": True, "at_nought": 1}


def _scaled(nodes: Nodes, by: float) -> Nodes:
    values = [[value * by for value in numbers] for numbers in nodes.values]
    return Nodes(nodes.lefts, nodes.rights, nodes.features, nodes.thresholds, nodes.missing_left, values)


def _write_histograms(model: Any, write: Write) -> Entry:
    sides = None if model.is_categorical_ is None else Sides(model)
    trees = Trees(values=[[]])
    for stage in model._predictors:
        for predictor in stage:
            nodes = _histogram_nodes(predictor.nodes)
            trees.add(nodes if sides is None else sides.replace(nodes, predictor))
    start = model._baseline_prediction.ravel().tolist()
    entry = {**trees.to_entry(), "start": start, "link": _link_of(model), "is_cast": False, "at_nought": 0}
    return entry if sides is None else {**entry, "categorical": sides.to_entry()}


def _histogram_nodes(nodes: Any) -> Nodes:
    import numpy as np

    is_leaf = nodes["is_leaf"].astype(bool)
    # Infinity parts what is missing from all else.
    thresholds = np.minimum(nodes["num_threshold"], np.finfo(np.float64).max)
    return Nodes(
        lefts=np.where(is_leaf, -1, nodes["left"].astype(np.int64)).tolist(),
        rights=nodes["right"].astype(np.int64).tolist(),
        features=nodes["feature_idx"].astype(np.int64).tolist(),
        thresholds=np.where(is_leaf, 0.0, thresholds).tolist(),
        missing_left=nodes["missing_go_to_left"].astype(int).tolist(),
        values=[[value] for value in nodes["value"].tolist()],
    )


def _link_of(model: Any) -> str:
    name = type(model._loss.link).__name__
    if name not in _LINKS:
        raise CannotCompile(f"its loss has a {name}, which is not among those that are written")
    return _LINKS[name]


def read_sums(entry: Mapping[str, Any], *, takes_missing: bool) -> Callable[[Row], list[float]]:
    """What adds the trees' leaves up: one sum, or one for each class."""
    start = unpack(entry["start"])
    add = read_trees(entry, sums=len(start), is_cast=entry["is_cast"], takes_missing=takes_missing)
    return lambda row: add(row, start)


def _sums(entry: Mapping[str, Any]) -> Callable[[Row], list[float]]:
    add = read_sums(entry, takes_missing=not entry["is_cast"])
    if "categorical" not in entry:
        return add
    prepare = read_categorical(entry["categorical"])
    return lambda row: add(prepare(row))


def read_value(add: Callable[[Row], list[float]], entry: Mapping[str, Any]) -> Predictor:
    """A regressor's one sum, behind its link."""
    inverse = INVERSES[entry["link"]]
    return Predictor("value", lambda row: inverse(add(row)[0]))


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    return read_value(_sums(entry), entry)


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    add, link, at_nought = _sums(entry), entry["link"], entry["at_nought"]
    if link == "softmax":

        def choose(row: Row) -> tuple[int, list[float]]:
            totals = add(row)
            return largest(totals), softmax(totals)

        return Predictor("probabilities", choose, add)
    factor = 2.0 if link == "expit_of_double" else 1.0
    # The two kinds of boosting differ where both classes are as likely.
    predictor = of_total(add, lambda total: at_nought if total == 0 else int(total > 0), factor=factor)
    return predictor._replace(decide=lambda row: add(row)[0])


def of_total(add: Callable[[Row], list[float]], tell: Callable[[float], int], *, factor: float = 1.0) -> Predictor:
    """Two classes told apart by one sum. Args: tell: the sum → which class; factor: of the sum, before its link."""

    def answer(row: Row) -> tuple[int, list[float]]:
        total = add(row)[0]
        probability = expit(factor * total)
        return tell(total), [1.0 - probability, probability]

    return Predictor("probabilities", answer)


OPERATIONS = (
    Operation("boosting_classifier", (f"{_GB}.GradientBoostingClassifier",), _write_boosting, _read_classifier),
    Operation("boosting_regressor", (f"{_GB}.GradientBoostingRegressor",), _write_boosting, _read_regressor),
    Operation(
        "histograms_classifier", (f"{_HISTOGRAMS}.HistGradientBoostingClassifier",), _write_histograms, _read_classifier
    ),
    Operation(
        "histograms_regressor", (f"{_HISTOGRAMS}.HistGradientBoostingRegressor",), _write_histograms, _read_regressor
    ),
)
