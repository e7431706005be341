"""Files on their way in and out: the upload page, by script and by form, and the link to a result."""

import io
import json
import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from portal.gateways import storage
from portal.gateways.storage import PresignedPost
from portal.predictions.models import Batch
from tests.portal.factories import make_version
from tests.portal.predictions.conftest import SUMMARY, BatchCloud, make

pytestmark = pytest.mark.django_db
UPLOAD = "/models/penguins/batch/"


def open_for_script(client: Client, **asked: Any) -> Any:
    body = {"name": "x.csv", "size": 7, "opening": str(uuid.uuid4())} | asked
    return client.post(UPLOAD, json.dumps(body), content_type="application/json")


def test_download_leads_to_a_short_lived_link_that_names_the_file(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
):
    asked = {}
    monkeypatch.setattr(
        storage, "presign_download", lambda key, **facts: asked.update(facts, key=key) or "https://bucket.example/x"
    )
    batch = make(ada, "done", summary=SUMMARY, rows=3, scored=3, failed=0)

    response = client.get(reverse("predictions:download", args=[batch.pk]))

    assert (response.status_code, response.headers["Location"]) == (302, "https://bucket.example/x")
    assert response.headers["Cache-Control"] == "no-store"
    assert asked == {
        "key": f"batches/{ada.pk}/{batch.pk}/output.csv",
        "file_name": "penguins_penguins-v1_predictions.csv",
        "content_type": "text/csv; charset=utf-8",
        "expires_s": 300,
    }


def test_download_of_a_file_that_is_gone_says_so_on_the_batchs_page(client: Client, ada: User, batches: BatchCloud):
    batches.input_bytes = None

    response = client.get(reverse("predictions:download", args=[make(ada, "done", rows=3, scored=3, failed=0).pk]))

    assert response.status_code == 410
    assert b"no longer there" in response.content


@pytest.mark.parametrize("state", ["uploading", "running", "failed", "cancelled"])
def test_download_of_what_has_no_result_is_not_there(client: Client, ada: User, state: str):
    assert client.get(reverse("predictions:download", args=[make(ada, state).pk])).status_code == 404


def test_file_opened_twice_by_the_script_is_one_batch(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage, "presign_upload", lambda key, **facts: PresignedPost("https://b", {"key": key}))
    make_version()
    opening = str(uuid.uuid4())

    first, second = (open_for_script(client, opening=opening).json() for _ in range(2))

    assert first["page"] == second["page"] == Batch.objects.get().get_absolute_url()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"name": "x"}', 400),
        (b'{"name": "x", "size": 7}', 400),
        (b'{"name": "x", "size": 7, "opening": "y"}', 400),
        (b'{"name": "x", "size": 7, "opening": 8}', 400),
        (b"\xff", 400),
        (json.dumps({"name": "x", "size": 0, "opening": "0" * 32}).encode(), 422),
        (json.dumps({"name": "x", "size": 10**15, "opening": "0" * 32}).encode(), 422),
    ],
)
def test_file_opened_with_a_bad_request_says_so_and_opens_nothing(client: Client, ada: User, body: bytes, status: int):
    make_version()

    response = client.post(UPLOAD, body, content_type="application/json")

    assert response.status_code == status
    assert response.json()["message"]
    assert not Batch.objects.exists()


def test_form_sent_twice_is_one_batch_and_leads_to_its_page(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage, "put_file", lambda *args, **kwargs: None)
    make_version()
    opening = re.search(r'name="opening" value="([^"]+)"', client.get(UPLOAD).content.decode()).group(1)

    answers = [
        client.post(UPLOAD, {"opening": opening, "file": SimpleUploadedFile("x.csv", io.BytesIO(b"a\n1\n").read())})
        for _ in range(2)
    ]

    batch = Batch.objects.get()
    assert [answer.headers["Location"] for answer in answers] == [batch.get_absolute_url()] * 2


def test_form_without_a_file_says_so(client: Client, ada: User):
    make_version()

    response = client.post(UPLOAD, {})

    assert response.status_code == 422
    assert b"Choose a file first." in response.content


def test_upload_page_says_how_long_files_are_kept(client: Client, ada: User):
    version = make_version()
    version.model.keep_batches_days = 7
    version.model.save()

    assert b"Files and results are kept for 7 days" in client.get(UPLOAD).content


def test_template_file_has_the_header_the_model_needs(client: Client, ada: User):
    version = make_version()
    version.examples.create(name="one", row={"bill_length_mm": 40, "island": "Dream", "year": None})

    response = client.get("/models/penguins/batch/template.csv")

    assert response.content == b"bill_length_mm,island,year\r\n40,Dream,\r\n"
