"""Polynomial features and projections."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit


@few(8)
@given(
    data=data_sets(),
    degree=st.sampled_from((1, 2, 3, (2, 3))),
    interaction_only=st.booleans(),
    include_bias=st.booleans(),
)
def test_polynomial_features_before_a_tree_answer_the_same_bits(data: Data, **settings: Any) -> None:
    settings["include_bias"] |= settings["interaction_only"]
    fitted = fit(make_pipeline(PolynomialFeatures(**settings), DecisionTreeRegressor()), data.table, data.values)

    Compared(fitted, is_exact=True).check(data)


@few(4)
@given(data=data_sets())
def test_polynomial_features_before_a_linear_model_answer_alike(data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), PolynomialFeatures(), Ridge()), data.table, data.values)

    Compared(fitted).check(data)


@pytest.mark.parametrize("projection", (PCA(), PCA(1, whiten=True), IncrementalPCA(2), TruncatedSVD(1)), ids=str)
@few(4)
@given(data=data_sets(least=2))
def test_projection_before_a_model_answers_alike(projection: Any, data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), projection, LogisticRegression()), data.table, data.labels)

    Compared(fitted).check(data)
