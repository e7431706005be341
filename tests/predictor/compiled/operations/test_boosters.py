"""LightGBM, where it is installed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

lightgbm = pytest.importorskip("lightgbm")
_SETTINGS = {"n_estimators": 6, "min_child_samples": 3, "n_jobs": 1, "verbose": -1}


@few(6)
@given(data=data_sets())
def test_lightgbm_classifier_with_any_rows_answers_alike(data: Data) -> None:
    Compared(fit(lightgbm.LGBMClassifier(**_SETTINGS), data.table, data.labels)).check(data)


@few(6)
@given(data=data_sets(), objective=st.sampled_from(("regression", "poisson", "huber")))
def test_lightgbm_regressor_with_any_rows_answers_alike(data: Data, objective: str) -> None:
    fitted = fit(lightgbm.LGBMRegressor(**_SETTINGS, objective=objective), data.table, abs(data.values) + 0.1)

    Compared(fitted, is_exact=objective != "poisson").check(data)
