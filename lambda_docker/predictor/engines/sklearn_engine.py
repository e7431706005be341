"""scikit-learn itself answers: the reference that every other engine must equal bit for bit."""

import contextlib
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from predictor.discovery import Inspection, final_estimator, is_of_scikit_learn, read, to_json_value
from predictor.engines import Answers, Columns, TableAnswers
from predictor.engines.answering import answer_table, predict_rows
from predictor.engines.tables import build_table, takes_plain_arrays
from predictor.features import Feature, Output
from predictor.pandas_path import with_pandas_at_need

T = TypeVar("T")


class SklearnEngine:
    """A loaded estimator with the table that it wants to see."""

    def __init__(self, estimator: Any, *, inputs: Inspection, features: Sequence[Feature], output: Output) -> None:
        self._estimator = estimator
        self._inputs = inputs
        self._is_plain = takes_plain_arrays(estimator)
        self._features = tuple(features)
        self._output = output
        # scikit-learn's own estimators only read themselves while they answer; of others nobody knows.
        self.is_thread_safe = is_of_scikit_learn(estimator)
        self._turn = contextlib.nullcontext() if self.is_thread_safe else threading.Lock()

    def describe(self) -> Output:
        return self._output

    def predict(self, columns: Columns) -> Answers:
        return self._ask(predict_rows, columns)

    def predict_table(self, columns: Columns) -> TableAnswers:
        return self._ask(answer_table, columns)

    def _ask(self, answer: Callable[[Any, Any, Output], T], columns: Columns) -> T:
        # What scikit-learn warns of here (a division, an overflow) no caller could act on, and logs would fill with it.
        with self._turn, _quiet:
            table = build_table(columns, inputs=self._inputs, features=self._features, is_plain=self._is_plain)
            return with_pandas_at_need(lambda: answer(self._estimator, table, self._output))


class _Quiet:
    """No warnings, for as long as any thread is inside: Python's filters are the whole process's."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._filters = contextlib.ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")

    def __exit__(self, *problem: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.close()


_quiet = _Quiet()


def read_output(estimator: Any, predicted: Any) -> Output:
    """What this estimator gives, judged by its kind and by what it `predicted` for some row."""
    from sklearn.base import is_classifier, is_regressor

    last = final_estimator(estimator)
    classes, gives_probabilities = read(estimator, "classes_"), read(estimator, "predict_proba") is not None
    if classes is not None and (_is(is_classifier, estimator, last) or gives_probabilities):
        kind = "binary" if len(classes) == 2 else "multiclass"
        known = tuple(to_json_value(label) for label in np.asarray(classes).tolist())
        return Output(type=kind, classes=known, probabilities=gives_probabilities)
    if _is(is_regressor, estimator, last):
        return Output(type="regression")
    if _is_labelling(estimator) or np.asarray(predicted).dtype.kind != "f":
        return Output(type="labels")
    return Output(type="regression")


def _is_labelling(estimator: Any) -> bool:
    from sklearn.base import is_clusterer, is_outlier_detector

    last = final_estimator(estimator)
    return _is(is_clusterer, estimator, last) or _is(is_outlier_detector, estimator, last)


def _is(of_kind: Callable[[Any], bool], *estimators: Any) -> bool:
    """Whether one of them is of the kind. A class that does not inherit from scikit-learn's has none, and it raises."""
    for estimator in estimators:
        with contextlib.suppress(Exception):
            if of_kind(estimator):
                return True
    return False


def first_not_finite(answers: Answers) -> int | None:
    """The first row whose numbers are not all finite, or None: JSON and a reader can do nothing with those."""
    for numbers in (answers.values, answers.probabilities, answers.scores):
        if not numbers:
            continue
        finite = np.isfinite(np.asarray(numbers, dtype=np.float64))
        if not finite.all():
            return int(np.argmin(finite.reshape(len(numbers), -1).all(axis=1)))
    return None
