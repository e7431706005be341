"""`manage.py upload_model`, through the real scan and the real functions."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from portal.accounts import roles
from portal.gateways import storage
from portal.registry import states
from portal.registry.models import Model, ModelVersion
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db


def upload(file: Path, **options) -> str:
    said = io.StringIO()
    call_command("upload_model", file, stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def model_file(samples: Path) -> Path:
    return samples / "diabetes" / "model.joblib"


def test_upload_of_a_new_model_makes_it_and_makes_it_live(cloud: None, samples: Path, model_file: Path):
    owner = make_user("olga", roles.MODEL_OWNER)

    said = upload(
        model_file, model="from-a-script", by="olga", live=True, training=samples / "diabetes" / "training.csv"
    )

    version = Model.objects.get(slug="from-a-script").live_version
    assert (version.number, version.created_by) == (1, owner)
    assert version.features.exclude(minimum=None).exists()  # the training data gave ranges
    assert said.splitlines()[:4] == [
        "Uploading model.joblib …",
        "Reading it without loading it …",
        "Loading it in the sandbox and trying it out …",
        "Version 1 passed the check.",
    ]
    assert storage.get_json(storage.live_key("from-a-script"))["version"] == 1


def test_upload_without_live_leaves_the_live_version_as_it_is(cloud: None, model_file: Path):
    make_user("olga", roles.MODEL_OWNER)
    upload(model_file, model="two-versions", by="olga", live=True)

    upload(model_file, model="two-versions", by="olga", notes="the same again")

    model = Model.objects.get(slug="two-versions")
    assert (model.live_version.number, model.versions.count()) == (1, 2)


def test_upload_from_standard_input_takes_what_comes(cloud: None, model_file: Path, monkeypatch):
    make_user("olga", roles.MODEL_OWNER)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(model_file.read_bytes())))

    upload(Path("-"), model="from-a-pipe", by="olga")

    assert Model.objects.get(slug="from-a-pipe").versions.get().state == states.READY


def test_upload_of_something_else_fails_with_the_reasons_and_is_not_live(cloud: None, tmp_path: Path):
    make_user("olga", roles.MODEL_OWNER)
    file = tmp_path / "table.csv"
    file.write_bytes(b"name,age\nada,36\n")

    with pytest.raises(CommandError, match="Version 1 was rejected:\n  "):
        upload(file, model="no-model-at-all", by="olga", live=True)

    assert Model.objects.get(slug="no-model-at-all").live_version is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"by": "nobody"}, "nobody named nobody"),
        ({"by": "vera"}, "nobody named vera who may"),
        ({"model": "Not A Slug", "by": "olga"}, "short name"),
        ({"training": Path("missing.csv"), "by": "olga"}, "missing.csv cannot be read"),
        ({}, "first_login"),
    ],
)
def test_upload_that_cannot_begin_says_why_and_leaves_nothing(model_file: Path, options, reason):
    make_user("olga", roles.MODEL_OWNER)
    make_user("vera", roles.VIEWER)

    with pytest.raises(CommandError, match=reason):
        upload(model_file, **{"model": "anything", **options})

    assert not ModelVersion.objects.exists()


def test_upload_of_a_file_that_is_not_there_or_empty_says_so(tmp_path: Path):
    make_user("olga", roles.MODEL_OWNER)
    (tmp_path / "empty.pkl").touch()

    with pytest.raises(CommandError, match="cannot be read"):
        upload(tmp_path / "missing.pkl", model="anything", by="olga")
    with pytest.raises(CommandError, match="has 0 bytes"):
        upload(tmp_path / "empty.pkl", model="anything", by="olga")
