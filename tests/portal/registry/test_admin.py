"""The console's pages about models, without a browser and with the cloud side stood in by functions."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import roles
from portal.errors import Refused
from portal.gateways import inference, storage
from portal.gateways.inference import Verified
from portal.registry import states
from portal.registry.admin import models as admin_models
from portal.registry.models import Event, ModelVersion
from tests.portal.factories import make_manifest, make_model, make_prediction, make_user, make_version
from tests.portal.registry.conftest import away, model_file

pytestmark = pytest.mark.django_db
UPLOAD = "admin:registry_model_upload"


@pytest.mark.parametrize("role", [roles.VIEWER, roles.PREDICTOR])
def test_console_opened_by_a_colleague_is_forbidden(client: Client, role: str):
    client.force_login(make_user("carl", role))

    answer = client.get(reverse("admin:index"), follow=True)

    assert answer.status_code == 403


def test_console_opened_without_a_login_leads_to_the_portals_sign_in(client: Client):
    answer = client.get(reverse("admin:registry_model_changelist"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_console_keeps_the_portals_content_policy(owner: Client):
    policy = owner.get(reverse("admin:registry_model_changelist"))["Content-Security-Policy"]

    assert "unsafe" not in policy


def test_check_again_after_an_interruption_makes_the_version_ready(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    version = make_version(is_live=False, state=states.CHECKING, manifest={}, sha256="")
    version.features.all().delete()
    version.bands.all().delete()
    monkeypatch.setattr(storage, "get_stream", lambda key: (7, iter([b"a model"])))

    owner.post(reverse("admin:registry_modelversion_check", args=[version.pk]))

    version.refresh_from_db()
    assert version.state == states.READY


def test_check_again_fills_the_settings_from_the_training_data_of_the_upload(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    training = SimpleUploadedFile("training.csv", b"bill_length_mm,island,year\n30.5,Dream,2007\n60,Biscoe,2008\n")
    monkeypatch.setattr(inference, "verify", away)
    owner.post(reverse(UPLOAD), {"name": "Loan", "file": model_file(), "training": training})
    version = ModelVersion.objects.get()
    monkeypatch.setattr(inference, "verify", lambda **kwargs: Verified(make_manifest(), None))
    monkeypatch.setattr(storage, "get_stream", lambda key: (7, iter([b"a model"])))

    owner.post(reverse("admin:registry_modelversion_check", args=[version.pk]))

    version.refresh_from_db()
    bill = version.features.get(name="bill_length_mm")
    assert (bill.minimum, bill.maximum) == (30.5, 60)
    assert [example.name for example in version.examples.all()] == ["Training row 1", "Training row 2"]
    assert version.pending == {}


def test_check_that_fails_after_another_one_passed_leaves_the_version_ready(
    owner: Client, quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    version = make_version(is_live=False, state=states.CHECKING, manifest={}, sha256="")
    monkeypatch.setattr(storage, "get_stream", lambda key: (7, iter([b"a model"])))

    def lose_the_race(**kwargs: Any) -> Any:
        ModelVersion.objects.filter(pk=version.pk).update(state=states.READY)
        raise Refused("The upload is gone.")

    monkeypatch.setattr(inference, "verify", lose_the_race)

    owner.post(reverse("admin:registry_modelversion_check", args=[version.pk]))

    version.refresh_from_db()
    assert (version.state, version.refusals) == (states.READY, [])


def test_make_live_asked_for_shows_what_changes_and_changes_nothing(owner: Client):
    old = make_version()
    features = [*make_manifest()["features"][1:], {"name": "age", "kind": "number", "accepts_missing": False}]
    new = make_version(old.model, is_live=False, manifest=make_manifest(features=features, estimator="SVC"))

    answer = owner.get(reverse("admin:registry_modelversion_live", args=[new.pk]))

    comparison = answer.context["comparison"]
    assert (comparison.added, comparison.removed) == (["age"], ["bill_length_mm"])
    assert ("Estimator", "LogisticRegression", "SVC") in comparison.facts
    assert old.model.live_version == old


def test_make_live_confirmed_and_taken_back_leaves_two_events(owner: Client, quiet_cloud: None):
    old = make_version()
    new = make_version(old.model, is_live=False)

    for version in (new, old):
        owner.post(reverse("admin:registry_modelversion_live", args=[version.pk]))

    assert old.model.live_version == old
    assert list(Event.objects.values_list("version__number", "detail")) == [
        (1, "instead of version 2"),
        (2, "instead of version 1"),
    ]


def test_make_live_with_the_service_away_changes_nothing(owner: Client, monkeypatch: pytest.MonkeyPatch):
    old = make_version()
    new = make_version(old.model, is_live=False)
    monkeypatch.setattr(storage, "put_json", away)

    answer = owner.post(reverse("admin:registry_modelversion_live", args=[new.pk]))

    assert answer.status_code == 503
    assert "Nothing was changed. Reference: " in answer.content.decode()
    assert old.model.live_version == old


def test_make_live_of_a_rejected_version_is_refused(owner: Client):
    version = make_version(is_live=False, state=states.REJECTED)

    owner.post(reverse("admin:registry_modelversion_live", args=[version.pk]))

    assert version.model.live_version is None


@pytest.mark.parametrize("name", ["registry_model_delete", "registry_modelversion_delete"])
def test_deleting_from_the_console_is_forbidden(owner: Client, name: str):
    version = make_version()
    row = version.model if name == "registry_model_delete" else version

    answer = owner.post(reverse(f"admin:{name}", args=[row.pk]), {"post": "yes"})

    assert answer.status_code == 403


@pytest.mark.parametrize("counted", [3, 5])
def test_models_list_counts_recent_predictions_of_all_versions_and_stops_at_a_bound(
    owner: Client, monkeypatch: pytest.MonkeyPatch, counted: int
):
    monkeypatch.setattr(admin_models, "COUNTED_ROWS", counted)
    ada, first = make_user(), make_version(is_live=False)
    second = make_version(first.model)
    for version in (first, first, second):
        make_prediction(ada, version)
    make_prediction(ada, second, created_at=timezone.now() - timedelta(days=31))
    make_prediction(ada, make_version(make_model("houses")))

    page = owner.get(reverse("admin:registry_model_changelist"))

    assert {model.slug: model.recent_predictions for model in page.context["cl"].result_list} == {
        "penguins": 3,
        "houses": 1,
    }
    assert (" or more" in page.content.decode()) == (counted == 3)
