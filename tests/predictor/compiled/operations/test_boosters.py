"""LightGBM, where it is installed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit
from tests.predictor.compiled.operations.test_trees import with_gaps

lightgbm = pytest.importorskip("lightgbm")
_SETTINGS = {"n_estimators": 6, "min_child_samples": 3, "n_jobs": 1, "verbose": -1}


@few(6)
@given(data=data_sets(), gaps=st.booleans())
def test_lightgbm_classifier_with_any_rows_answers_alike(data: Data, gaps: bool) -> None:
    table = with_gaps(data.table) if gaps else data.table

    Compared(fit(lightgbm.LGBMClassifier(**_SETTINGS), table, data.labels)).check(data)


@few(6)
@given(data=data_sets(), gaps=st.booleans())
def test_lightgbm_regressor_with_gaps_answers_the_same_bits_by_itself(data: Data, gaps: bool) -> None:
    table = with_gaps(data.table) if gaps else data.table
    compared = Compared(fit(lightgbm.LGBMRegressor(**_SETTINGS), table, data.values), is_exact=True)

    for row in with_gaps(data.table + 1.0).tolist()[:20]:
        assert compared.check_row([None if value != value else value for value in row])


@few(6)
@given(data=data_sets(), objective=st.sampled_from(("regression", "poisson", "huber")))
def test_lightgbm_regressor_with_any_rows_answers_alike(data: Data, objective: str) -> None:
    fitted = fit(lightgbm.LGBMRegressor(**_SETTINGS, objective=objective), data.table, abs(data.values) + 0.1)

    Compared(fitted, is_exact=objective != "poisson").check(data)
