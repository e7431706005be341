"""The predict page asked by its script: the same answers as JSON."""

from typing import Any

import pytest
from django.test import Client

from portal.accounts import roles
from portal.errors import BackendAway, BadInput
from portal.gateways import inference
from portal.gateways.contract import Answer
from portal.predictions.models import Prediction
from portal.registry.published_page import document_of
from tests.portal.factories import make_user, make_version

pytestmark = pytest.mark.django_db
GOOD = {"f0": "44.5", "f1": "Dream", "f2": ""}
TOLD = {
    "output": {"type": "binary", "classes": ["Adelie", "Gentoo"], "probabilities": True},
    "prediction": {"label": "Gentoo", "value": None, "probabilities": [0.25, 0.75], "scores": None},
    "start": "cold",
    "milliseconds": 1.5,
}


def ask(client: Client, **changes: str) -> Any:
    return client.post("/models/penguins/", GOOD | changes, headers={"Accept": "application/json"})


@pytest.fixture
def client() -> Client:
    made = Client()
    made.force_login(make_user())
    return made


def fails_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**asked: Any) -> Answer:
        raise error

    monkeypatch.setattr(inference, "predict", fail)


def test_answer_is_told_with_its_version_its_moment_and_its_page(client: Client, monkeypatch: pytest.MonkeyPatch):
    version = make_version()
    monkeypatch.setattr(inference, "predict", lambda **asked: Answer.from_json(TOLD))

    told = ask(client).json()

    prediction = Prediction.objects.get()
    assert told["url"] == prediction.get_absolute_url()
    assert told["page"] == document_of(version)
    assert told["answer"] == TOLD | {
        "model": {"slug": "penguins", "version": 1, "sha256": version.sha256},
        "request_id": prediction.request_id,
    }
    assert told["asked"]["datetime"] == prediction.created_at.isoformat()


def test_values_that_are_wrong_are_told_by_field_and_not_kept(client: Client):
    make_version()

    response = ask(client, f0="abc", f1="")

    assert response.status_code == 422
    assert response.json() == {
        "fields": {"f0": ["“abc” is not a number."], "f1": ["This field is required."]},
        "message": "",
    }
    assert not Prediction.objects.exists()


def test_values_that_the_model_refuses_are_told_by_field(client: Client, monkeypatch: pytest.MonkeyPatch):
    make_version()
    fails_with(BadInput("Some values cannot be used.", {"island": "is unknown", "ghost": "is missing"}), monkeypatch)

    response = ask(client)

    assert response.status_code == 422
    assert response.json() == {"fields": {"f1": ["is unknown"]}, "message": "ghost: is missing"}
    assert Prediction.objects.get().state == "refused"


def test_lack_of_an_answer_is_told_with_its_reference(client: Client, monkeypatch: pytest.MonkeyPatch):
    make_version()
    fails_with(BackendAway("The service is away.", detail="secret-host refused"), monkeypatch)

    response = ask(client)

    assert response.status_code == 503
    assert response.json() == {"message": "The service is away.", "reference": Prediction.objects.get().request_id}


@pytest.mark.parametrize(("role", "status"), [(roles.VIEWER, 403), ("", 403)])
def test_person_who_may_not_ask_is_told_so(role: str, status: int):
    make_version()
    client = Client()
    client.force_login(make_user("bob", role))

    response = ask(client)

    assert response.status_code == status
    assert response.json()["message"].startswith("This is not allowed.")


def test_page_of_the_form_describes_its_features_to_its_script(client: Client):
    make_version()

    content = client.get("/models/penguins/").content.decode()

    assert '<script id="page" type="application/json">{"v": 1, "slug": "penguins"' in content
    assert "portico/js/predict.js" in content


@pytest.fixture
def moved_on() -> None:
    """Version 2 is live, and asks for the island before anything else."""
    before = make_version()
    before.state = "ready"
    before.save()
    after = make_version(before.model)
    after.features.filter(name="island").update(position=0)
    after.features.filter(name="bill_length_mm").update(position=1)
    after.features.filter(name="year").update(name="sex")


def test_form_of_a_version_that_asked_for_other_values_is_not_taken_for_the_live_ones(client: Client, moved_on: None):
    response = ask(client, version="1")

    assert response.status_code == 409
    assert response.json()["message"].startswith("Version 2 has become live meanwhile, and asks for other values.")
    assert not Prediction.objects.exists()


def test_form_of_such_a_version_comes_back_with_what_was_typed(client: Client, moved_on: None):
    response = client.post("/models/penguins/", GOOD | {"f2": "2008", "version": "1"})

    page = response.content.decode()
    assert response.status_code == 409
    assert '<option value="Dream" selected>' in page
    assert 'value="44.5"' in page
    assert "2008" not in page
    assert "Version 2 has become live meanwhile" in page


@pytest.mark.parametrize("version", ["1", "9", "x", "", "9" * 30])
def test_form_of_a_version_that_asks_for_the_same_is_answered(
    client: Client, monkeypatch: pytest.MonkeyPatch, version: str
):
    before = make_version()
    before.state = "ready"
    before.save()
    make_version(before.model)
    monkeypatch.setattr(inference, "predict", lambda **asked: Answer.from_json(TOLD))

    assert ask(client, version=version).json()["answer"]["model"]["version"] == 2
