"""Which version answers: one change at a time, golden rows first, and what the functions serve after it."""

import pickle
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from sklearn.linear_model import LogisticRegression

from portal.accounts import roles
from portal.errors import BackendAway, BackendFault, Refused
from portal.gateways import inference, storage
from portal.gateways.contract import Replay
from portal.registry import actions, states
from portal.registry.actions.checking import sign_manifest
from portal.registry.actions.claiming import CLAIM_LASTS
from portal.registry.models import Event, Model, ModelVersion
from tests.deploy.sending import send
from tests.deploy.waiting import wait_until
from tests.portal.factories import make_model, make_user, make_version
from tests.portal.registry.conftest import away

pytestmark = pytest.mark.django_db
ANSWERED = {"label": "Adelie", "value": None, "probabilities": [0.9, 0.1], "scores": None}
MOVED = [{"row": {"year": 2008}, "before": ANSWERED, "now": None, "error": "year: is missing"}]


def two_versions() -> tuple[ModelVersion, ModelVersion]:
    live = make_version()
    return live, make_version(live.model, is_live=False)


def test_make_live_puts_the_one_before_back_to_ready_and_writes_down_who_did_it(quiet_cloud: None):
    old, new = two_versions()

    actions.make_live(new, by=make_user("olga", roles.MODEL_OWNER), seen=1)

    old.refresh_from_db()
    event = Event.objects.get()
    assert (old.state, new.state) == (states.READY, states.LIVE)
    assert (str(event.by), event.did, event.detail) == ("olga", "made live", "instead of version 1")


def test_make_live_with_moved_rows_tells_them_and_changes_nothing(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch):
    old, new = two_versions()
    monkeypatch.setattr(inference, "replay", lambda **kwargs: Replay(rows=3, moved=MOVED))
    monkeypatch.setattr(storage, "put_json", away)

    with pytest.raises(actions.RowsMoved, match="1 of its 3 golden rows") as told:
        actions.make_live(new, by=new.created_by)

    assert told.value.moved == MOVED
    assert (old.model.live_version, Event.objects.count()) == (old, 0)


@pytest.mark.parametrize("state", [states.UPLOADED, states.CHECKING, states.REJECTED, states.ARCHIVED])
def test_make_live_of_a_version_that_did_not_pass_is_refused(quiet_cloud: None, state: str):
    version = make_version(is_live=False, state=state)

    with pytest.raises(Refused, match=f"A version that is {state} cannot become live."):
        actions.make_live(version, by=version.created_by)


@pytest.mark.parametrize("seen", [None, 7])
def test_make_live_after_somebody_was_faster_names_them_and_changes_nothing(quiet_cloud: None, seen: int | None):
    old, new = two_versions()
    third = make_version(old.model, is_live=False)
    actions.make_live(new, by=make_user("grace", roles.MODEL_OWNER))

    with pytest.raises(Refused, match="grace has made version 2 live since this page was shown"):
        actions.make_live(third, by=old.created_by, seen=seen)

    assert old.model.live_version == new


def test_make_live_while_another_change_runs_is_refused_with_their_name(quiet_cloud: None):
    old, new = two_versions()
    grace = make_user("grace", roles.MODEL_OWNER)
    Model.objects.update(changing_since=timezone.now(), changing_by=grace)

    with pytest.raises(Refused, match="grace is changing which version of “Penguins” is live just now"):
        actions.make_live(new, by=new.created_by)

    assert old.model.live_version == old


def test_make_live_by_two_people_at_once_lets_the_first_through(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch):
    old, new = two_versions()
    third, grace = make_version(old.model, is_live=False), make_user("grace", roles.MODEL_OWNER)
    refusals = []

    def try_meanwhile(**kwargs: Any) -> Replay:
        with pytest.raises(Refused) as refused:
            actions.make_live(third, by=grace, seen=1)
        refusals.append(str(refused.value))
        return Replay(rows=3, moved=[])

    monkeypatch.setattr(inference, "replay", try_meanwhile)

    actions.make_live(new, by=old.created_by, seen=1)

    assert [refusal.partition(" is changing")[0] for refusal in refusals] == ["owner"]
    assert old.model.live_version == new


def test_claim_of_a_portal_that_died_expires(quiet_cloud: None):
    old, new = two_versions()
    died_at = timezone.now() - CLAIM_LASTS - timedelta(seconds=1)
    Model.objects.update(changing_since=died_at, changing_by=make_user("grace", roles.MODEL_OWNER))

    actions.make_live(new, by=new.created_by)

    assert old.model.live_version == new


def test_claim_is_given_back_after_a_failure(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch):
    old, new = two_versions()
    monkeypatch.setattr(inference, "replay", away)

    with pytest.raises(BackendAway):
        actions.make_live(new, by=new.created_by)

    assert Model.objects.get().changing_since is None
    assert old.model.live_version == old


def test_roll_back_brings_the_version_before_without_asking_the_functions(
    quiet_cloud: None, monkeypatch: pytest.MonkeyPatch
):
    old, new = two_versions()
    ModelVersion.objects.filter(pk=old.pk).update(live_at=timezone.now())
    actions.make_live(new, by=new.created_by)
    monkeypatch.setattr(inference, "replay", away)

    back = actions.roll_back(new.model, by=new.created_by, seen=2, to=1)

    assert (back, new.model.live_version, new.model.version_before) == (old, old, new)
    assert Event.objects.first().did == "rolled back to"


