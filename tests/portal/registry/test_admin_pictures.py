"""Pictures of a version, added and removed on its page."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.gateways import storage
from portal.registry.models import Event, ModelVersion, Picture
from tests.portal.factories import make_user, make_version
from tests.portal.registry.conftest import PNG, away

pytestmark = pytest.mark.django_db


def add(client: Client, version: ModelVersion, **changes: Any) -> Any:
    given = {"file": SimpleUploadedFile("roc.png", PNG), "title": "ROC", "alt": "Area 0.9", **changes}
    sent = {f"picture-{name}": value for name, value in given.items()}
    return client.post(reverse("admin:registry_picture_add", args=[version.pk]), sent)


def remove(client: Client, picture: Picture) -> Any:
    return client.post(reverse("admin:registry_picture_remove", args=[picture.version_id, picture.position]))


def test_picture_added_stands_on_the_versions_page(owner: Client, quiet_cloud: None):
    version = make_version()

    answer = add(owner, version)

    page = owner.get(answer["Location"]).content.decode()
    assert version.pictures.get().title == "ROC"
    assert 'alt="Area 0.9"' in page
    assert Event.objects.get().did == "picture added"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"file": ""}, "The picture itself is missing. Choose its file."),
        ({"file": SimpleUploadedFile("roc.png", b"GIF89a")}, "This is not a PNG picture."),
        ({"title": ""}, "Give it a title"),
        ({"alt": ""}, "Say in words what it shows"),
    ],
)
def test_picture_that_lacks_something_is_told_and_not_kept(
    owner: Client, quiet_cloud: None, changes: dict[str, Any], told: str
):
    answer = add(owner, make_version(), **changes)

    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Picture.objects.exists()


def test_picture_with_the_store_away_is_not_kept_and_gives_a_reference(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(storage, "put_file", away)

    answer = add(owner, make_version())

    assert answer.status_code == 503
    assert "Reference: " in answer.content.decode()
    assert not Picture.objects.exists()


def test_picture_removed_is_gone_from_the_database_and_the_bucket(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    deleted: list[str] = []
    monkeypatch.setattr(storage, "delete", deleted.append)
    add(owner, make_version())

    remove(owner, Picture.objects.get())

    assert not Picture.objects.exists()
    assert deleted == ["models/penguins/1/pictures/1.png"]


def test_picture_added_after_one_was_removed_gets_an_address_of_its_own(owner: Client, quiet_cloud: None):
    version = make_version()
    add(owner, version)
    remove(owner, Picture.objects.get())

    add(owner, version)

    assert Picture.objects.get().position == 2


def test_picture_with_the_store_away_is_not_removed(owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch):
    add(owner, make_version())
    monkeypatch.setattr(storage, "delete", away)

    remove(owner, Picture.objects.get())

    assert Picture.objects.exists()


@pytest.mark.parametrize("name", ["add", "remove"])
def test_pictures_changed_by_a_colleague_are_forbidden(client: Client, name: str):
    version = make_version()
    Picture.objects.create(version=version, position=1, title="ROC", alt="Area 0.9")
    client.force_login(make_user("carl", roles.PREDICTOR))

    args = [version.pk] if name == "add" else [version.pk, 1]
    answer = client.post(reverse(f"admin:registry_picture_{name}", args=args))

    assert answer.status_code in (302, 403)
    assert Picture.objects.count() == 1
