"""Uploads and making live, through the real scan and the real functions on the emulator."""

from pathlib import Path

import pytest

from portal.accounts import roles
from portal.errors import Refused
from portal.gateways import storage
from portal.registry import actions, states
from tests.portal.factories import make_model, make_user, make_version

pytestmark = pytest.mark.django_db


def test_upload_of_the_original_tools_model_is_ready_with_a_version_warning(cloud: None, original_model: Path):
    owner = make_user("olga", roles.MODEL_OWNER)

    with original_model.open("rb") as file:
        version = actions.upload_version(make_model("original"), file, file_name="model.pkl", by=owner)
    actions.check(version, by=owner)

    assert version.state == states.READY
    assert "1.2.0" in version.manifest["warnings"][0]
    assert storage.size_of(storage.version_key("original", 1, "model.pkl")) == version.size_bytes


def test_upload_of_something_else_is_rejected_with_a_sentence(cloud: None, tmp_path: Path):
    owner, path = make_user("olga", roles.MODEL_OWNER), tmp_path / "model.pkl"
    path.write_bytes(b"name,age\nada,36\n")

    with path.open("rb") as file:
        version = actions.upload_version(make_model("no-model"), file, file_name="model.pkl", by=owner)
    actions.check(version, by=owner)

    assert version.state == states.REJECTED
    assert version.refusals[0].endswith(".")


def test_upload_whose_place_in_the_bucket_is_taken_is_rejected_and_replaces_nothing(cloud: None, samples: Path):
    model, theirs = make_model("restored"), {"sha256": "f" * 64, "file": "model.joblib"}
    manifest_key = storage.version_key("restored", 1, "manifest.json")
    storage.put_json(manifest_key, theirs)

    with (samples / "diabetes" / "model.joblib").open("rb") as file:
        version = actions.upload_version(model, file, file_name="model.joblib", by=model.created_by)
    actions.check(version, by=model.created_by)

    assert version.state == states.REJECTED
    assert "already holds another file as version 1 of “restored”" in version.refusals[0]
    assert storage.get_json(manifest_key) == theirs


def test_check_again_without_the_file_is_refused_and_closes_the_version(cloud: None):
    version = make_version(make_model("gone"), is_live=False, state=states.CHECKING)

    with pytest.raises(Refused, match="not in quarantine"):
        actions.check(version, by=version.created_by)

    version.refresh_from_db()
    assert version.state == states.REJECTED


def test_check_again_of_a_ready_version_is_refused():
    version = make_version(make_model("fine"), is_live=False)

    with pytest.raises(Refused):
        actions.check(version, by=version.created_by)