def test_roll_back_of_a_first_version_is_refused(quiet_cloud: None):
    live, _ = two_versions()

    with pytest.raises(Refused, match="no earlier version that was live"):
        actions.roll_back(live.model, by=live.created_by)


def test_roll_back_to_another_version_than_the_button_said_is_refused(quiet_cloud: None):
    live, other = two_versions()
    ModelVersion.objects.filter(pk=other.pk).update(live_at=timezone.now())

    with pytest.raises(Refused, match="would bring version 2 now, not 5"):
        actions.roll_back(live.model, by=live.created_by, seen=1, to=5)

    assert live.model.live_version == live


@pytest.mark.parametrize("state", [states.READY, states.REJECTED])
def test_archive_takes_a_version_out_of_what_can_be_made_live_or_rolled_back_to(quiet_cloud: None, state: str):
    live, other = two_versions()
    ModelVersion.objects.filter(pk=other.pk).update(state=state, live_at=timezone.now())

    actions.archive(other, by=other.created_by)

    assert other.is_archived and not other.may_be_checked
    assert live.model.version_before is None
    with pytest.raises(Refused):
        actions.make_live(other, by=other.created_by)


@pytest.mark.parametrize("state", [states.LIVE, states.CHECKING, states.UPLOADED, states.ARCHIVED])
def test_archive_of_any_other_version_is_refused(quiet_cloud: None, state: str):
    version = make_version(is_live=False, state=state)

    with pytest.raises(Refused):
        actions.archive(version, by=version.created_by)


# Below, the real functions on the emulator.


@pytest.fixture
def checked(cloud: None, tmp_path: Path) -> Callable[..., ModelVersion]:
    """Makes versions that have passed the real check: each is fitted on classes that lie around another threshold."""

    def make(model: Model, threshold: float) -> ModelVersion:
        fitted = LogisticRegression().fit([[threshold - 1], [threshold + 1]], ["low", "high"])
        path = tmp_path / "model.pkl"
        path.write_bytes(pickle.dumps(fitted))
        with path.open("rb") as file:
            version = actions.upload_version(model, file, file_name="model.pkl", by=model.created_by)
        actions.check(version, by=model.created_by)
        assert version.state == states.READY, version.refusals
        return version

    return make


def test_make_live_and_roll_back_reach_the_callers_of_the_api(checked: Any, stack: Any):
    model = make_model("switched")
    first, second = checked(model, 0.0), checked(model, 10.0)
    url = f"{stack.environment['PORTICO_API_URL']}/switched/singlePrediction"

    def served() -> str:
        headers = {"Content-Type": "application/json"}
        return send("POST", url, body=b'{"x0": 5.0}', headers=headers)[1].get("X-Model-Version", "")

    actions.make_live(first, by=model.created_by)
    wait_until(lambda: served() == "switched/1")
    actions.make_live(second, by=model.created_by, seen=1)
    wait_until(lambda: served() == "switched/2")
    actions.roll_back(model, by=model.created_by, seen=2, to=1)
    wait_until(lambda: served() == "switched/1")

    assert model.live_version == first


def test_make_live_with_other_golden_answers_in_the_bucket_is_stopped_with_the_rows(checked: Any):
    model = make_model("drifted")
    version = checked(model, 0.0)
    first, *rest = version.manifest["golden"]
    other = {**first["prediction"], "label": "low" if first["prediction"]["label"] == "high" else "high"}
    manifest = {**version.manifest, "golden": [{**first, "prediction": other}, *rest]}
    storage.put_json(storage.version_key("drifted", 1, "manifest.json"), sign_manifest(version, manifest))

    with pytest.raises(actions.RowsMoved) as told:
        actions.make_live(version, by=model.created_by)

    moved = told.value.moved
    assert [(row["row"], row["before"], row["now"]) for row in moved] == [(first["row"], other, first["prediction"])]
    assert model.live_version is None
    assert storage.get_json(storage.live_key("drifted")) is None


def test_manifest_changed_by_somebody_without_the_key_cannot_be_made_live(checked: Any):
    model = make_model("forged")
    version = checked(model, 0.0)
    key = storage.version_key("forged", 1, "manifest.json")
    storage.put_json(key, {**(storage.get_json(key) or {}), "golden": []})

    with pytest.raises(BackendFault):
        actions.make_live(version, by=model.created_by)

    assert model.live_version is None


def test_pointer_written_by_somebody_without_the_key_is_not_served(checked: Any, stack: Any):
    model = make_model("pointed")
    version = checked(model, 0.0)
    storage.put_json(storage.live_key("pointed"), {"slug": "pointed", "version": 1, "sha256": version.sha256})

    url = f"{stack.environment['PORTICO_API_URL']}/pointed/singlePrediction"
    status, _, body = send("POST", url, body=b'{"x0": 5.0}')

    assert status >= 400
    assert b"pred_proba" not in body
