"""How far diabetes advances within a year: a regression in the units that a doctor writes down."""

from typing import Any

import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor

from model.sample import Band, Field, Row, Sample

FIELDS = (
    Field(name="age", label="Age", unit="years", kind="integer", help="At the first examination"),
    Field(
        name="sex",
        label="Sex, as coded",
        kind="choice",
        choices=(("1", "1"), ("2", "2")),
        help="The study recorded 1 or 2 and does not say which is which",
    ),
    Field(
        name="bmi", label="Body mass index", unit="kg/m²", help="Weight divided by height squared; 18.5 to 25 is usual"
    ),
    Field(
        name="blood_pressure",
        label="Blood pressure",
        unit="mmHg",
        help="Average over the heartbeat, between the upper and the lower value",
    ),
    Field(name="total_cholesterol", label="Total cholesterol", unit="mg/dL", help="All fats of this kind in the blood"),
    Field(name="ldl", label="LDL cholesterol", unit="mg/dL", help='Low-density lipoproteins, the "bad" cholesterol'),
    Field(name="hdl", label="HDL cholesterol", unit="mg/dL", help='High-density lipoproteins, the "good" cholesterol'),
    Field(
        name="cholesterol_ratio", label="Cholesterol ratio", help="Total cholesterol divided by HDL; lower is better"
    ),
    Field(
        name="log_triglycerides",
        label="Triglycerides (logarithm)",
        unit="ln(mg/dL)",
        help="Natural logarithm of the triglycerides in the blood: 4.6 stands for 100 mg/dL",
    ),
    Field(name="glucose", label="Blood sugar", unit="mg/dL", kind="integer", help="Glucose in the blood serum"),
)


def load_patients() -> tuple[pd.DataFrame, pd.Series]:
    """442 patients; columns renamed from the study's s1..s6 to words."""
    bunch = load_diabetes(scaled=False, as_frame=True)
    return bunch.data.set_axis([field.name for field in FIELDS], axis=1), bunch.target.rename("progression")


def build_regressor() -> Any:
    return RandomForestRegressor(n_estimators=150, min_samples_leaf=4, max_features=0.4, random_state=20, n_jobs=1)


def name_example(row: Row, target: Any) -> str:
    return f"Aged {row['age']:.0f}, body mass index {row['bmi']:g}: was {target:.0f} a year later"


DIABETES = Sample(
    slug="diabetes",
    name="Diabetes progression",
    summary="Says how far diabetes is likely to have advanced one year later, from an examination and a blood test.",
    notes=(
        "Diabetes data set (Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, 2004), 442 patients, as "
        "shipped with scikit-learn, in its original units. A random forest. The score of progression has no unit and "
        "runs from 25 to 346 in the data; the bands cut it at about a third and two thirds of the patients. For "
        "demonstration; not a medical device."
    ),
    target_label="Progression after one year",
    target_unit="points",
    fields=FIELDS,
    bands=(
        Band(105.0, "Slow progression", "good"),
        Band(180.0, "Medium progression", "neutral"),
        Band(None, "Fast progression", "caution"),
    ),
    classes=None,
    file_name="model.joblib",
    id_column="patient_id",
    held_out=110,
    load=load_patients,
    build=build_regressor,
    name_example=name_example,
)
