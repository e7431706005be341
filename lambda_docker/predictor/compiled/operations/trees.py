"""Decision trees and the mean of many: what scikit-learn answers, bit for bit."""

from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.numbers import unpack
from predictor.compiled.operations.forest import Trees, nodes_of
from predictor.compiled.operations.links import largest
from predictor.compiled.operations.walking import read_trees
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_TREE, _FOREST = "sklearn.tree._classes", "sklearn.ensemble._forest"


def _write(model: Any, write: Write) -> Entry:
    # A tree is a forest of one.
    models = list(getattr(model, "estimators_", [model]))
    if models[0].n_outputs_ != 1:
        raise CannotCompile("it has more than one output")
    trees = Trees(values=[[] for _ in range(models[0].tree_.value.shape[2])])
    for model in models:
        trees.add(nodes_of(model.tree_))
    # Of criteria that cannot tell where gaps belong, scikit-learn refuses them.
    return {
        **trees.to_entry(),
        "takes_missing": all(bool(model.__sklearn_tags__().input_tags.allow_nan) for model in models),
    }


def _read_means(entry: Mapping[str, Any]) -> Callable[[Row], list[float]]:
    """What gives the means of the trees' leaves, one for each number that a leaf has."""
    outputs, count = len(entry["values"]), len(unpack(entry["roots"]))
    add = read_trees(entry, sums=outputs, is_cast=True, takes_missing=entry["takes_missing"])
    noughts = [0.0] * outputs
    return lambda row: [total / count for total in add(row, noughts)]


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    find_means = _read_means(entry)

    def answer(row: Row) -> tuple[int, list[float]]:
        shares = find_means(row)
        return largest(shares), shares

    return Predictor("probabilities", answer)


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    find_means = _read_means(entry)
    return Predictor("value", lambda row: find_means(row)[0])


def _classes(kind: str) -> tuple[str, ...]:
    trees = (f"{_TREE}.DecisionTree{kind}", f"{_TREE}.ExtraTree{kind}")
    return (*trees, f"{_FOREST}.RandomForest{kind}", f"{_FOREST}.ExtraTrees{kind}")


OPERATIONS = (
    Operation("forest_classifier", _classes("Classifier"), _write, _read_classifier),
    Operation("forest_regressor", _classes("Regressor"), _write, _read_regressor),
)
