"""The original tool's model: four nameless numbers, one yes-or-no answer, a plain pickle."""

from typing import Any

import pandas as pd
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model.sample import Band, Field, Row, Sample

NAMES = ("var_1", "var_2", "var_3", "var_4")
SEED = 20


def load_four_variables() -> tuple[pd.DataFrame, pd.Series]:
    """1000 synthetic rows, three decimals (so that a form's step of 0.001 can reproduce every one of them)."""
    values, target = make_classification(
        n_samples=1000, n_features=4, n_informative=3, n_redundant=1, class_sep=1.0, flip_y=0.04, random_state=SEED
    )
    return pd.DataFrame(values, columns=list(NAMES)).round(3), pd.Series(target, name="target")


def build_classifier() -> Any:
    return Pipeline([("scaler", StandardScaler()), ("classifier", LogisticRegression())])


def name_example(_row: Row, target: Any) -> str:
    return "A row that turned out bad" if target == 1 else "A row that turned out good"


FOUR_VARIABLES = Sample(
    slug="four-variables",
    name="Four variables",
    summary="Says how likely a bad result is, from four measured values.",
    notes=(
        "The original tool's model: a logistic regression over four standardised values. The 1,000 rows are synthetic, "
        "drawn with scikit-learn's make_classification from a fixed seed; they describe nothing in the world. "
        "Target 1 is the bad result."
    ),
    target_label="Result",
    fields=tuple(
        Field(
            name=name,
            label=f"Variable {number}",
            help="Synthetic value without a unit; the form starts with the middle of the rows it was fitted on",
        )
        for number, name in enumerate(NAMES, start=1)
    ),
    bands=(Band(0.5, "Good result", "good"), Band(None, "Bad result", "bad")),
    classes=(("0", "Good result"), ("1", "Bad result")),
    file_name="model.pkl",
    id_column="row_id",
    held_out=200,
    load=load_four_variables,
    build=build_classifier,
    name_example=name_example,
)
