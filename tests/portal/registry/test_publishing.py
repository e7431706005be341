"""What is changed in the portal reaches the functions and the published page, now or as soon as it can."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.errors import BackendAway
from portal.gateways import captures, storage
from portal.gateways.aws import client as aws_client
from portal.registry import actions, states
from portal.registry.actions import publishing
from portal.registry.admin import pages
from portal.registry.models import Model, ModelVersion
from portal.registry.published_page import document_of
from tests.portal.factories import make_model, make_user, make_version
from tests.portal.registry.conftest import away
from tests.portal.registry.test_admin_settings import post

pytestmark = pytest.mark.django_db
INDEX, PAGE, POINTER = "pages/index.json", "pages/penguins/page.json", "models/penguins/live.json"


class Bucket:
    """JSON documents, in memory. `order`: the keys as they were written; `away`: what cannot be written."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.order: list[str] = []
        self.away: tuple[str, ...] = ()

    def put(self, key: str, content: Any) -> None:
        if key.startswith(self.away or ("nowhere",)):
            raise BackendAway("The prediction service cannot be reached just now.", detail="connection refused")
        self.kept[key] = json.loads(json.dumps(content))
        self.order.append(key)


@pytest.fixture
def bucket(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket()
    for name in ("put_json", "put_page"):
        monkeypatch.setattr(storage, name, made.put)
    monkeypatch.setattr(storage, "get_json", made.kept.get)
    return made


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's own transaction never ends with a commit."""
    monkeypatch.setattr(pages.transaction, "on_commit", lambda do: do())


def two_versions() -> tuple[ModelVersion, ModelVersion]:
    live = make_version()
    return live, make_version(live.model, is_live=False)


def describe(owner: Client, model: Model, **changed: str) -> Any:
    facts = {"name": model.name, "summary": model.summary, "keep_batches_days": "30", "capture": model.capture}
    address = reverse("admin:registry_model_change", args=[model.pk])
    return owner.post(address, facts | {"_continue": ""} | changed, follow=True)


def test_make_live_writes_the_pointer_then_the_page_then_the_index(bucket: Bucket):
    _, new = two_versions()

    actions.make_live(new, by=new.created_by)

    assert bucket.order == [POINTER, PAGE, INDEX]
    assert (bucket.kept[PAGE]["version"], bucket.kept[INDEX]["models"][0]["version"]) == (2, 2)
    assert bucket.kept[POINTER]["capture"] == "all"
    assert new.model.publish_since is None


def test_roll_back_writes_them_too(bucket: Bucket):
    old, new = two_versions()
    actions.make_live(new, by=new.created_by)
    ModelVersion.objects.filter(pk=old.pk).update(live_at=timezone.now())

    actions.roll_back(new.model, by=new.created_by)

    assert (bucket.kept[PAGE]["version"], bucket.kept[INDEX]["models"][0]["version"]) == (1, 1)


def test_make_live_with_the_page_not_written_is_live_and_the_schedule_writes_it(bucket: Bucket):
    _, new = two_versions()
    bucket.away = ("pages/",)

    actions.make_live(new, by=new.created_by)

    assert (new.state, PAGE in bucket.kept) == (states.LIVE, False)
    assert new.model.publish_since is not None
    bucket.away = ()
    assert (actions.publish_marked(), actions.publish_marked()) == (1, 0)
    assert bucket.kept[PAGE]["version"] == 2


def test_make_live_with_the_pointer_not_written_changes_nothing(bucket: Bucket):
    old, new = two_versions()
    bucket.away = ("models/",)

    with pytest.raises(BackendAway):
        actions.make_live(new, by=new.created_by)

    assert old.model.live_version == old
    assert bucket.order == []


def test_console_says_that_the_page_is_still_to_be_written(owner: Client, bucket: Bucket):
    _, new = two_versions()
    bucket.away = ("pages/",)

    page = owner.post(reverse("admin:registry_modelversion_live", args=[new.pk]), follow=True).content.decode()

    assert "is live: it answers from now on." in page
    assert "The published page could not be written just now; the portal tries again by itself." in page


def test_index_lists_live_models_by_name_and_no_others(bucket: Bucket):
    make_version(make_model("zebras", name="Aardvarks"))
    make_version(make_model("drafts"), is_live=False)
    make_version()

    publishing.write_index()

    assert [entry["slug"] for entry in bucket.kept[INDEX]["models"]] == ["zebras", "penguins"]


def test_settings_of_the_live_version_reach_its_page(owner: Client, bucket: Bucket, at_once: None):
    version = make_version()

    post(owner, version, **{"features-0-label": "Length of the bill"})

    assert bucket.kept[PAGE]["features"][0]["label"] == "Length of the bill"
    assert not Model.objects.filter(publish_since__isnull=False).exists()


def test_settings_of_another_version_write_nothing(owner: Client, bucket: Bucket, at_once: None):
    _, new = two_versions()

    post(owner, new, **{"features-0-label": "Length of the bill"})

    assert bucket.order == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Birds"), ("summary", "Which one."), ("target_label", "Species"), ("target_unit", "kg")],
)
def test_description_reaches_the_page(owner: Client, bucket: Bucket, at_once: None, field: str, value: str):
    version = make_version()

    describe(owner, version.model, **{field: value})

    version.refresh_from_db()
    assert bucket.kept[PAGE] == json.loads(json.dumps(document_of(ModelVersion.objects.get(pk=version.pk))))
    assert value in json.dumps(bucket.kept[PAGE])


