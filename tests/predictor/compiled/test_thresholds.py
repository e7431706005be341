"""What trees compare inputs with is found behind what people put before trees."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from predictor.compiled.thresholds import thresholds_of
from predictor.compiled.writing import write
from predictor.description import describe

RANDOM = np.random.default_rng(3)
TABLE = pd.DataFrame({"city": ["Bern", "Zug"] * 30, "age": RANDOM.normal(50, 9, 60), "income": RANDOM.normal(9, 2, 60)})
NUMBERS = ["age", "income"]
SCALED = make_pipeline(SimpleImputer(), StandardScaler())


def found(prepare: Any) -> list[tuple[int, float]]:
    model = make_pipeline(prepare, DecisionTreeRegressor(max_depth=1)).fit(TABLE, TABLE["age"] > 50)
    return list(thresholds_of(write(model, features=describe(model).features)["model"], 3))


@pytest.mark.parametrize(
    "prepare",
    [
        make_column_transformer((SCALED, NUMBERS), (OneHotEncoder(), ["city"])),
        make_column_transformer((OneHotEncoder(), ["city"]), (SCALED, NUMBERS)),
        make_pipeline(make_column_transformer((SCALED, NUMBERS)), SelectKBest(k=1)),
        make_column_transformer((SCALED, NUMBERS), (make_pipeline(OneHotEncoder()), ["city"])),
    ],
    ids=["first", "last", "selected", "before something unknown"],
)
def test_thresholds_behind_a_preparation_are_the_inputs(prepare: Any) -> None:
    ((place, threshold),) = found(prepare)

    assert place == 1
    assert threshold == pytest.approx(50, abs=3)


def test_thresholds_behind_columns_of_unknown_number_are_left_out() -> None:
    products = make_column_transformer((PolynomialFeatures(2), NUMBERS[1:]), ("passthrough", NUMBERS[:1]))

    assert found(products) == []
