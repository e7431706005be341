"""Models over HTTP, with the cloud side stood in by functions: docs/contract.md section 7."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts import actions as accounts
from portal.accounts import roles, tokens
from portal.accounts.models import User
from portal.gateways import inference, storage
from portal.gateways.contract import Replay
from portal.gateways.storage import PresignedPost
from portal.registry import states
from portal.registry.actions import checking
from portal.registry.models import Model, ModelVersion
from portal.scanner.report import Refusal, ScanReport
from tests.portal.factories import make_model, make_user, make_version
from tests.portal.registry.conftest import away

pytestmark = pytest.mark.django_db


class Pipeline:
    """A program with a person's token, and no cookies."""

    def __init__(self, user: User) -> None:
        self.user = user
        _row, secret = tokens.make_token(user, name=f"pipeline of {user.username}", days=1)
        self.client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/{path}")

    def post(self, path: str, content: Any = None) -> Any:
        return self.client.post(f"/api/{path}", json.dumps(content or {}), content_type="application/json")

    def open(self, slug: str = "churn") -> str:
        return self.post(f"models/{slug}/uploads/", {"file_name": "model.joblib", "size_bytes": 7}).json()["ticket"]


@pytest.fixture
def pipeline(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr(
        storage, "presign_upload", lambda key, **limits: PresignedPost("https://bucket.example", {"key": key})
    )
    return Pipeline(make_user("olga", roles.MODEL_OWNER))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def ready_version(**facts: Any) -> ModelVersion:
    return make_version(make_model("churn"), **{"is_live": False, **facts})


def test_api_takes_a_model_from_its_upload_to_live(pipeline: Pipeline):
    made = pipeline.post("models/churn/versions/", {"ticket": pipeline.open(), "name": "Churn", "notes": "nightly"})

    checked = pipeline.post("models/churn/versions/1/check/")
    live = pipeline.post("models/churn/versions/1/live/", {"seen": None})

    version = ModelVersion.objects.get()
    assert [made.status_code, checked.status_code, live.status_code] == [201, 200, 200]
    assert [answer.json()["state"] for answer in (made, checked, live)] == ["uploaded", "ready", "live"]
    assert (version.model.name, version.notes, version.file_name) == ("Churn", "nightly", "model.joblib")
    assert version.created_by == pipeline.user
    assert live.json()["page"].startswith("http://testserver/admin/registry/modelversion/")


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer portico_wrong", "Basic b2xnYTp4", "bearer  "])
def test_api_without_a_right_token_answers_401(pipeline: Pipeline, given: str):
    ready_version()

    answer = Client(headers={"Authorization": given}).get("/api/models/churn/versions/1/")

    assert code_of(answer) == (401, "unauthorized")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_api_takes_no_session_for_a_token(client: Client, pipeline: Pipeline):
    ready_version()
    client.force_login(pipeline.user)

    assert code_of(client.get("/api/models/churn/versions/1/")) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "role", "expected"),
    [
        ("models/churn/uploads/", roles.PREDICTOR, (403, "forbidden")),
        ("models/churn/versions/", roles.PREDICTOR, (403, "forbidden")),
        ("models/churn/versions/1/check/", roles.PREDICTOR, (404, "not_found")),
        ("models/churn/versions/1/live/", roles.PREDICTOR, (404, "not_found")),
        ("models/churn/versions/9/check/", roles.MODEL_OWNER, (404, "not_found")),
        ("models/other/versions/1/live/", roles.MODEL_OWNER, (404, "not_found")),
        ("models/", roles.MODEL_OWNER, (404, "not_found")),
        ("models/Not%20A%20Slug/uploads/", roles.MODEL_OWNER, (400, "bad_request")),
    ],
)
def test_api_of_what_one_may_not_or_is_not_there_says_so(
    pipeline: Pipeline, path: str, role: str, expected: tuple[int, str]
):
    ready_version()
    accounts.assign_role(pipeline.user, role)

    assert code_of(pipeline.post(path, {"file_name": "m", "size_bytes": 7})) == expected


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "[" * 100_000])
def test_api_given_something_else_than_an_object_answers_400(pipeline: Pipeline, body: str):
    answer = pipeline.client.post("/api/models/churn/uploads/", body, content_type="application/json")

    assert code_of(answer) == (400, "bad_request")


def test_api_given_a_file_in_the_body_answers_413(pipeline: Pipeline):
    answer = pipeline.client.post("/api/models/churn/uploads/", b"x" * (1024**2 + 1), content_type="application/json")

    assert code_of(answer) == (413, "too_large")


def test_api_asked_in_another_way_names_the_right_one(pipeline: Pipeline):
    answer = pipeline.get("models/churn/uploads/")

    assert code_of(answer) == (405, "wrong_method")
    assert answer["Allow"] == "POST"


@pytest.mark.parametrize(
    ("announced", "expected"),
    [
        ({"file_name": "m"}, (400, "bad_request")),
        ({"file_name": "m", "size_bytes": "many"}, (400, "bad_request")),
        ({"file_name": "", "size_bytes": 7}, (400, "bad_request")),
        ({"file_name": "m", "size_bytes": 0}, (409, "refused")),
        ({"file_name": "m", "size_bytes": 10**12}, (409, "refused")),
    ],
)
def test_api_upload_of_a_wrong_size_or_name_is_refused(
    pipeline: Pipeline, announced: dict[str, Any], expected: tuple[int, str]
):
    assert code_of(pipeline.post("models/churn/uploads/", announced)) == expected


