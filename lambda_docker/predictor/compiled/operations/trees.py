"""Decision trees and the mean of many: what scikit-learn answers, bit for bit."""

from collections.abc import Callable, Mapping
from typing import Any

from predictor.compiled.operations.forest import FindLeaves, Trees, add_up, nodes_of, read_leaves, read_values
from predictor.compiled.operations.linear import largest
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


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    find = read_leaves(entry, is_cast=True, takes_missing=entry["takes_missing"])
    values = read_values(entry)
    if len(values) == 2:
        return Predictor("probabilities", _two(find, values))

    def answer(row: Row) -> tuple[int, list[float]]:
        leaves = find(row)
        shares = [add_up(0.0, numbers, leaves) / len(leaves) for numbers in values]
        return largest(shares), shares

    return Predictor("probabilities", answer)


def _two(find: FindLeaves, values: list[list[float]]) -> Callable[[Row], tuple[int, list[float]]]:
    first_of, second_of = values

    def answer(row: Row) -> tuple[int, list[float]]:
        first = second = 0.0
        leaves = find(row)
        for leaf in leaves:
            first += first_of[leaf]
            second += second_of[leaf]
        first, second = first / len(leaves), second / len(leaves)
        return int(second > first), [first, second]

    return answer


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    find = read_leaves(entry, is_cast=True, takes_missing=entry["takes_missing"])
    (numbers,) = read_values(entry)

    def answer(row: Row) -> float:
        leaves = find(row)
        return add_up(0.0, numbers, leaves) / len(leaves)

    return Predictor("value", answer)


def _classes(kind: str) -> tuple[str, ...]:
    trees = (f"{_TREE}.DecisionTree{kind}", f"{_TREE}.ExtraTree{kind}")
    return (*trees, f"{_FOREST}.RandomForest{kind}", f"{_FOREST}.ExtraTrees{kind}")


OPERATIONS = (
    Operation("forest_classifier", _classes("Classifier"), _write, _read_classifier),
    Operation("forest_regressor", _classes("Regressor"), _write, _read_regressor),
)
