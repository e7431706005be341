"""Weighted sums and their links."""

from typing import Any

import pytest
from hypothesis import given
from sklearn import linear_model, svm
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_CLASSIFIERS = (
    linear_model.LogisticRegression(),
    linear_model.RidgeClassifier(),
    linear_model.Perceptron(),
    linear_model.SGDClassifier(loss="log_loss"),
    linear_model.SGDClassifier(loss="hinge"),
    svm.LinearSVC(),
)
_REGRESSORS = (linear_model.LinearRegression(), linear_model.Lasso(), linear_model.Ridge(fit_intercept=False))


@pytest.mark.parametrize("model", _CLASSIFIERS, ids=str)
@few(6)
@given(data=data_sets())
def test_linear_classifier_with_any_rows_answers_alike(model: Any, data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), model), data.table, data.labels)

    Compared(fitted).check(data)


@pytest.mark.parametrize("model", _REGRESSORS, ids=str)
@few(6)
@given(data=data_sets())
def test_linear_regressor_with_any_rows_answers_alike(model: Any, data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), model), data.table, data.values)

    Compared(fitted).check(data)


@pytest.mark.parametrize("model", (linear_model.PoissonRegressor(), linear_model.GammaRegressor()), ids=str)
@few(6)
@given(data=data_sets())
def test_generalized_linear_regressor_with_any_rows_answers_alike(model: Any, data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), model), data.table, abs(data.values) + 0.1)

    Compared(fitted).check(data)
