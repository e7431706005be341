"""The upload page and both steps of its script, with the cloud side stood in by functions."""

import uuid
from typing import Any

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.gateways import storage
from portal.gateways.storage import PresignedPost
from portal.registry import states
from portal.registry.actions import uploading
from portal.registry.models import Model, ModelVersion
from tests.portal.factories import make_model, make_user
from tests.portal.registry.conftest import PNG, away, model_file

pytestmark = pytest.mark.django_db
UPLOAD = "admin:registry_model_upload"
JSON = {"Accept": "application/json"}


@pytest.fixture
def bucket(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What forms were presigned; every file has 7 bytes and is there."""
    presigned: list[dict[str, Any]] = []

    def presign(key: str, **limits: Any) -> PresignedPost:
        presigned.append({"key": key, **limits})
        return PresignedPost("https://bucket.example", {"key": key})

    monkeypatch.setattr(storage, "presign_upload", presign)
    return presigned


def open_upload(client: Client, address: str = "", **fields: Any) -> Any:
    announced = {"name": "Loan default", "file_name": "model.pkl", "size_bytes": 7, **fields}
    return client.post(address or reverse(UPLOAD), announced, headers=JSON)


def finish(client: Client, ticket: str, address: str = "", **fields: Any) -> Any:
    return client.post(address or reverse(UPLOAD), {"name": "Loan default", "ticket": ticket, **fields}, headers=JSON)


def test_upload_through_the_portal_leads_to_a_version_that_waits_for_its_check(owner: Client, quiet_cloud: None):
    answer = owner.post(reverse(UPLOAD), {"name": "Loan default", "file": model_file()})

    version = ModelVersion.objects.get()
    assert answer["Location"] == reverse("admin:registry_modelversion_change", args=[version.pk])
    assert (version.model.slug, version.state) == ("loan-default", states.UPLOADED)
    assert "Check it now" in owner.get(answer["Location"]).content.decode()


def test_upload_page_alone_may_post_to_the_bucket(owner: Client):
    policies = {
        name: owner.get(reverse(name))["Content-Security-Policy"]
        for name in (UPLOAD, "admin:registry_model_changelist")
    }

    assert "connect-src 'self' https://bucket.example;" in policies[UPLOAD] + ";"
    assert "bucket.example" not in policies["admin:registry_model_changelist"]


def test_upload_opened_presigns_one_key_for_the_announced_size(owner: Client, bucket: list[dict[str, Any]]):
    answer = open_upload(owner)

    assert answer.json()["url"] == "https://bucket.example"
    (form,) = bucket
    assert form.pop("key").startswith("quarantine/")
    assert form == {"max_bytes": 7, "expires_s": 900, "content_type": "application/octet-stream"}
    assert not Model.objects.exists()


def test_upload_finished_makes_a_version_of_the_announced_file(owner: Client, bucket: list[dict[str, Any]]):
    ticket = open_upload(owner).json()["ticket"]

    answer = finish(owner, ticket, notes="the first")

    version = ModelVersion.objects.get()
    assert answer.json() == {"location": reverse("admin:registry_modelversion_change", args=[version.pk])}
    assert (version.file_name, version.notes, version.state) == ("model.pkl", "the first", states.UPLOADED)
    assert storage.quarantine_key(version.upload) == bucket[0]["key"]


def test_upload_finished_twice_is_one_version(owner: Client, bucket: list[dict[str, Any]]):
    ticket = open_upload(owner).json()["ticket"]

    first, second = finish(owner, ticket), finish(owner, ticket)

    assert first.json() == second.json()
    assert ModelVersion.objects.count() == 1


def test_upload_of_a_version_takes_both_steps_on_its_models_page(owner: Client, bucket: list[dict[str, Any]]):
    model = make_model("loan")
    address = reverse("admin:registry_modelversion_upload", args=[model.pk])

    finish(owner, open_upload(owner, address).json()["ticket"], address)

    assert model.versions.get().number == 1


def test_upload_opened_with_mistakes_tells_all_of_them_before_the_transfer(owner: Client, bucket: list[dict[str, Any]]):
    make_model("loan")
    training = SimpleUploadedFile("training.csv", b"one line")

    answer = open_upload(owner, name="Loan", file_name="", training=training)

    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"file", "slug", "training"}
    assert bucket == []


@pytest.mark.parametrize(
    ("size_bytes", "told"), [(0, "The file is empty."), (8, "larger than 0 MB"), (-1, "Choose"), ("many", "Choose")]
)
def test_upload_opened_for_a_wrong_size_is_told_at_the_file(
    owner: Client, bucket: list[dict[str, Any]], settings: Any, size_bytes: Any, told: str
):
    settings.PORTICO_MODEL_MAX_BYTES = 7

    answer = open_upload(owner, size_bytes=size_bytes)

    assert told in answer.json()["errors"]["file"][0]
    assert bucket == []


@pytest.mark.parametrize(
    ("stored_bytes", "told"), [(None, "did not arrive"), (6, "Of 7 bytes that were announced, 6 arrived.")]
)
def test_upload_finished_without_its_file_makes_nothing(
    owner: Client, bucket: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, stored_bytes: int | None, told: str
):
    ticket = open_upload(owner).json()["ticket"]
    monkeypatch.setattr(storage, "size_of", lambda key: stored_bytes)

    answer = finish(owner, ticket)

    assert answer.status_code == 422
    assert told in answer.json()["errors"]["file"][0]
    assert not Model.objects.exists()


def test_upload_finished_with_anothers_ticket_is_refused(owner: Client, bucket: list[dict[str, Any]]):
    ticket = open_upload(owner).json()["ticket"]
    owner.force_login(make_user("otto", roles.MODEL_OWNER))

    answer = finish(owner, ticket)

    assert "Somebody else has opened this upload." in answer.json()["errors"]["file"][0]
    assert not Model.objects.exists()


def test_upload_finished_with_a_made_up_ticket_is_refused(owner: Client, bucket: list[dict[str, Any]]):
    said = {"upload": str(uuid.uuid4()), "user": 1, "name": "model.pkl", "size": 7}
    made_up = [signing.dumps(said, salt="another"), signing.dumps(said, key="k" * 50, salt=uploading.TICKET_SALT), "x"]

    answers = [finish(owner, ticket).json()["errors"]["file"][0] for ticket in made_up]

    assert answers == ["This is no upload that the portal has opened. Upload the file again."] * 3


def test_upload_finished_too_late_is_refused(
    owner: Client, bucket: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    ticket = open_upload(owner).json()["ticket"]
    monkeypatch.setattr(uploading, "TICKET_LASTS_S", -1)

    answer = finish(owner, ticket)

    assert "Upload the file again." in answer.json()["errors"]["file"][0]
    assert not Model.objects.exists()


def test_upload_opened_by_a_colleague_is_forbidden(client: Client, bucket: list[dict[str, Any]]):
    client.force_login(make_user("petra", roles.PREDICTOR))

    assert open_upload(client).status_code in (302, 403)
    assert bucket == []


def test_upload_opened_with_the_service_away_gives_a_reference(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(storage, "presign_upload", away)

    answer = open_upload(owner)

    assert answer.status_code == 503
    assert "Reference: " in answer.json()["message"]


def test_upload_with_pictures_keeps_them_with_the_version(owner: Client, quiet_cloud: None):
    sent = {
        "picture_2-file": SimpleUploadedFile("roc.png", PNG),
        "picture_2-title": "ROC",
        "picture_2-alt": "Area 0.9",
    }
    owner.post(reverse(UPLOAD), {"name": "Loan", "file": model_file(), **sent})

    version = ModelVersion.objects.get()

    assert [(picture.title, picture.alt) for picture in version.pictures.all()] == [("ROC", "Area 0.9")]


def test_upload_that_cannot_be_stored_leaves_nothing_and_asks_for_the_file_again(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(storage, "put_file", away)

    answer = owner.post(reverse(UPLOAD), {"name": "Loan", "file": model_file()}, follow=True)

    page = answer.content.decode()
    assert not Model.objects.exists()
    assert "Upload it again. Reference: " in page


def test_upload_larger_than_the_limit_is_told_at_the_field(owner: Client, settings: Any):
    settings.PORTICO_MODEL_MAX_BYTES = 3

    answer = owner.post(reverse(UPLOAD), {"name": "Loan", "file": model_file()})

    assert answer.status_code == 422
    assert "larger than 0 MB" in answer.context["form"].errors["file"][0]
    assert not Model.objects.exists()


def test_upload_under_a_taken_short_name_is_told_at_the_field(owner: Client):
    make_model("loan")

    answer = owner.post(reverse(UPLOAD), {"name": "Loan", "file": model_file()})

    assert "There is a model “loan” already." in answer.context["form"].errors["slug"][0]
    assert 'value="Loan"' in answer.content.decode()


def test_upload_with_a_picture_without_words_is_told_at_the_field(owner: Client):
    picture = SimpleUploadedFile("roc.png", PNG)

    answer = owner.post(
        reverse(UPLOAD), {"name": "Loan", "file": model_file(), "picture_1-file": picture, "picture_1-title": "ROC"}
    )

    assert list(answer.context["form"].all_errors) == ["picture_1-alt"]
    assert not Model.objects.exists()
