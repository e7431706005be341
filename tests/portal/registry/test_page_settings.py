"""How the settings of a version's page are put together, the best source first."""

import io

import pytest

from portal.registry import page_settings, training_data
from portal.registry.models import Feature, ModelVersion
from tests.portal.factories import make_manifest, make_model, make_version

pytestmark = pytest.mark.django_db
CSV = b"bill_length_mm,island,year\n30.5,Dream,2007\n60,Biscoe,2008\n45,Dream,\n"


def bare_version(**facts: object) -> ModelVersion:
    version = make_version(make_model(), is_live=False, **facts)
    for rows in (version.features, version.bands, version.examples):
        rows.all().delete()
    return version


def fill(version: ModelVersion, **sources: object) -> dict[str, Feature]:
    page_settings.fill(version, **({"given": {}, "training": None, "previous": None} | sources))
    return {feature.name: feature for feature in version.features.all()}


def test_settings_from_the_model_alone_take_its_defaults_and_choices():
    features = fill(bare_version())

    assert features["bill_length_mm"].default == "44.5"
    assert features["island"].choices == [["Biscoe", "Biscoe"], ["Dream", "Dream"]]
    assert [feature.is_required for feature in features.values()] == [True, True, False]


def test_settings_from_training_data_take_ranges_and_examples():
    version = bare_version()

    features = fill(version, training=training_data.read(io.BytesIO(CSV)))

    bill = features["bill_length_mm"]
    assert (bill.minimum, bill.maximum, bill.default) == (30.5, 60, "45")
    assert version.examples.count() == 2


def test_settings_of_the_version_before_win_over_training_data():
    previous = make_version()
    version = make_version(previous.model, is_live=False)
    for rows in (version.features, version.bands):
        rows.all().delete()

    features = fill(version, training=training_data.read(io.BytesIO(CSV)), previous=previous)

    assert (features["bill_length_mm"].label, features["bill_length_mm"].minimum) == ("Bill length", 30)
    assert [band.label for band in version.bands.all()] == ["Good result", "Bad result"]


def test_settings_given_win_over_everything():
    given = {"features": [{"name": "bill_length_mm", "label": "Bill", "minimum": 1}]}

    features = fill(bare_version(), given=given, training=training_data.read(io.BytesIO(CSV)))

    assert (features["bill_length_mm"].label, features["bill_length_mm"].minimum) == ("Bill", 1)


def test_settings_of_a_truth_value_default_to_yes_or_no():
    described = {"name": "smokes", "kind": "boolean", "choices": None, "default": True, "accepts_missing": False}

    features = fill(bare_version(manifest=make_manifest(features=[described])))

    assert features["smokes"].default == "yes"


def test_settings_of_a_regression_without_a_version_before_have_no_bands():
    version = bare_version(
        manifest=make_manifest(output={"type": "regression", "classes": None, "probabilities": False})
    )

    fill(version)

    assert not version.bands.exists()
