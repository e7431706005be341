"""XGBoost, where it is installed: bit for bit, in float32."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from predictor.compiled.terms import CannotCompile
from predictor.compiled.writing import write
from predictor.description import describe
from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit
from tests.predictor.compiled.operations.test_trees import with_gaps

xgboost = pytest.importorskip("xgboost")
_SETTINGS = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1}
_OBJECTIVES = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "count:poisson", "reg:gamma")


def codes_of(data: Data) -> Any:
    """XGBoost takes no names for classes."""
    return np.unique(data.labels, return_inverse=True)[1]


@few(8)
@given(data=data_sets(), gaps=st.booleans(), forest=st.sampled_from((1, 3)))
def test_xgboost_classifier_with_any_rows_answers_the_same_bits(data: Data, gaps: bool, forest: int) -> None:
    model = xgboost.XGBClassifier(**_SETTINGS, num_parallel_tree=forest, subsample=0.8)
    fitted = fit(model, with_gaps(data.table) if gaps else data.table, codes_of(data))

    Compared(fitted, is_exact=True).check(data, answered=0.2)


@few(8)
@given(data=data_sets(), gaps=st.booleans(), objective=st.sampled_from(_OBJECTIVES))
def test_xgboost_regressor_with_any_rows_answers_the_same_bits(data: Data, gaps: bool, objective: str) -> None:
    model = xgboost.XGBRegressor(**_SETTINGS, objective=objective)
    fitted = fit(model, with_gaps(data.table) if gaps else data.table, abs(data.values) + 0.1)

    # Of few different numbers one whose exponential is unsure may make up much.
    Compared(fitted, is_exact=True).check(data, answered=0.2)


@few(4)
@given(data=data_sets(least=2))
def test_xgboost_that_stopped_early_answers_with_its_best_trees(data: Data) -> None:
    model = xgboost.XGBRegressor(n_estimators=30, learning_rate=0.9, early_stopping_rounds=2, n_jobs=1)
    model.fit(data.table, data.values, eval_set=[(data.table[::3], -data.values[::3])], verbose=False)

    Compared(model, is_exact=True).check(data)


@few(6)
@given(data=data_sets(least=2))
def test_xgboost_behind_a_sparse_table_takes_its_noughts_for_missing(data: Data) -> None:
    frame = framed(data)
    dealt = ColumnTransformer(
        [("words", OneHotEncoder(handle_unknown="ignore"), ["word"]), ("number", "passthrough", ["number"])],
        sparse_threshold=1.0,
    )
    fitted = fit(make_pipeline(dealt, xgboost.XGBRegressor(**_SETTINGS)), frame, data.values)
    compared = Compared(fitted, is_exact=True)

    assert compared.document["model"]["steps"][-1]["noughts_are_missing"]
    for word in ("red", "green", "violet"):
        for number in (0.0, -0.0, 1.0, *frame["number"][:5]):
            compared.check_row([word, float(number)])


@few(3)
@given(data=data_sets(least=2))
def test_xgboost_behind_a_dense_table_sees_noughts(data: Data) -> None:
    dealt = ColumnTransformer(
        [("words", OneHotEncoder(sparse_output=False), ["word"]), ("number", StandardScaler(), ["number"])]
    )
    fitted = fit(make_pipeline(dealt, xgboost.XGBRegressor(**_SETTINGS)), framed(data), data.values)
    compared = Compared(fitted, is_exact=True)

    for word in ("red", "green", "blue"):
        for number in (0.0, *framed(data)["number"][:8]):
            compared.check_row([word, float(number)])


def framed(data: Data) -> pd.DataFrame:
    words = np.array(["red", "green", "blue", "gray"], dtype=object)[np.arange(len(data.table)) % 4]
    return pd.DataFrame({"word": words, "number": np.round(data.table[:, 0])})


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"booster": "gblinear"}, "plain trees"),
        ({"booster": "dart"}, "plain trees"),
        ({"missing": -1.0}, "number for missing"),
        ({"objective": "reg:quantileerror", "quantile_alpha": 0.5}, "quantileerror"),
    ],
)
def test_xgboost_of_other_kinds_is_not_compiled_and_says_why(settings: dict[str, Any], reason: str) -> None:
    table = np.random.default_rng(0).normal(size=(40, 2))
    model = fit(xgboost.XGBRegressor(n_estimators=2, n_jobs=1, **settings), table, table[:, 0])

    with pytest.raises(CannotCompile, match=reason):
        write(model, features=describe(model).features)


def test_xgboost_behind_a_table_that_is_partly_sparse_is_not_compiled() -> None:
    table = np.abs(np.random.default_rng(0).normal(size=(40, 1))).round()
    union = make_union(MinMaxScaler(), OneHotEncoder(handle_unknown="ignore"))
    model = fit(make_pipeline(union, xgboost.XGBRegressor(n_estimators=2, n_jobs=1)), table, table[:, 0])

    with pytest.raises(CannotCompile, match="noughts of a sparse table"):
        write(model, features=describe(model).features)
