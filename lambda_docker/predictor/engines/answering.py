"""A fitted estimator's own answers for a table: each thing is computed once, and in the order that is fastest.

What comes out is bit for bit what `predict`, `predict_proba` and `decision_function` return for the same rows.
"""

import copy
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.discovery import read, to_json_value
from predictor.engines import Answers, TableAnswers
from predictor.engines.forests import forest_of
from predictor.engines.leaf_masks import masks_of
from predictor.features import Output

# Below this many rows sorting them takes longer than it saves.
_ORDERED_FROM_ROWS = 1024
_CELLS_A_FEATURE = 8
_SAMPLED_ROWS = 2000
_CHECKED_ROWS = 1024
# Fewer classes than these are compared with all labels at once.
_COMPARED_CLASSES = 8
# Cells are numbered in 64 bits.
_FEATURES_IN_CELLS = 12

_Labelled = tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]


def predict_rows(estimator: Any, table: Any, output: Output) -> Answers:
    """The answers in JSON types."""
    return answer_table(estimator, table, output).to_answers()


def answer_table(estimator: Any, table: Any, output: Output) -> TableAnswers:
    """The answers as arrays.

    predict() is asked beside predict_proba(): the likeliest class is not always the predicted one (SVC, ties). Where
    scikit-learn makes both of the same numbers, they are computed once.
    """
    estimator, table = _through_pipeline(estimator, table)
    if output.type == "regression":
        if _name_of(estimator) == _VALUES_FROM_SUMS:
            return TableAnswers(values=_values_from_sums(estimator, table))
        predicted = np.asarray(_predictor(estimator, "predict")(table))
        return TableAnswers(values=predicted.astype(np.float64, copy=False).reshape(len(predicted)))
    if output.probabilities:
        both = _LABELS_AND_PROBABILITIES.get(_name_of(estimator))
        if both is not None and read(estimator, "classes_") is not None and np.ndim(estimator.classes_) == 1:
            codes, probabilities = both(estimator, table)
            words = [to_json_value(label) for label in np.asarray(estimator.classes_).tolist()]
            return TableAnswers(label_words=words, label_codes=codes, probabilities=probabilities)
    words, codes = _code(np.asarray(estimator.predict(table)), read(estimator, "classes_"))
    if output.probabilities:
        probabilities = np.asarray(estimator.predict_proba(table), np.float64)
        return TableAnswers(label_words=words, label_codes=codes, probabilities=probabilities)
    if output.type != "labels" and read(estimator, "decision_function") is not None:
        scores = _read_scores(estimator.decision_function(table), output)
        return TableAnswers(label_words=words, label_codes=codes, scores=scores)
    return TableAnswers(label_words=words, label_codes=codes)


def _through_pipeline(estimator: Any, table: Any) -> tuple[Any, Any]:
    """The last step of scikit-learn's own Pipeline, and the table as it sees it: both answers need it once."""
    while _name_of(estimator) == "sklearn.pipeline.Pipeline":
        for _, step in estimator.steps[:-1]:
            if step is not None and not isinstance(step, str):
                table = step.transform(table)
        estimator = estimator.steps[-1][1]
    return estimator, table


def _name_of(estimator: Any) -> str:
    # By name: a class that inherits from scikit-learn's may answer otherwise.
    return f"{type(estimator).__module__}.{type(estimator).__qualname__}"


def _from_probabilities(estimator: Any, table: Any) -> _Labelled:
    """Trees and forests: predict() is the first of the likeliest classes."""
    probabilities = np.asarray(_predictor(estimator, "predict_proba")(table), np.float64)
    return np.argmax(probabilities, axis=1), probabilities


