"""Both rooms name the same objects: docs/contract.md section 2."""

import re
import uuid

import pytest
from django.core.exceptions import ValidationError

from portal.gateways import storage
from portal.predictions.models import Batch
from portal.registry.models import SLUG, Model, ModelVersion
from predictor import keys
from predictor.api_jobs import ApiJob
from predictor.errors import BadRequest

ID = uuid.UUID("5b0cbb0e-0d5c-4f7e-9a55-0b1d7d1f2c11")
SLUGS = ["a", "1", "penguins", "four-variables", "v2-0-1"]
NO_SLUGS = ["", "-", "a-", "-a", "a--b", "A", "a_b", "a b", "a/b", "../a", "a.b", "é", "a%2fb", "models/a", "a\x00"]
BATCH_FILES = ["input.csv", "plan.json", "parts.json", "parts/3.json", "refusal.json", "output.csv", "summary.json"]


@pytest.mark.parametrize("slug", SLUGS)
def test_keys_of_a_version_are_the_same_in_both_rooms(slug):
    assert keys.is_slug(slug)
    assert storage.live_key(slug) == keys.live_pointer(slug)
    assert storage.version_key(slug, 3, "manifest.json") == keys.manifest(slug, 3)
    for file in ("model.pkl", "model.joblib", "model.skops", "model.zip"):
        assert storage.version_key(slug, 3, file) == keys.model_file(slug, 3, file)


def test_key_of_an_upload_is_the_same_in_both_rooms():
    assert storage.quarantine_key(ID) == keys.quarantine(keys.read_uuid(str(ID)))


@pytest.mark.parametrize("file", BATCH_FILES)
def test_keys_of_a_batch_are_the_same_in_both_rooms(file):
    assert storage.batch_key(7, ID, file) == keys.batch(keys.read_user_id("7"), keys.read_uuid(str(ID)), file)


def test_keys_of_the_contract_are_the_ones_that_are_made(contract):
    documented = re.findall(r"^    (\S+)", contract["2"], re.MULTILINE)

    made = [
        storage.quarantine_key("<uuid>"),
        storage.version_key("<slug>", "<number>", "model.<ext>"),
        storage.version_key("<slug>", "<number>", "manifest.json"),
        storage.version_key("<slug>", "<number>", "compiled.json"),
        storage.version_key("<slug>", "<number>", "pictures/<n>.png"),
        storage.live_key("<slug>"),
    ]

    assert documented[:6] == made
    assert keys.DROP_IN_KEY in documented
    assert all(file in contract["2"] for file in ("parts/<n>.json", *BATCH_FILES[:3], *BATCH_FILES[4:]))


@pytest.mark.parametrize("slug", SLUGS)
def test_slug_that_the_portal_allows_is_taken_by_the_container(slug):
    SLUG(slug)

    assert keys.read_slug(slug) == slug


@pytest.mark.parametrize("text", NO_SLUGS)
def test_text_that_is_no_slug_is_refused_in_both_rooms(text):
    with pytest.raises(ValidationError):
        SLUG(text)
    with pytest.raises(BadRequest):
        keys.read_slug(text)


@pytest.mark.parametrize("file", ["model.sh", "../model.pkl", "model.pkl/x", "", None])
def test_file_that_cannot_be_a_model_has_no_key_in_the_container(file):
    assert keys.model_file("penguins", 3, file) is None


@pytest.mark.parametrize("file", ["colony.csv", "colony.csv.gz", "a.b.JSONL.zst", ".csv", "übung", "1793.xlsx"])
@pytest.mark.parametrize("result", ["output.csv", "output.parquet"])
def test_results_are_saved_under_the_same_name_from_both_rooms(file, result):
    version = ModelVersion(model=Model(slug="penguins"), number=3)
    batch = Batch(version=version, file_name=file, summary={"result": {"file": result}})
    key = f"ada/1793000000000_{file}"
    job = ApiJob(str(ID), "7", key, "penguins", 3, sha256="0" * 64, wishes={}, asked="", created=0.0)

    assert job.file_name() == file
    assert job.result_name(result) == batch.output_name
