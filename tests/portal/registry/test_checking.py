"""The check as its version's page sees it: begun once, told in stages, found again after an interruption."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import roles
from portal.gateways import inference
from portal.gateways.inference import Verified
from portal.registry import actions, states
from portal.registry.actions import BeingChecked, checking
from portal.registry.models import ModelVersion
from portal.scanner.report import Refusal, ScanReport
from tests.portal.factories import make_manifest, make_model, make_user, make_version
from tests.portal.registry.conftest import away

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}
REPORT = ScanReport(
    ok=True,
    format="pickle",
    protocol=5,
    estimator="LogisticRegression",
    fitted_with="1.9.1",
    globals=("numpy.ndarray",),
)


@pytest.fixture
def uploaded(quiet_cloud: None) -> ModelVersion:
    version = make_version(make_model(), is_live=False, state=states.UPLOADED, manifest={}, sha256="")
    for rows in (version.features, version.bands, version.examples):
        rows.all().delete()
    return version


def page(client: Client, name: str, version: ModelVersion) -> Any:
    return client.get(reverse(f"admin:registry_modelversion_{name}", args=[version.pk])).content.decode()


def begin(client: Client, version: ModelVersion) -> Any:
    return client.post(reverse("admin:registry_modelversion_check", args=[version.pk]), headers=JSON)


def test_check_begun_by_the_script_ends_with_the_report_on_its_page(owner: Client, uploaded: ModelVersion):
    answer = begin(owner, uploaded)

    uploaded.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {"message": ""})
    assert uploaded.state == states.READY
    assert "What the check found" in page(owner, "change", uploaded)


def test_check_shows_what_the_scan_found_before_anything_is_loaded(
    owner: Client, uploaded: ModelVersion, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str] = []

    def look_meanwhile(**kwargs: Any) -> Any:
        seen.append(page(owner, "progress", uploaded))
        return Verified(make_manifest(), None)

    monkeypatch.setattr(checking, "scan_file", lambda path: REPORT)
    monkeypatch.setattr(inference, "verify", look_meanwhile)

    begin(owner, uploaded)

    (fragment,) = seen
    assert 'class="is-now"><span class="stage-words">Loading it in the sandbox' in fragment
    for found in ("LogisticRegression", "scikit-learn 1.9.1", "data-goes-on", "0 s ago"):
        assert found in fragment


def test_check_begun_while_it_runs_is_told_to_watch(owner: Client, uploaded: ModelVersion):
    ModelVersion.objects.update(state=states.CHECKING, stage="reading", checking_since=timezone.now())

    answer = begin(owner, uploaded)

    uploaded.refresh_from_db()
    assert (answer.status_code, answer.json()) == (200, {"message": ""})
    assert uploaded.stage == "reading"


def test_check_that_never_ended_can_be_begun_anew(owner: Client, uploaded: ModelVersion):
    long_ago = timezone.now() - checking.DEAD_AFTER - timedelta(seconds=1)
    ModelVersion.objects.update(state=states.CHECKING, stage="trying", checking_since=long_ago)

    begin(owner, uploaded)

    uploaded.refresh_from_db()
    assert uploaded.state == states.READY


def test_check_cut_off_by_a_restart_can_be_begun_at_once(owner: Client, uploaded: ModelVersion):
    ModelVersion.objects.update(state=states.CHECKING, stage="trying", checking_since=timezone.now())

    forgotten = actions.forget_interrupted()

    begin(owner, uploaded)
    uploaded.refresh_from_db()
    assert (forgotten, uploaded.state) == (1, states.READY)


def test_check_with_the_service_away_can_be_begun_again_and_gives_a_reference(
    owner: Client, uploaded: ModelVersion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inference, "verify", away)

    answer = begin(owner, uploaded)

    uploaded.refresh_from_db()
    assert answer.status_code == 503
    assert "The file was kept: check it again in a moment. Reference: " in answer.json()["message"]
    assert (uploaded.state, uploaded.checking_since) == (states.CHECKING, None)
    assert "Check again" in page(owner, "change", uploaded)


def test_check_that_refuses_shows_what_was_found_why_and_what_to_do(
    owner: Client, uploaded: ModelVersion, monkeypatch: pytest.MonkeyPatch
):
    refusal = Refusal("It names os.system.", "No model needs it.", "Save the model again.")
    report = ScanReport(ok=False, format="pickle", globals=("posix.system",), refusals=(refusal,))
    monkeypatch.setattr(checking, "scan_file", lambda path: report)

    begin(owner, uploaded)

    shown = page(owner, "change", uploaded)
    for words in ("It names os.system.", "No model needs it.", "Save the model again.", "posix.system"):
        assert words in shown


@pytest.mark.parametrize("name", ["check", "progress"])
def test_check_of_a_colleague_is_forbidden(client: Client, uploaded: ModelVersion, name: str):
    client.force_login(make_user("petra", roles.PREDICTOR))
    address = reverse(f"admin:registry_modelversion_{name}", args=[uploaded.pk])

    answer = client.post(address) if name == "check" else client.get(address)

    assert answer.status_code in (302, 403)
    uploaded.refresh_from_db()
    assert uploaded.state == states.UPLOADED


def test_check_tells_its_stages_to_who_waits_for_it(uploaded: ModelVersion):
    told: list[str] = []

    actions.check(uploaded, by=uploaded.created_by, tell=told.append)

    assert told == ["Reading it without loading it", "Loading it in the sandbox and trying it out"]


def test_check_by_two_at_once_is_one_check(uploaded: ModelVersion, monkeypatch: pytest.MonkeyPatch):
    def begin_as_well(**kwargs: Any) -> Any:
        with pytest.raises(BeingChecked):
            actions.check(ModelVersion.objects.get(), by=uploaded.created_by)
        return Verified(make_manifest(), None)

    monkeypatch.setattr(inference, "verify", begin_as_well)

    actions.check(uploaded, by=uploaded.created_by)

    assert uploaded.state == states.READY


def test_report_of_an_older_release_shows_what_is_there(owner: Client):
    version = make_version(is_live=False, scan={})

    assert "What the check found" in page(owner, "change", version)


def test_report_shows_trials_walls_flags_and_imports_in_words(owner: Client):
    trials = {
        "single": {"milliseconds": 0.9},
        "thousand": {"milliseconds": 21.4, "rows": 1000},
        "missing": {"answered": False, "said": "Input X contains NaN."},
        "unknown_category": None,
    }
    manifest = make_manifest(
        trials=trials,
        sandbox=["time", "memory"],
        flags=[{"code": "slow", "message": "It is slow."}],
        memory_bytes=31457280,
        versions={"python": "3.11.7", "scikit-learn": "1.9.1", "fitted_with": "1.2.0"},
    )
    version = make_version(is_live=False, manifest=manifest, scan=REPORT.to_json())

    shown = page(owner, "change", version)

    for words in (
        "Pickle, protocol 5",
        "scikit-learn 1.2.0 → served by 1.9.1, another release",
        "1,000 rows at once</dt><dd>answered in 21.4 ms",
        "A row with missing values</dt><dd>turned down: Input X contains NaN.",
        "a limit of time, a limit of memory",
        "Not here: no other programs",
        "It is slow.",
        "scikit-learn answers every row: it was not asked",
        "30.0\xa0MB of memory",
        "numpy.ndarray",
    ):
        assert words in shown
    assert "A category it has never seen" not in shown