def _from_scores(estimator: Any, table: Any) -> _Labelled:
    """Histogram gradient boosting: both are made of its sums, whose sign or largest entry is the class."""
    sums = _sums(estimator, table)
    if sums is None:
        probabilities = np.asarray(estimator.predict_proba(table), np.float64)
        return np.searchsorted(estimator.classes_, estimator.predict(table)), probabilities
    codes = (sums[:, 0] > 0).astype(np.intp) if sums.shape[1] == 1 else np.argmax(sums, axis=1)
    return codes, np.asarray(estimator._loss.predict_proba(sums), np.float64)


def _values_from_sums(estimator: Any, table: Any) -> npt.NDArray[np.float64]:
    sums = _sums(estimator, table)
    if sums is None:
        return np.asarray(estimator.predict(table), np.float64)
    return np.asarray(estimator._loss.link.inverse(sums.ravel()), np.float64)


class _Faster:
    """What gives an estimator's numbers in less time, made when it is first asked about many rows.

    It is used once it has given the estimator's own bits for the first of them. Args: make: what makes it, or None
    where the trees are not of the kind
    """

    def __init__(self, make: "Callable[[Any], _Ask | None]") -> None:
        self._make = make
        # By the trees that it was made of: an estimator may be fitted again. What was made must not hold the estimator.
        self._made: weakref.WeakKeyDictionary[Any, tuple[Any, _Ask | None]] = weakref.WeakKeyDictionary()

    def ask(self, estimator: Any, table: Any, *, trees: Any, slowly: Callable[[Any], Any]) -> npt.NDArray[np.float64]:
        """The numbers. Args: slowly: what gives the same"""
        made_of, faster = self._made.get(estimator, (None, None))
        if made_of is not trees:
            faster = self._made_of(estimator)
            first = table[:_CHECKED_ROWS]
            if faster is not None and not np.array_equal(faster(estimator, first), slowly(first)):
                faster = None
            self._made[estimator] = (trees, faster)
        return np.asarray(_in_order(slowly, table) if faster is None else faster(estimator, table))

    def _made_of(self, estimator: Any) -> "_Ask | None":
        try:
            return self._make(estimator)
        except (AttributeError, KeyError, ValueError):  # another release of scikit-learn may keep its trees otherwise
            return None


_Ask = Callable[[Any, Any], npt.NDArray[np.float64]]


def _masked(estimator: Any) -> _Ask | None:
    masks = masks_of(estimator)
    if masks is None:
        return None
    return lambda asked, table: masks.sums(asked._preprocess_X(table, reset=False), asked._baseline_prediction.ravel())


def _walked(estimator: Any) -> _Ask | None:
    forest = forest_of(estimator)
    return None if forest is None else lambda asked, table: np.asarray(_in_order(partial(forest.ask, asked), table))


_masks, _forests = _Faster(_masked), _Faster(_walked)


def _sums(estimator: Any, table: Any) -> npt.NDArray[np.float64] | None:
    """What histogram gradient boosting adds up, (n, k); None where this release keeps its parts elsewhere."""
    if not all(read(estimator, name) is not None for name in ("_loss", "_raw_predict", "_preprocess_X")):
        return None
    if len(table) < _ORDERED_FROM_ROWS:
        return np.asarray(estimator._raw_predict(table))
    return _masks.ask(estimator, table, trees=read(estimator, "_predictors"), slowly=estimator._raw_predict)


def _from_decisions(estimator: Any, table: Any) -> _Labelled:
    """Logistic regression: both are made of its decisions, which a copy of it finds ready."""
    decisions = estimator.decision_function(table)
    decided = copy.copy(estimator)
    decided.decision_function = lambda _: decisions
    codes = (decisions > 0).astype(np.intp) if decisions.ndim == 1 else np.argmax(decisions, axis=1)
    return codes, np.asarray(decided.predict_proba(table), np.float64)


