"""Decision trees and the mean of many: what scikit-learn answers, bit for bit."""

from collections.abc import Mapping
from typing import Any

from predictor.compiled.operations.forest import Trees, add_up, nodes_of, read_leaves, read_values
from predictor.compiled.operations.linear import largest
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Write

_TREE, _FOREST = "sklearn.tree._classes", "sklearn.ensemble._forest"


def _write_tree(model: Any, write: Write) -> Entry:
    return _write([model])


def _write_forest(model: Any, write: Write) -> Entry:
    return _write(list(model.estimators_))


def _write(models: list[Any]) -> Entry:
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
    values, count = read_values(entry), len(entry["roots"]) if isinstance(entry["roots"], list) else None
    if len(values) == 2:
        return Predictor("probabilities", _two(find, values, count))

    def answer(row: Row) -> tuple[int, list[float]]:
        leaves = find(row)
        shares = [add_up(0.0, numbers, leaves) / len(leaves) for numbers in values]
        return largest(shares), shares

    return Predictor("probabilities", answer)


def _two(find: Any, values: list[list[float]], count: int | None) -> Any:
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


OPERATIONS = (
    Operation(
        "tree_classifier",
        (f"{_TREE}.DecisionTreeClassifier", f"{_TREE}.ExtraTreeClassifier"),
        _write_tree,
        _read_classifier,
    ),
    Operation(
        "tree_regressor",
        (f"{_TREE}.DecisionTreeRegressor", f"{_TREE}.ExtraTreeRegressor"),
        _write_tree,
        _read_regressor,
    ),
    Operation(
        "forest_classifier",
        (f"{_FOREST}.RandomForestClassifier", f"{_FOREST}.ExtraTreesClassifier"),
        _write_forest,
        _read_classifier,
    ),
    Operation(
        "forest_regressor",
        (f"{_FOREST}.RandomForestRegressor", f"{_FOREST}.ExtraTreesRegressor"),
        _write_forest,
        _read_regressor,
    ),
)
