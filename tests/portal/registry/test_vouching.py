"""What the bucket says is put right from the database, and only that."""

from typing import Any

import pytest
from django.core.management import call_command

from portal.gateways import storage
from portal.registry import actions, states
from portal.registry.actions.checking import sign_manifest
from portal.registry.actions.publishing import pointer_of
from tests.portal.factories import make_model, make_version

pytestmark = pytest.mark.django_db

Bucket = dict[str, Any]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The JSON documents of a bucket, in memory."""
    kept: Bucket = {}
    monkeypatch.setattr(storage, "get_json", kept.get)
    for name in ("put_json", "put_page"):
        monkeypatch.setattr(storage, name, kept.__setitem__)
    return kept


def test_manifest_and_pointer_of_an_older_release_are_signed(bucket: Bucket):
    version = make_version(make_model("loans"))
    bucket["models/loans/1/manifest.json"] = {**version.manifest, "file": "model.pkl"}
    bucket["models/loans/live.json"] = {"version": 1, "sha256": version.sha256}

    written = actions.vouch_again()

    assert written == 4
    assert bucket["models/loans/1/manifest.json"] == sign_manifest(version, version.manifest)
    assert bucket["models/loans/live.json"] == pointer_of(version)


def test_what_is_signed_already_is_left_alone(bucket: Bucket):
    version = make_version(make_model("loans"))
    bucket["models/loans/1/manifest.json"] = {"sha256": version.sha256}
    actions.vouch_again()

    assert actions.vouch_again() == 0


def test_pointer_that_somebody_else_turned_is_turned_back(bucket: Bucket):
    old = make_version(make_model("loans"), is_live=False)
    live = make_version(old.model, sha256="1" * 64)
    for version in (old, live):
        bucket[f"models/loans/{version.number}/manifest.json"] = {"sha256": version.sha256}
    bucket["models/loans/live.json"] = pointer_of(old)

    actions.vouch_again()

    assert bucket["models/loans/live.json"]["version"] == 2


@pytest.mark.parametrize("there", [None, {"sha256": "f" * 64}], ids=["no model", "another model"])
def test_place_that_does_not_hold_the_version_is_not_vouched_for(bucket: Bucket, there: Any):
    make_version(make_model("loans"))
    if there:
        bucket["models/loans/1/manifest.json"] = dict(there)

    actions.vouch_again()

    assert bucket.get("models/loans/1/manifest.json") == there
    assert set(bucket) <= {"models/loans/1/manifest.json", "pages/index.json"}


def test_version_that_did_not_pass_is_not_vouched_for(bucket: Bucket):
    version = make_version(make_model("loans"), is_live=False, state=states.REJECTED)
    bucket["models/loans/1/manifest.json"] = {"sha256": version.sha256}

    assert actions.vouch_again() == 0


def test_command_says_how_many_and_then_nothing(bucket: Bucket, capsys: pytest.CaptureFixture[str]):
    version = make_version(make_model("loans"))
    bucket["models/loans/1/manifest.json"] = {"sha256": version.sha256}

    call_command("sign_models")
    call_command("sign_models")

    assert capsys.readouterr().out == "Wrote 4 documents again: manifests, pointers and published pages.\n"