_LABELS_AND_PROBABILITIES: dict[str, Callable[[Any, Any], _Labelled]] = {
    "sklearn.linear_model._logistic.LogisticRegression": _from_decisions,
    "sklearn.tree._classes.DecisionTreeClassifier": _from_probabilities,
    "sklearn.tree._classes.ExtraTreeClassifier": _from_probabilities,
    "sklearn.ensemble._forest.RandomForestClassifier": _from_probabilities,
    "sklearn.ensemble._forest.ExtraTreesClassifier": _from_probabilities,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier": _from_scores,
}
_VALUES_FROM_SUMS = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor"
_FORESTS = frozenset(
    f"sklearn.ensemble._forest.{name}"
    for name in ("RandomForestClassifier", "ExtraTreesClassifier", "RandomForestRegressor", "ExtraTreesRegressor")
)
_TREES = frozenset(
    f"sklearn.tree._classes.{name}"
    for name in ("DecisionTreeClassifier", "ExtraTreeClassifier", "DecisionTreeRegressor", "ExtraTreeRegressor")
)


def _predictor(estimator: Any, method: str) -> Callable[[Any], Any]:
    """The method; for trees, with rows that are alike next to each other.

    A tree sends each row down on its own, so that the order changes no answer. Neighbours that take the same way let
    the processor guess each turn and find the nodes in its cache: a forest of 100 takes half the time.
    """
    ask: Callable[[Any], Any] = getattr(estimator, method)
    name = _name_of(estimator)
    if name in _FORESTS:
        return partial(_ask_forest, estimator, ask)
    return partial(_in_order, ask) if name in _TREES else ask


def _ask_forest(estimator: Any, ask: Callable[[Any], Any], table: Any) -> Any:
    if len(table) < _ORDERED_FROM_ROWS:
        return ask(table)
    return _forests.ask(estimator, table, trees=read(estimator, "estimators_"), slowly=ask)


def _in_order(ask: Callable[[Any], Any], table: Any) -> Any:
    is_plain = isinstance(table, np.ndarray) and table.dtype.kind == "f" and table.ndim == 2
    if not is_plain or len(table) < _ORDERED_FROM_ROWS:
        return ask(table)
    order = _by_cells(table)
    answers = np.asarray(ask(table[order]))
    restored = np.empty_like(answers)
    restored[order] = answers
    return restored


def _by_cells(table: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """An order of the rows by the cell of a coarse grid that they lie in."""
    cells = np.zeros(len(table), np.int64)
    shares = np.linspace(0, 1, _CELLS_A_FEATURE + 1)[1:-1]
    for column in table.T[:_FEATURES_IN_CELLS]:
        edges = np.nanquantile(column[:_SAMPLED_ROWS], shares) if not np.isnan(column[:_SAMPLED_ROWS]).all() else shares
        cells = cells * _CELLS_A_FEATURE + np.searchsorted(edges, column)
    return np.argsort(cells, kind="stable")


def _code(labels: npt.NDArray[Any], classes: Any) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """The labels that occur, in their JSON type, and which of them each row's is."""
    labels = labels.ravel()  # CatBoost gives a column of them
    if isinstance(classes, np.ndarray) and classes.ndim == 1 and len(classes) <= _COMPARED_CLASSES:
        codes = np.zeros(len(labels), np.intp)
        found = 0
        for code, name in enumerate(classes):
            is_this = np.asarray(labels == name)
            codes[is_this] = code
            found += int(np.count_nonzero(is_this))
        if found == len(labels):
            return [to_json_value(label) for label in classes.tolist()], codes
    places: dict[Any, int] = {}
    listed = [places.setdefault(label, len(places)) for label in labels.tolist()]
    return [to_json_value(label) for label in places], np.array(listed, dtype=np.intp)


def _read_scores(scores: Any, output: Output) -> npt.NDArray[np.float64] | None:
    array = np.asarray(scores, dtype=np.float64)
    if output.type == "binary":
        return array.ravel()
    # One-against-one scores have a column a pair of classes, which means nothing to a reader.
    return array if array.ndim == 2 and array.shape[1] == len(output.classes or ()) else None
