"""singlePrediction for callers that accept the fuller answer: as a direct invoke is told it, refusals as well."""

import json
from typing import Any

import pytest

from predictor import bucket
from predictor.api_calls import FULL_ANSWER
from predictor.handler import handle
from tests.predictor.factories import array_model, context_of, event, make_live, penguin_model, predict, publish

PENGUIN = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}
FULL = {"Accept": FULL_ANSWER}


@pytest.fixture(autouse=True)
def published() -> None:
    publish(penguin_model())


def _call(
    body: object = None, *, path: str = "/penguins/singlePrediction", headers: Any = FULL, **changes: Any
) -> tuple[int, dict[str, Any], dict[str, str]]:
    text = json.dumps(PENGUIN) if body is None else body if isinstance(body, str) else json.dumps(body)
    asked = event("rest_single_prediction", path=path, body=text, headers=headers, multiValueHeaders=None, **changes)
    answer = handle(asked, context_of("r"))
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def test_answer_is_what_a_direct_invoke_is_told():
    told = predict(PENGUIN)

    status, body, headers = _call()

    assert (status, headers["Content-Type"]) == (200, FULL_ANSWER)
    assert headers["X-Model-Version"] == "penguins/1"
    assert body.pop("milliseconds") > 0
    assert body.pop("request_id") == "rest-request-1"
    assert body == {**{name: told[name] for name in ("ok", "model", "output", "prediction")}, "start": "warm"}


@pytest.mark.parametrize(
    "accepted",
    [
        f"application/json, {FULL_ANSWER};q=0.9",
        FULL_ANSWER.upper(),
        f"text/html,{FULL_ANSWER} ; v=1",
    ],
)
def test_kind_is_found_among_those_that_are_accepted(accepted):
    assert _call(headers={"accept": accepted})[1]["ok"]


@pytest.mark.parametrize("accepted", [None, "*/*", "application/json", f"{FULL_ANSWER}s"])
def test_other_callers_get_the_original_tools_answer(accepted):
    _, body, headers = _call(headers={} if accepted is None else {"Accept": accepted})

    assert headers["Content-Type"] == "application/json"
    assert set(body) == {"prediction", "probabilities", "pred_proba", "body"}


def test_refused_values_are_named_one_by_one():
    told = predict({"bill_length_mm": "abc", "body_mass_g": 3750})["error"]

    status, body, headers = _call({"bill_length_mm": "abc", "body_mass_g": 3750})

    assert (status, headers["Content-Type"]) == (400, FULL_ANSWER)
    assert body == {"ok": False, "error": told, "message": told["message"]}
    assert set(told["fields"]) == {"bill_length_mm", "sex"}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"body": "{"}, 400, "bad_request"),
        ({"path": "/puffins/singlePrediction"}, 404, "unknown_model"),
        ({"httpMethod": "GET"}, 405, "bad_method"),
    ],
)
def test_refusal_has_its_status_and_its_code(changes, status, code):
    answered, body, headers = _call(**changes)

    assert answered == status
    assert (body["ok"], body["error"]["code"]) == (False, code)
    assert body["message"] == body["error"]["message"]
    assert "fields" not in body["error"]
    assert headers["Content-Type"] == FULL_ANSWER


def test_access_token_is_refused_in_the_same_form():
    context = event("rest_single_prediction")["requestContext"]
    claims = {"authorizer": {"claims": {"sub": "x", "token_use": "access"}}}

    status, body, _ = _call(requestContext=context | claims)

    assert (status, body["error"]["code"]) == (401, "not_an_id_token")


def test_bug_is_told_by_its_reference(monkeypatch):
    monkeypatch.setattr("predictor.api_calls.predict_one", lambda model, values: 1 / 0)

    status, body, headers = _call()

    assert (status, body["error"]["code"], headers["Content-Type"]) == (500, "bug", FULL_ANSWER)
    assert "the reference is rest-request-1" in body["message"]


def test_answer_names_the_version_that_became_live(clock):
    _call()
    manifest = publish(array_model([0, 1]), version=2)
    make_live("penguins", 2, manifest["sha256"])
    clock.now += 10

    _, body, headers = _call({"x0": 1, "x1": 1, "x2": 1})

    assert (body["model"]["version"], headers["X-Model-Version"], body["start"]) == (2, "penguins/2", "cold")


def test_batches_are_answered_as_ever():
    bucket.write("ada/1_a.csv", b"bill_length_mm,body_mass_g,sex\n39,3750,male\n", content_type="text/csv")

    _, body, headers = _call({"fileKey": "ada/1_a.csv"}, path="/penguins/batchPrediction")

    assert set(body) == {"bucket", "downloadLink"}
    assert headers["Content-Type"] == "application/json"
