"""Weighted sums and their links."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from sklearn import linear_model, svm
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from predictor.compiled.reading import Walker
from predictor.compiled.terms import HandOver
from predictor.compiled.writing import write
from predictor.features import Feature, Output
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


@pytest.mark.parametrize("classes", [2, 3])
def test_row_that_rounding_alone_would_classify_is_handed_over(classes: int) -> None:
    weights = np.array([[0.1, 0.2, -0.3], [0.3, 0.0, -0.3], [-1.0, -1.0, -1.0]])
    model = linear_model.LogisticRegression()
    model.classes_, model.coef_ = np.arange(classes), weights[: 1 if classes == 2 else 3]
    model.intercept_, model.n_features_in_ = np.zeros(len(model.coef_)), 3
    features = [Feature(f"x{place}") for place in range(3)]
    output = Output("binary" if classes == 2 else "multiclass", tuple(range(classes)), probabilities=True)
    walker = Walker(write(model, features=features), features=features, output=output)

    with pytest.raises(HandOver):
        walker.answer([1.0, 1.0, 1.0])
    assert walker.answer([1.0, 2.0, 1.0])["label"] == (1 if classes == 2 else 0)
