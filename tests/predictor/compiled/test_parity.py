"""The gate: what passes is what answers as scikit-learn does, and a difference is found where it is hidden best."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from predictor.compiled import parity
from predictor.compiled.parity import Compiled, NotCompiled, compile_model
from predictor.description import describe
from predictor.trials import try_out

RANDOM = np.random.default_rng(7)
TABLE = pd.DataFrame(
    {
        "age": RANDOM.integers(18, 90, 200).astype(float),
        "income": RANDOM.lognormal(10, 1, 200),
        "city": RANDOM.choice(["Basel", "Bern", "Zug"], 200),
    }
)
NUMBERS = TABLE[["age", "income"]]
BOUGHT = np.where(TABLE["age"] + RANDOM.normal(0, 9, 200) > 50, "yes", "no")


def compiled(model, table=NUMBERS, target=BOUGHT):
    description = describe(model.fit(table, target))
    found = try_out(description)
    # Whether it is faster is not the question: here everything runs beside much else.
    return compile_model(description, golden=found.golden, single_milliseconds=1e9)


def with_document(monkeypatch, change) -> None:
    """The tables are written otherwise than they should be."""
    write = parity.write

    def write_otherwise(model, features):
        document = json.loads(json.dumps(write(model, features=features)))
        change(document["model"])
        return document

    monkeypatch.setattr(parity, "write", write_otherwise)


def test_trees_pass_bit_for_bit():
    found = compiled(RandomForestClassifier(10, random_state=0))

    assert isinstance(found, Compiled)
    assert (found.largest_difference, found.rows > 200) == (0.0, True)


def test_columns_and_categories_pass_within_last_digits():
    columns = make_column_transformer((StandardScaler(), ["age", "income"]), (OneHotEncoder(), ["city"]))

    found = compiled(make_pipeline(columns, LogisticRegression()), TABLE)

    assert isinstance(found, Compiled)
    assert found.largest_difference <= 1e-12


def test_columns_that_come_from_several_inputs_are_compared_without_their_thresholds():
    prepared = (PolynomialFeatures(2, include_bias=False), SelectKBest(k=3), StandardScaler())

    found = compiled(make_pipeline(*prepared, DecisionTreeClassifier(random_state=0)))

    assert isinstance(found, Compiled)


@pytest.mark.parametrize("neighbour", [-np.inf, np.inf])
def test_tree_of_a_threshold_one_float_off_is_found_out_with_its_row(monkeypatch, neighbour):
    def move(model):
        model["thresholds"][0] = float(np.nextafter(model["thresholds"][0], neighbour))

    with_document(monkeypatch, move)

    found = compiled(DecisionTreeClassifier(max_depth=1, random_state=0), NUMBERS[["age"]])

    assert isinstance(found, NotCompiled)
    assert found.reason == "its tables answer otherwise than scikit-learn does"
    assert set(found.row or {}) == {"age"}


def test_weight_that_is_a_little_off_is_found_out(monkeypatch):
    def nudge(model):
        model["weights"][0][0] *= 1 + 1e-10

    with_document(monkeypatch, nudge)

    found = compiled(LinearRegression(), NUMBERS, NUMBERS["age"] * 2 + NUMBERS["income"] * 1e-3)

    assert isinstance(found, NotCompiled)
    assert found.row is not None


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()), "FunctionTransformer"),
        (make_pipeline(StandardScaler(), GaussianProcessClassifier()), "GaussianProcessClassifier"),
    ],
)
def test_what_no_operation_writes_is_served_in_full_and_says_why(model, reason):
    found = compiled(model)

    assert isinstance(found, NotCompiled)
    assert reason in found.reason


def test_tables_that_are_slower_than_scikit_learn_are_not_used():
    description = describe(RandomForestClassifier(10, random_state=0).fit(NUMBERS, BOUGHT))
    golden = try_out(description).golden

    found = compile_model(description, golden=golden, single_milliseconds=0.0)

    assert found == NotCompiled("scikit-learn is faster at it")


def test_model_whose_answers_waver_is_not_compiled():
    description = describe(LogisticRegression().fit(NUMBERS, BOUGHT))

    found = compile_model(description, golden=[], single_milliseconds=1.0)

    assert isinstance(found, NotCompiled)
    assert "not repeatable" in found.reason
