"""Benign or malignant, from thirty measurements of cell nuclei in a microscope image.

scikit-learn codes malignant as 0 and benign as 1, so the probability of its last class would be that of *benign*.
People ask the other question. The target is therefore kept as words: sorted, "benign" comes before "malignant", the
last class is malignant, and no reader of a raw answer needs to know a code.
"""

from typing import Any

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model.sample import Band, Field, Row, Sample

# name in the data set: (label, unit, what it is); the data set does not say how long its unit of length is.
MEASURES = {
    "radius": ("Radius", "image units", "distance from the centre of a nucleus to its edge"),
    "texture": ("Texture", "grey levels", "how much the brightness varies inside a nucleus"),
    "perimeter": ("Perimeter", "image units", "length of the outline of a nucleus"),
    "area": ("Area", "image units²", "area inside the outline of a nucleus"),
    "smoothness": ("Smoothness", "", "how much neighbouring radii differ; 0 is a perfectly even outline"),
    "compactness": ("Compactness", "", "perimeter² / area - 1; larger is less round"),
    "concavity": ("Concavity", "", "how deep the dents in the outline are; 0 is none"),
    "concave points": ("Concave points", "", "how much of the outline is dented; 0 is none"),
    "symmetry": ("Asymmetry", "", "how much the two halves of a nucleus differ; the data set calls it symmetry"),
    "fractal dimension": ("Raggedness", "", "fractal dimension of the outline minus 1; 0 is a smooth line"),
}


def load_samples() -> tuple[pd.DataFrame, pd.Series]:
    bunch = load_breast_cancer(as_frame=True)
    return bunch.data, bunch.target.map({0: "malignant", 1: "benign"}).astype(object).rename("diagnosis")


def build_classifier() -> Any:
    return Pipeline([("scaler", StandardScaler()), ("classifier", LogisticRegression(C=0.1, max_iter=1000))])


def name_example(_row: Row, target: Any) -> str:
    return f"A sample found {target}"


def describe_fields() -> tuple[Field, ...]:
    """Thirty fields in the data set's order: ten averages, ten standard errors, ten "worst" values."""
    groups = (
        ("mean {}", "{}, average", "Average over the image: {}"),
        ("{} error", "{}, uncertainty", "Standard error of the average over the image: {}"),
        ("worst {}", "{}, largest", "Average of the three largest values in the image: {}"),
    )
    return tuple(
        Field(name=name.format(measure), label=label.format(words), unit=unit, help=help_text.format(meaning))
        for name, label, help_text in groups
        for measure, (words, unit, meaning) in MEASURES.items()
    )


BREAST_CANCER = Sample(
    slug="breast-cancer",
    name="Breast cancer (Wisconsin)",
    summary="Says how likely a breast tissue sample is malignant, from measurements of its cell nuclei.",
    notes=(
        "Wisconsin Diagnostic Breast Cancer data set (Wolberg, Street and Mangasarian, 1995; UCI Machine Learning "
        "Repository, CC BY 4.0), 569 samples, as shipped with scikit-learn. A logistic regression over standardised "
        "values. The target is re-coded to words so that the probability shown is that of malignant. For "
        "demonstration; not a medical device."
    ),
    target_label="Diagnosis",
    fields=describe_fields(),
    bands=(
        Band(0.1, "Probably benign", "good"),
        Band(0.5, "Unclear, rather benign", "neutral"),
        Band(0.9, "Suspicious", "caution"),
        Band(None, "Probably malignant", "bad"),
    ),
    classes=(("benign", "Benign"), ("malignant", "Malignant")),
    file_name="model.joblib",
    id_column="sample_id",
    held_out=170,
    load=load_samples,
    build=build_classifier,
    name_example=name_example,
)