def test_capture_setting_reaches_the_functions_by_a_signed_pointer(owner: Client, bucket: Bucket, at_once: None):
    version = make_version()

    describe(owner, version.model, capture="off")

    version = ModelVersion.objects.select_related("model").get()
    assert version.model.capture == "off"
    assert bucket.kept[POINTER] == publishing.pointer_of(version)
    assert (bucket.kept[POINTER]["capture"], bucket.kept[PAGE]["capture"]) == ("off", "off")
    assert "Nothing" in version.model.events.get().detail


def test_capture_setting_with_the_bucket_away_says_so_and_is_written_later(
    owner: Client, bucket: Bucket, at_once: None
):
    version = make_version()
    bucket.away = ("models/", "pages/")

    page = describe(owner, version.model, capture="outputs").content.decode()

    assert pages.NOT_WRITTEN in page
    bucket.away = ()
    call_command_of_the_schedule()
    assert bucket.kept[POINTER]["capture"] == "outputs"


def test_capture_setting_while_another_version_is_being_made_live_waits_and_turns_no_pointer_back(
    owner: Client, bucket: Bucket, at_once: None
):
    version = make_version()
    Model.objects.update(changing_since=timezone.now(), changing_by=make_user("grace"))

    page = describe(owner, version.model, capture="off").content.decode()

    assert bucket.order == []
    assert pages.NOT_WRITTEN in page
    model = Model.objects.get()
    assert (model.capture, str(model.changing_by)) == ("off", "grace")


def test_description_without_a_change_writes_nothing(owner: Client, bucket: Bucket, at_once: None):
    version = make_version()

    describe(owner, version.model)

    assert bucket.order == []


def test_model_without_a_live_version_has_nothing_written(owner: Client, bucket: Bucket, at_once: None):
    version = make_version(is_live=False)

    describe(owner, version.model, name="Birds")

    assert bucket.order == []
    assert Model.objects.get().publish_since is None


def test_page_that_changes_while_it_is_written_is_written_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    version = make_version()
    changes = iter(["second", "third"])

    def put(key: str, content: Any) -> None:
        bucket.put(key, content)
        if key == PAGE and (name := next(changes, None)):
            Model.objects.filter(pk=version.model_id).update(name=name)

    monkeypatch.setattr(storage, "put_page", put)

    publishing.write_page(version.model)

    assert [bucket.kept[PAGE]["name"], bucket.order.count(PAGE)] == ["third", 3]


def test_mark_that_was_set_anew_while_the_page_was_written_stays(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    version = make_version()
    actions.mark(version.model)
    monkeypatch.setattr(storage, "put_page", lambda key, content: actions.mark(version.model))

    actions.publish(version.model)

    assert Model.objects.get().publish_since is not None


@pytest.mark.parametrize("lost", [PAGE, INDEX, POINTER])
def test_start_writes_what_is_not_there_and_only_that(bucket: Bucket, lost: str):
    version = make_version()
    bucket.kept["models/penguins/1/manifest.json"] = {"sha256": version.sha256}
    actions.vouch_again()
    bucket.order.clear()
    del bucket.kept[lost]

    assert (actions.vouch_again(), actions.vouch_again()) == (1, 0)
    assert bucket.order == [lost]


def test_publishing_never_raises(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch):
    version = make_version()
    actions.mark(version.model)
    monkeypatch.setattr(storage, "put_json", away)

    assert actions.publish(version.model) is False
    assert Model.objects.get().changing_since is None


def test_page_in_the_real_bucket_is_json_that_browsers_ask_for_again(cloud: None, settings: Any):
    version = make_version(make_model("published"))

    publishing.write_page(version.model)

    answer = aws_client("s3").get_object(Bucket=settings.PORTICO_BUCKET, Key="pages/published/page.json")
    assert (answer["CacheControl"], answer["ContentType"]) == ("no-cache", "application/json")
    assert json.loads(answer["Body"].read()) == json.loads(json.dumps(document_of(version)))


def call_command_of_the_schedule() -> None:
    """With nothing under captures/."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captures, "objects_after", lambda moment: iter(()))
        call_command("ingest_captures")
