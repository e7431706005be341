"""What is computed once, and in another order, is bit for bit what the estimator's own methods give."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from predictor.discovery import is_of_scikit_learn
from predictor.engines import TableAnswers
from predictor.engines.answering import answer_table, predict_rows
from predictor.engines.leaf_masks import LeafMasks, masks_of
from predictor.engines.sklearn_engine import _quiet
from predictor.features import Output

ROWS = 3000


def _classes(classes: int, rows: int = ROWS):
    return make_classification(rows, 6, n_informative=5, n_redundant=0, n_classes=classes, random_state=0)


CLASSIFIERS = [
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(20, random_state=0),
    ExtraTreesClassifier(20, random_state=0, max_depth=5),
    HistGradientBoostingClassifier(max_iter=20, random_state=0),
    LogisticRegression(),
    make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0)),
    make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=5))),
]
REGRESSORS = [
    DecisionTreeRegressor(random_state=0),
    RandomForestRegressor(20, random_state=0),
    ExtraTreesRegressor(20, random_state=0),
    HistGradientBoostingRegressor(max_iter=20),
    HistGradientBoostingRegressor(max_iter=20, loss="poisson"),
]


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=str)
def test_classifier_answers_as_its_own_methods(estimator, classes):
    table, target = _classes(classes)
    estimator.fit(table[:500], np.array(["a", "b", "c", "d"])[target[:500]])
    output = Output("binary" if classes == 2 else "multiclass", tuple("abcd"[:classes]), probabilities=True)

    answers = answer_table(estimator, table, output)

    assert answers.to_answers().labels == estimator.predict(table).tolist()
    assert answers.probabilities.tolist() == estimator.predict_proba(table).tolist()


@pytest.mark.parametrize("estimator", REGRESSORS, ids=str)
def test_regressor_answers_as_its_own_method(estimator):
    table, target = make_regression(ROWS, 6, random_state=0)
    estimator.fit(table[:500], np.abs(target[:500]))

    answers = answer_table(estimator, table, Output("regression"))

    assert answers.values.tolist() == estimator.predict(table).tolist()


def test_tree_with_missing_values_and_values_on_thresholds_answers_as_its_own_methods():
    table, target = _classes(2)
    table[::7, 0] = np.nan
    estimator = HistGradientBoostingClassifier(max_iter=20).fit(table[:800], target[:800])
    thresholds = np.concatenate([trees[0].nodes["num_threshold"] for trees in estimator._predictors])
    table[:, 1] = np.resize(thresholds, ROWS)
    table[:, 5] = np.nan

    answers = answer_table(estimator, table, Output("binary", (0, 1), probabilities=True))

    assert answers.to_answers().labels == estimator.predict(table).tolist()
    assert answers.probabilities.tolist() == estimator.predict_proba(table).tolist()


@pytest.mark.parametrize("leaves", [2, 7, 31, 32, 33])
@pytest.mark.parametrize("classes", [2, 3])
def test_masks_of_leaves_add_up_to_the_same_bits(leaves, classes):
    table, target = _classes(classes)
    table[::5, 2] = np.nan
    estimator = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=leaves, random_state=0)
    estimator.fit(table[:1500], target[:1500])
    extremes = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e300, 5e-324])
    table[: len(extremes) * 6] = np.resize(extremes, (len(extremes) * 6, 6))

    masks = masks_of(estimator)

    assert (masks is None) == (leaves > 32)
    if masks is not None:
        sums = masks.sums(table, estimator._baseline_prediction.ravel())
        assert sums.tolist() == estimator._raw_predict(table).tolist()
    answers = answer_table(estimator, table, Output("multiclass", tuple(range(classes)), probabilities=True))
    assert answers.probabilities.tolist() == estimator.predict_proba(table).tolist()


def test_masks_of_trees_that_split_by_category_are_not_made():
    table, target = _classes(2)
    table[:, 0] = np.arange(ROWS) % 5
    estimator = HistGradientBoostingClassifier(max_iter=10, categorical_features=[0]).fit(table[:500], target[:500])

    answers = answer_table(estimator, table, Output("binary", (0, 1), probabilities=True))

    assert masks_of(estimator) is None
    assert answers.probabilities.tolist() == estimator.predict_proba(table).tolist()


def test_masks_that_give_other_sums_are_not_used(monkeypatch):
    table, target = _classes(2)
    estimator = HistGradientBoostingClassifier(max_iter=5).fit(table[:500], target[:500])
    monkeypatch.setattr(LeafMasks, "sums", lambda self, table, baseline: np.zeros((len(table), 1)))

    answers = answer_table(estimator, table, Output("binary", (0, 1), probabilities=True))

    assert answers.probabilities.tolist() == estimator.predict_proba(table).tolist()


def test_estimator_that_is_fitted_again_is_answered_by_its_new_trees():
    table, target = _classes(2)
    estimator = HistGradientBoostingClassifier(max_iter=5).fit(table[:500], target[:500])
    answer_table(estimator, table, Output("binary", (0, 1), probabilities=True))

    estimator.fit(table[:500], 1 - target[:500])
    answers = answer_table(estimator, table, Output("binary", (0, 1), probabilities=True))

    assert answers.probabilities.tolist() == estimator.predict_proba(table).tolist()


def test_scores_of_a_classifier_without_probabilities_answer_as_its_own_methods():
    table, target = _classes(4)
    estimator = RidgeClassifier().fit(table, target)

    answers = answer_table(estimator, table, Output("multiclass", (0, 1, 2, 3)))

    assert answers.to_answers().labels == estimator.predict(table).tolist()
    assert answers.scores.tolist() == estimator.decision_function(table).tolist()


def test_likeliest_class_is_not_taken_for_the_predicted_one():
    table, target = _classes(4, rows=300)
    estimator = SVC(decision_function_shape="ovr", random_state=0).fit(table, target)

    answers = predict_rows(estimator, table, Output("multiclass", (0, 1, 2, 3)))

    assert answers.labels == estimator.predict(table).tolist()


@pytest.mark.parametrize("labels", [[True, False], [1.0, 2.0], [3, 1], ["x", "y"]])
def test_labels_keep_their_type(labels):
    table, target = _classes(2, rows=200)
    estimator = LogisticRegression().fit(table, np.array(labels)[target])

    answers = predict_rows(estimator, table, Output("binary", tuple(labels), probabilities=True))

    assert answers.labels == estimator.predict(table).tolist()
    assert {type(label) for label in answers.labels} == {type(labels[0])}


def test_labels_that_come_as_a_column_are_one_a_row():
    table, target = _classes(2, rows=50)
    estimator = LogisticRegression().fit(table, np.array(["x", "y"])[target])
    expected = estimator.predict(table).tolist()
    estimator.predict = lambda given: LogisticRegression.predict(estimator, given)[:, None]

    answers = predict_rows(estimator, table, Output("binary", ("x", "y"), probabilities=True))

    assert answers.labels == expected


def test_joined_answers_are_those_of_the_parts_in_order():
    first = TableAnswers(label_words=["a", "b"], label_codes=np.array([1, 0]), probabilities=np.eye(2))
    second = TableAnswers(label_words=["c", "b"], label_codes=np.array([0, 1]), probabilities=np.ones((2, 2)))

    joined = TableAnswers.joined([first, second])

    assert joined.to_answers().labels == ["b", "a", "c", "b"]
    assert joined.probabilities.tolist() == [[1, 0], [0, 1], [1, 1], [1, 1]]
    assert joined.values is None


def _of_somebody_else(table):
    return table


class _Own(LogisticRegression):
    """A class of somebody else's that inherits from scikit-learn's."""


@pytest.mark.parametrize(
    ("estimator", "is_safe"),
    [
        (LogisticRegression(), True),
        (make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=2)), True),
        (RandomForestClassifier(2), True),
        (make_pipeline(FunctionTransformer(_of_somebody_else), LogisticRegression()), False),
        (_Own(), False),
        (make_pipeline(StandardScaler(), _Own()), False),
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), True),
        (GridSearchCV(_Own(), {"C": [1.0]}, cv=2), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_estimators_of_scikit_learn_alone_are_asked_in_threads(estimator, is_safe):
    table, target = _classes(2, rows=60)

    assert is_of_scikit_learn(estimator.fit(table, target)) is is_safe


def test_warnings_come_back_once_the_last_thread_is_through():
    before = list(warnings.filters)

    with _quiet, _quiet:
        warnings.warn("nobody hears this", UserWarning, stacklevel=1)

    assert warnings.filters == before
