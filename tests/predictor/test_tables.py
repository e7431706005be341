"""Models that are given an array where they were fitted on a DataFrame: the DataFrame's answers, bit for bit."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import all_estimators

from predictor.discovery import inspect
from predictor.engines.sklearn_engine import SklearnEngine
from predictor.engines.tables import _PLAIN, takes_plain_arrays
from predictor.features import Feature, Output

RNG = np.random.default_rng(5)
TABLE = pd.DataFrame(RNG.normal(size=(300, 7)), columns=[f"column {number}" for number in range(7)])
ASKED = pd.DataFrame(RNG.normal(size=(2048, 7)), columns=TABLE.columns)
TARGET = (TABLE.sum(axis=1) > 0).astype(int)
FEATURES = tuple(Feature(name=name, kind="number") for name in TABLE.columns)
KINDS = [kind for _, kind in all_estimators() if kind.__name__ in _PLAIN.get(kind.__module__, ())]


def test_names_of_the_list_are_scikit_learns():
    assert len(KINDS) == sum(map(len, _PLAIN.values()))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_array_gives_the_bits_of_the_data_frame(kind):
    step = kind()
    steps = [step] if hasattr(step, "predict") else [step, LogisticRegression()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make_pipeline(*steps).fit(TABLE, TARGET)
        expected = estimator.predict(ASKED)
    is_classifier = hasattr(steps[-1], "classes_")
    output = Output("binary", (0, 1)) if is_classifier else Output("regression")
    engine = SklearnEngine(estimator, inputs=inspect(estimator), features=FEATURES, output=output)

    answers = engine.predict_table([ASKED[name].to_numpy() for name in ASKED])

    assert takes_plain_arrays(estimator)
    given = np.take(answers.label_words, answers.label_codes) if is_classifier else answers.values
    assert given.tobytes() == expected.astype(given.dtype).tobytes()


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler().set_output(transform="pandas"), LogisticRegression()),
        make_pipeline(FunctionTransformer(), LogisticRegression()),
        make_pipeline(ColumnTransformer([("all", StandardScaler(), ["column 1", "column 3"])]), LogisticRegression()),
        type("Forest", (RandomForestClassifier,), {})(),
    ],
    ids=["told to give DataFrames", "a function", "columns by name", "a class that inherits"],
)
def test_estimator_that_may_look_at_columns_is_given_them(estimator):
    assert not takes_plain_arrays(estimator.fit(TABLE, TARGET))


def test_boosting_on_categories_is_given_columns():
    table = TABLE.assign(kind=pd.Categorical(["a", "b", "c"] * 100))

    assert not takes_plain_arrays(HistGradientBoostingClassifier(categorical_features="from_dtype").fit(table, TARGET))
