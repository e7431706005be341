"""Rows for tests, each with what the test did not care to say."""

from typing import Any

from portal.accounts import actions as accounts
from portal.accounts import roles
from portal.accounts.models import User
from portal.predictions.models import Batch, Prediction
from portal.registry import states
from portal.registry.models import Band, Feature, Model, ModelVersion

PENGUIN_FEATURES = (
    {"name": "bill_length_mm", "label": "Bill length", "unit": "mm", "minimum": 30, "maximum": 62, "default": "44.5"},
    {
        "name": "island",
        "label": "Island",
        "kind": Feature.CHOICE,
        "choices": [["Biscoe", "Biscoe"], ["Dream", "Dream"]],
    },
    {"name": "year", "kind": Feature.INTEGER, "is_required": False, "accepts_missing": True},
)


def make_user(name: str = "ada", role: str = roles.PREDICTOR) -> User:
    user = User.objects.create_user(name, password=f"{name}-password")
    accounts.assign_role(user, role)
    return user


def make_model(slug: str = "penguins", **facts: Any) -> Model:
    owner = User.objects.filter(username="owner").first() or make_user("owner", roles.MODEL_OWNER)
    return Model.objects.create(**{"name": slug.capitalize(), "slug": slug, "created_by": owner} | facts)


def make_manifest(**facts: Any) -> dict[str, Any]:
    return {
        "format": "pickle",
        "sha256": "0" * 64,
        "size_bytes": 1000,
        "versions": {"python": "3.11.7", "scikit-learn": "1.9.1", "numpy": "2.4.6", "fitted_with": "1.9.1"},
        "estimator": "LogisticRegression",
        "steps": [],
        "fitted_on": "dataframe",
        "features": [
            _described("bill_length_mm", "number", default=44.5),
            _described("island", "choice", default="Biscoe", choices=["Biscoe", "Dream"]),
            _described("year", "number", default=2008, accepts_missing=True),
        ],
        "output": {"type": "binary", "classes": ["Adelie", "Gentoo"], "probabilities": True},
        "warnings": [],
        "golden": [],
        "load_milliseconds": 1.0,
        "compiled": {
            "sha256": None,
            "size_bytes": 0,
            "rows": 0,
            "largest_difference": None,
            "milliseconds": None,
            "reason": "it was not asked",
            "row": None,
        },
    } | facts


def _described(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "choices": None, "accepts_missing": False} | facts


def make_version(model: Model | None = None, *, is_live: bool = True, **facts: Any) -> ModelVersion:
    model = model or make_model()
    number = model.versions.count() + 1
    version = ModelVersion.objects.create(
        **{
            "model": model,
            "number": number,
            "state": states.LIVE if is_live else states.READY,
            "file_name": "model.pkl",
            "size_bytes": 1000,
            "sha256": "0" * 64,
            "manifest": make_manifest(),
            "created_by": model.created_by,
        }
        | facts
    )
    for position, feature in enumerate(PENGUIN_FEATURES):
        Feature.objects.create(version=version, position=position, **feature)
    Band.objects.create(version=version, upper=0.5, label="Good result", tone="good")
    Band.objects.create(version=version, upper=None, label="Bad result", tone="bad")
    return version


def make_prediction(user: User, version: ModelVersion, **facts: Any) -> Prediction:
    given = {
        "inputs": {"bill_length_mm": 44.5, "island": "Dream", "year": None},
        "state": "answered",
        "outcome": "Gentoo",
        "outcome_words": "Gentoo",
        "probabilities": [["Adelie", 0.25], ["Gentoo", 0.75]],
        "band_value": 0.75,
        "band_label": "Bad result",
        "band_tone": "bad",
        "milliseconds": 1.5,
        "is_cold": False,
    }
    return Prediction.objects.create(user=user, version=version, **(given | facts))


def make_batch(user: User, version: ModelVersion, **facts: Any) -> Batch:
    given = {"file_name": "penguins.csv", "size_bytes": 2048, "state": "done", "rows": 3, "scored": 2, "failed": 1}
    return Batch.objects.create(user=user, version=version, **(given | facts))
