"""What stands before a model: scaling, imputing, encoding, and columns dealt out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import preprocessing as pre
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.tree import DecisionTreeRegressor

from tests.predictor.compiled.comparing import EXTREMES, Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit
from tests.predictor.compiled.operations.test_trees import with_gaps

_SCALERS = (
    pre.StandardScaler(),
    pre.StandardScaler(with_mean=False),
    pre.RobustScaler(),
    pre.MaxAbsScaler(),
    pre.MinMaxScaler(),
    pre.MinMaxScaler(clip=True),
    pre.Binarizer(threshold=0.5),
    pre.Normalizer(norm="l1"),
    pre.Normalizer(),
    pre.Normalizer(norm="max"),
)
_WORDS = ("red", "green", "blue", "")


@pytest.mark.parametrize("scaler", _SCALERS, ids=str)
@few(3)
@given(data=data_sets())
def test_scaler_before_a_model_answers_alike(scaler: Any, data: Data) -> None:
    fitted = fit(make_pipeline(scaler, Ridge()), data.table, data.values)

    Compared(fitted).check(data)


@pytest.mark.parametrize("scaler", (pre.StandardScaler(), pre.RobustScaler(), pre.MinMaxScaler()), ids=str)
@few(3)
@given(data=data_sets())
def test_scaler_before_a_tree_answers_the_same_bits(scaler: Any, data: Data) -> None:
    fitted = fit(make_pipeline(scaler, DecisionTreeRegressor()), data.table, data.values)

    Compared(fitted, is_exact=True).check(data)


@few(8)
@given(
    data=data_sets(),
    strategy=st.sampled_from(("mean", "median", "most_frequent", "constant")),
    add_indicator=st.booleans(),
)
def test_imputer_before_a_model_answers_alike(data: Data, strategy: str, add_indicator: bool) -> None:
    imputer = SimpleImputer(strategy=strategy, add_indicator=add_indicator)
    fitted = fit(make_pipeline(imputer, pre.StandardScaler(), Ridge()), with_gaps(data.table), data.values)

    Compared(fitted).check(data)


@few(5)
@given(data=data_sets(), weighted=st.booleans())
def test_union_and_selection_before_a_model_answer_alike(data: Data, weighted: bool) -> None:
    union = FeatureUnion(
        [
            ("best", make_pipeline(SimpleImputer(), pre.StandardScaler(), SelectKBest(k=1))),
            ("gaps", MissingIndicator(error_on_new=False, features="all")),
        ],
        transformer_weights={"best": 0.3} if weighted else None,
    )
    fitted = fit(make_pipeline(union, LogisticRegression()), with_gaps(data.table), data.labels)

    Compared(fitted).check(data)


@few(8)
@given(
    data=data_sets(least=2),
    drop=st.sampled_from((None, "first", "if_binary")),
    unknown=st.sampled_from(("ignore", "error")),
    gaps=st.booleans(),
)
def test_encoders_with_words_gaps_and_unknown_ones_answer_alike(
    data: Data, drop: str | None, unknown: str, gaps: bool
) -> None:
    frame = _framed(data, gaps=gaps)
    dealt = ColumnTransformer(
        [
            ("words", pre.OneHotEncoder(drop=drop, handle_unknown=unknown), ["word"]),
            ("order", pre.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["size"]),
            ("number", make_pipeline(SimpleImputer(), pre.StandardScaler()), ["number"]),
        ],
        remainder="drop",
    )
    fitted = fit(make_pipeline(dealt, SimpleImputer(), Ridge()), frame, data.values)
    compared = Compared(fitted)

    rows = [[None if value != value else value for value in row] for row in frame.to_numpy().tolist()]
    rows += [["violet", 2.0, 1.0], ["red", 77.0, 1.0], [None, None, None], ["red", None, extreme_of(data)]]
    for row in rows[:12] + rows[-4:]:
        compared.check_row(row, scale=3.0)


def extreme_of(data: Data) -> float:
    return EXTREMES[data.seed % len(EXTREMES)]


def _framed(data: Data, *, gaps: bool) -> pd.DataFrame:
    random = np.random.default_rng(data.seed)
    words = np.array(_WORDS, dtype=object)[random.integers(0, 4, len(data.table))]
    sizes, numbers = random.integers(0, 3, len(words)).astype(float), data.table[:, 0].copy()
    if gaps:
        words[::6], sizes[::5], numbers[::7] = np.nan, np.nan, np.nan
    return pd.DataFrame({"word": words, "size": sizes, "number": numbers})
