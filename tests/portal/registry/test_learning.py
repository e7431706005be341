"""What a version answers to its own training data: asked after the check, kept for pictures, never in its way."""

import io
from typing import Any

import pytest

from portal.errors import BackendAway, BadInput
from portal.gateways import inference
from portal.registry import actions, training_data
from portal.registry.actions.learning import keep_training_answers
from portal.registry.models import ModelVersion
from tests.portal.factories import make_manifest, make_model, make_version

pytestmark = pytest.mark.django_db
ROW = {"bill_length_mm": "44", "island": "Dream", "year": None, "note": "not the model's"}


def answer(label: Any, *probabilities: float) -> dict[str, Any]:
    return {"prediction": {"label": label, "value": None, "probabilities": list(probabilities), "scores": None}}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[dict[str, Any]]]:
    """The rows of each call; every second one is answered."""
    calls: list[list[dict[str, Any]]] = []

    def answer_rows(*, rows: Any, **named: Any) -> list[dict[str, Any]]:
        calls.append(list(rows))
        return [answer("Gentoo", 0.25, 0.75) if n % 2 else {"error": "no"} for n, _ in enumerate(rows)]

    monkeypatch.setattr(inference, "answer_rows", answer_rows)
    return calls


def test_version_is_asked_a_hundred_rows_at_a_time_about_its_own_features(asked: list):
    version = make_version()

    keep_training_answers(version, [ROW] * 250)

    version.refresh_from_db()
    assert [len(rows) for rows in asked] == [100, 100, 50]
    assert asked[0][0] == {"bill_length_mm": "44", "island": "Dream", "year": None}
    assert version.training_answers == {"rows": 125, "labels": [["Gentoo", 125]], "numbers": [0.75] * 125}


def test_numbers_of_a_regression_are_its_values(monkeypatch: pytest.MonkeyPatch):
    version = make_version(manifest=make_manifest(output={"type": "regression", "classes": None}))
    prediction = {"prediction": {"label": None, "value": 152.123456789, "probabilities": None}}
    monkeypatch.setattr(inference, "answer_rows", lambda **asked: [prediction])

    keep_training_answers(version, [ROW])

    assert version.training_answers == {"rows": 1, "labels": [], "numbers": [152.123]}


def test_labels_are_written_as_the_containers_summaries_write_them(monkeypatch: pytest.MonkeyPatch):
    version = make_version()
    answers = [answer(label, 1.0, 0.0) for label in ("a", 1, 1.0, True)]
    monkeypatch.setattr(inference, "answer_rows", lambda **asked: answers)

    keep_training_answers(version, [ROW] * 4)

    assert sorted(label for label, _ in version.training_answers["labels"]) == ["1", "1.0", "True", "a"]


@pytest.mark.parametrize("rows", [[], [{"bill_length_mm": "44"}]], ids=["none", "without all features"])
def test_version_without_training_rows_is_not_asked(asked: list, rows: list):
    version = make_version()

    keep_training_answers(version, rows)

    assert (asked, version.training_answers) == ([], {})


def test_check_passes_where_nobody_answers_about_the_training_data(
    quiet_cloud: None, monkeypatch: pytest.MonkeyPatch, owner: Any
):
    def away(**asked: Any) -> Any:
        raise BackendAway("Away.")

    monkeypatch.setattr(inference, "answer_rows", away)

    version = upload_with_training()

    assert version.has_passed
    assert version.training_answers == {}


def test_row_that_the_model_does_not_take_is_not_in_the_log(monkeypatch: pytest.MonkeyPatch, caplog: Any):
    def refuse(**asked: Any) -> Any:
        raise BadInput("'atlantis-75' is not one of the known choices.")

    monkeypatch.setattr(inference, "answer_rows", refuse)

    keep_training_answers(make_version(), [ROW])

    assert "was not asked about its training data: BadInput" in caplog.text
    assert "atlantis-75" not in caplog.text


def test_check_of_a_version_with_training_data_keeps_its_answers(quiet_cloud: None, asked: list, owner: Any):
    version = upload_with_training()

    assert version.has_passed
    assert version.pending == {}
    assert version.training_answers["rows"] == 1


def upload_with_training() -> ModelVersion:
    model = make_model()
    training = training_data.read(io.BytesIO(b"bill_length_mm,island,year\n44,Dream,2008\n45,Biscoe,2009\n"))
    version = actions.upload_version(
        model, io.BytesIO(b"a model"), file_name="m.pkl", by=model.created_by, training=training
    )
    actions.check(version, by=model.created_by)
    return version
