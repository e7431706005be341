"""Trees, forests and boosting: bit for bit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble, tree

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_CLASSIFIERS = (
    tree.DecisionTreeClassifier(max_depth=4),
    tree.ExtraTreeClassifier(),
    ensemble.RandomForestClassifier(n_estimators=7),
    ensemble.ExtraTreesClassifier(n_estimators=5, max_depth=3),
)
_REGRESSORS = (tree.DecisionTreeRegressor(), ensemble.RandomForestRegressor(n_estimators=7))
_BOOSTED = {"n_estimators": 6, "max_depth": 2}


@pytest.mark.parametrize("model", _CLASSIFIERS, ids=str)
@few(4)
@given(data=data_sets(), gaps=st.booleans())
def test_tree_classifier_with_any_rows_answers_the_same_bits(model: Any, data: Data, gaps: bool) -> None:
    fitted = fit(model, with_gaps(data.table) if gaps else data.table, data.labels)

    Compared(fitted, is_exact=True).check(data)


@pytest.mark.parametrize("model", _REGRESSORS, ids=str)
@few(4)
@given(data=data_sets(), gaps=st.booleans())
def test_tree_regressor_with_any_rows_answers_the_same_bits(model: Any, data: Data, gaps: bool) -> None:
    fitted = fit(model, with_gaps(data.table) if gaps else data.table, data.values)

    Compared(fitted, is_exact=True).check(data)


@few(5)
@given(data=data_sets())
def test_gradient_boosting_classifier_with_any_rows_answers_alike(data: Data) -> None:
    fitted = fit(ensemble.GradientBoostingClassifier(**_BOOSTED), data.table, data.labels)

    Compared(fitted).check(data)


@pytest.mark.parametrize("loss", ("squared_error", "absolute_error", "huber"))
@few(3)
@given(data=data_sets())
def test_gradient_boosting_regressor_with_any_rows_answers_the_same_bits(data: Data, loss: str) -> None:
    fitted = fit(ensemble.GradientBoostingRegressor(**_BOOSTED, loss=loss), data.table, data.values)

    Compared(fitted, is_exact=True).check(data)


@few(5)
@given(data=data_sets(), gaps=st.booleans())
def test_histogram_classifier_with_any_rows_answers_alike(data: Data, gaps: bool) -> None:
    model = ensemble.HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=3)
    fitted = fit(model, with_gaps(data.table) if gaps else data.table, data.labels)

    Compared(fitted).check(data)


@pytest.mark.parametrize("loss", ("squared_error", "poisson"))
@few(3)
@given(data=data_sets(), gaps=st.booleans())
def test_histogram_regressor_with_any_rows_answers_alike(data: Data, loss: str, gaps: bool) -> None:
    model = ensemble.HistGradientBoostingRegressor(max_iter=6, min_samples_leaf=3, loss=loss)
    fitted = fit(model, with_gaps(data.table) if gaps else data.table, abs(data.values) + 0.1)

    Compared(fitted, is_exact=loss == "squared_error").check(data)


def with_gaps(table: Any) -> Any:
    """The table with every seventh number missing."""
    holed = table.copy()
    holed.ravel()[::7] = np.nan
    return holed


@pytest.mark.parametrize("is_classifier", (True, False))
@few(5)
@given(data=data_sets(least=2), gaps=st.booleans())
def test_histograms_with_categories_answer_alike(data: Data, is_classifier: bool, gaps: bool) -> None:
    kind = ensemble.HistGradientBoostingClassifier if is_classifier else ensemble.HistGradientBoostingRegressor
    table = data.table.copy()
    table[:, 0] = np.random.default_rng(data.seed).integers(0, 5, len(table))
    table = with_gaps(table) if gaps else table
    model = kind(max_iter=6, min_samples_leaf=3, categorical_features=[0])
    fitted = fit(model, table, data.labels if is_classifier else data.values)
    rows = np.nan_to_num(table, nan=0.0)

    compared = Compared(fitted, is_exact=not is_classifier)
    compared.check(Data(rows, data.labels, data.values, data.seed))
    for unusual in (7.0, -1.0, 0.5, 1e9, None):
        compared.check_row([unusual, *rows[0, 1:].tolist()])


def test_histograms_with_categories_of_words_answer_the_same_bits() -> None:
    random = np.random.default_rng(5)
    words = np.array(["red", "green", "blue", "grey"], dtype=object)[random.integers(0, 4, 80)]
    frame = pd.DataFrame({"size": random.normal(size=80), "word": pd.Categorical(words)})
    target = (words == "red") * 2.0 + (words == "grey") + frame["size"]
    compared = Compared(fit(ensemble.HistGradientBoostingRegressor(max_iter=5), frame, target), is_exact=True)

    answered = [compared.check_row([0.3, word]) for word in ("red", "green", "blue", "grey", "violet", None)]

    assert all(answered[:4])
