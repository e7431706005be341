"""Votes and means of several models."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_LINEAR = make_pipeline(StandardScaler(), LogisticRegression())
_MODELS = [("linear", _LINEAR), ("tree", DecisionTreeClassifier(max_depth=2)), ("deep", DecisionTreeClassifier())]


@pytest.mark.parametrize("voting", ("soft", "hard"))
@few(5)
@given(data=data_sets(), weights=st.sampled_from((None, (1, 2, 3), (0.2, 0.3, 0.5))))
def test_voting_classifier_with_any_rows_answers_alike(data: Data, voting: str, weights: Any) -> None:
    fitted = fit(ensemble.VotingClassifier(_MODELS, voting=voting, weights=weights), data.table, data.labels)

    Compared(fitted).check(data)


@few(5)
@given(data=data_sets(), weights=st.sampled_from((None, (1, 2), (0.2, 0.3))))
def test_voting_regressor_with_any_rows_answers_alike(data: Data, weights: Any) -> None:
    models = [("linear", Ridge()), ("tree", DecisionTreeRegressor(max_depth=2))]
    fitted = fit(ensemble.VotingRegressor(models, weights=weights), data.table, data.values)

    Compared(fitted).check(data)


@pytest.mark.parametrize("base", (DecisionTreeClassifier(max_depth=3), _LINEAR, RidgeClassifier()), ids=str)
@few(4)
@given(
    data=data_sets(least=2), **{"max_features": st.sampled_from((0.6, 1.0)), "max_samples": st.sampled_from((4, 20))}
)
def test_bagging_classifier_with_any_rows_answers_alike(base: Any, data: Data, **settings: Any) -> None:
    model = ensemble.BaggingClassifier(base, n_estimators=5, random_state=1, bootstrap_features=True, **settings)
    try:
        fitted = fit(model, data.table, data.labels)
    except ValueError:  # a sample of one class
        return

    Compared(fitted).check(data, answered=0.3)


@pytest.mark.parametrize("base", (DecisionTreeRegressor(max_depth=3), Ridge()), ids=str)
@few(4)
@given(data=data_sets(least=2))
def test_bagging_regressor_with_any_rows_answers_alike(base: Any, data: Data) -> None:
    model = ensemble.BaggingRegressor(base, n_estimators=5, random_state=1, max_features=0.6)
    fitted = fit(model, data.table, data.values)

    Compared(fitted, is_exact=isinstance(base, DecisionTreeRegressor)).check(data)
