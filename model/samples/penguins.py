"""Which of three penguins it is: text categories and missing cells, kept as they were recorded."""

from importlib.resources import files
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.sample import Band, Field, Row, Sample

FIELDS = (
    Field(
        name="island",
        label="Island",
        kind="choice",
        choices=(("Biscoe", "Biscoe"), ("Dream", "Dream"), ("Torgersen", "Torgersen")),
        required=False,
        help="Where the nest was, in the Palmer Archipelago, Antarctica",
    ),
    Field(
        name="bill_length_mm",
        label="Bill length",
        unit="mm",
        required=False,
        help="Along the upper ridge of the bill, from the feathers to the tip",
    ),
    Field(
        name="bill_depth_mm",
        label="Bill depth",
        unit="mm",
        required=False,
        help="From the upper ridge to the underside, where the bill is thickest",
    ),
    Field(
        name="flipper_length_mm",
        label="Flipper length",
        unit="mm",
        kind="integer",
        required=False,
        help="From the body to the tip of the stretched flipper",
    ),
    Field(name="body_mass_g", label="Body mass", unit="g", kind="integer", required=False, help="Weight of the bird"),
    Field(
        name="sex",
        label="Sex",
        kind="choice",
        choices=(("female", "Female"), ("male", "Male")),
        required=False,
        help="Found by a blood test; leave it empty if nobody knows",
    ),
)
CATEGORIES = [field.name for field in FIELDS if field.kind == "choice"]
MEASURES = [field.name for field in FIELDS if field.kind != "choice"]


def load_penguins() -> tuple[pd.DataFrame, pd.Series]:
    """344 birds with their missing cells. The file is read as a resource: the package's own loader is not needed."""
    with files("palmerpenguins").joinpath("data/penguins.csv").open(encoding="utf-8") as lines:
        birds = pd.read_csv(lines)
    # Plain object columns: pandas' own string type would put pandas classes into the fitted model.
    features = birds[[field.name for field in FIELDS]].astype(dict.fromkeys(CATEGORIES, object))
    return features, birds["species"].astype(object)


def build_classifier() -> Any:
    fill_and_scale = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    fill_and_encode = Pipeline(
        [("impute", SimpleImputer(strategy="most_frequent")), ("encode", OneHotEncoder(handle_unknown="ignore"))]
    )
    columns = ColumnTransformer([("measures", fill_and_scale, MEASURES), ("categories", fill_and_encode, CATEGORIES)])
    return Pipeline([("columns", columns), ("classifier", LogisticRegression(C=0.5, max_iter=1000))])


def name_example(row: Row, target: Any) -> str:
    kind = f"{'An' if target[0] in 'AEIOU' else 'A'} {target} from {row['island']}"
    if row["bill_length_mm"] is None:
        return f"{kind}, not measured"
    return kind if row["sex"] else f"{kind}, sex unknown"


PENGUINS = Sample(
    slug="penguins",
    name="Palmer penguins",
    summary="Says which of three species a penguin is, from its island and a few measurements.",
    notes=(
        "Palmer penguins (Horst, Hill and Gorman, 2020; measured by Kristen Gorman and Palmer Station LTER, "
        "Antarctica), licence CC0, 344 birds, read from the package palmerpenguins. Missing cells are kept: the model "
        "fills numbers with the median and categories with the most frequent one. A logistic regression."
    ),
    target_label="Species",
    fields=FIELDS,
    bands=(
        Band(0.6, "Uncertain", "caution"),
        Band(0.9, "Likely", "neutral"),
        Band(None, "Clear", "good"),
    ),
    classes=(("Adelie", "Adélie"), ("Chinstrap", "Chinstrap"), ("Gentoo", "Gentoo")),
    file_name="model.joblib",
    id_column="bird_id",
    held_out=120,
    load=load_penguins,
    build=build_classifier,
    name_example=name_example,
)