def test_api_ticket_used_twice_is_one_version(pipeline: Pipeline):
    ticket = pipeline.open()

    first, second = (pipeline.post("models/churn/versions/", {"ticket": ticket}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert ModelVersion.objects.count() == 1


def test_api_ticket_used_for_another_model_is_refused(pipeline: Pipeline):
    ticket = pipeline.open()
    pipeline.post("models/churn/versions/", {"ticket": ticket})

    assert code_of(pipeline.post("models/other/versions/", {"ticket": ticket})) == (409, "refused")
    assert not Model.objects.filter(slug="other").exists()


@pytest.mark.parametrize("body", [{}, {"ticket": "made up"}, {"ticket": 7}, {"ticket": "x", "notes": ["no text"]}])
def test_api_version_without_a_right_ticket_is_refused(pipeline: Pipeline, body: dict[str, Any]):
    assert pipeline.post("models/churn/versions/", body).status_code in (400, 409)
    assert not Model.objects.exists()


def test_api_ticket_of_somebody_else_is_refused(pipeline: Pipeline):
    ticket = pipeline.open()

    answer = Pipeline(make_user("otto", roles.MODEL_OWNER)).post("models/churn/versions/", {"ticket": ticket})

    assert code_of(answer) == (409, "refused")


def test_api_version_whose_file_did_not_arrive_is_refused(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch):
    ticket = pipeline.open()
    monkeypatch.setattr(storage, "size_of", lambda key: None)

    answer = pipeline.post("models/churn/versions/", {"ticket": ticket})

    assert "did not arrive" in answer.json()["error"]["message"]
    assert not Model.objects.exists()


def test_api_check_that_refuses_tells_the_reasons(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch):
    refusal = Refusal("It names os.system.", "No model needs it.", "Save the model again.")
    monkeypatch.setattr(checking, "scan_file", lambda path: ScanReport(ok=False, refusals=(refusal,)))
    pipeline.post("models/churn/versions/", {"ticket": pipeline.open()})

    checked = pipeline.post("models/churn/versions/1/check/").json()

    assert checked["state"] == "rejected"
    assert checked["reasons"] == ["It names os.system. No model needs it. Save the model again."]


def test_api_check_that_runs_already_is_told_and_watched(pipeline: Pipeline):
    ready_version(state=states.CHECKING, stage="trying", checking_since=timezone.now(), manifest={})

    answer = pipeline.post("models/churn/versions/1/check/")
    watched = pipeline.get("models/churn/versions/1/").json()

    assert code_of(answer) == (409, "being_checked")
    assert (watched["stage"], watched["stage_words"]) == ("trying", "Loading it in the sandbox and trying it out")
    assert watched["checking_seconds"] >= 0


def test_api_check_with_the_service_away_answers_503_with_a_reference(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
):
    pipeline.post("models/churn/versions/", {"ticket": pipeline.open()})
    monkeypatch.setattr(inference, "verify", away)

    answer = pipeline.post("models/churn/versions/1/check/")

    assert code_of(answer) == (503, "away")
    assert "Reference: " in answer.json()["error"]["message"]


def test_api_live_with_moved_rows_answers_them(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch):
    ready_version()
    moved = [{"row": {"x": 1}, "before": {"value": 1}, "now": {"value": 2}, "error": None}]
    monkeypatch.setattr(inference, "replay", lambda **kwargs: Replay(rows=3, moved=moved))

    answer = pipeline.post("models/churn/versions/1/live/")

    assert code_of(answer) == (409, "rows_moved")
    assert answer.json()["error"]["moved"] == moved


def test_api_live_overtaken_by_somebody_is_refused(pipeline: Pipeline):
    old = make_version(make_model("churn"))
    make_version(old.model, is_live=False)

    answer = pipeline.post("models/churn/versions/2/live/", {"seen": None})

    assert code_of(answer) == (409, "refused")
    assert old.model.live_version == old


@pytest.mark.parametrize("seen", ["1", True, 1.5, []])
def test_api_live_with_a_seen_that_is_no_number_answers_400(pipeline: Pipeline, seen: Any):
    ready_version()

    assert code_of(pipeline.post("models/churn/versions/1/live/", {"seen": seen})) == (400, "bad_request")


def test_api_live_twice_is_one_change(pipeline: Pipeline):
    version = ready_version()

    answers = [pipeline.post("models/churn/versions/1/live/") for _ in range(2)]

    assert [answer.json()["state"] for answer in answers] == ["live", "live"]
    assert version.events.filter(did="made live").count() == 1


def test_api_version_of_an_older_release_is_described(pipeline: Pipeline):
    ready_version(scan={}, manifest={})

    told = pipeline.get("models/churn/versions/1/").json()

    assert (told["state"], told["scan"]["format"], told["warnings"]) == ("ready", None, [])
