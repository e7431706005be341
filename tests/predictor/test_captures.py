"""What is kept of the API's calls: which, and what their lines say."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from predictor import bucket, keys, model_store
from predictor.handler import handle
from tests.predictor.api.calling import SUB, use_machine
from tests.predictor.factories import array_model, context_of, dump, event, make_live, penguin_model, penguins, publish

PENGUIN = {"bill_length_mm": 39.1, "body_mass_g": "3750", "sex": "male"}
FILE = "ada/1793000000000_penguins.csv"
PAGE = "https://page.example"


@pytest.fixture
def sha256() -> str:
    return str(publish(penguin_model())["sha256"])


def _call(
    body: object = None, *, path: str = "/penguins/singlePrediction", claims: Any = None, **changes: Any
) -> dict[str, Any]:
    text = json.dumps(PENGUIN if body is None else body) if not isinstance(body, str) else body
    asked = event("rest_single_prediction", path=path, body=text, **changes)
    if claims is not None:
        asked["requestContext"] = asked["requestContext"] | {"authorizer": claims}
    return handle(asked, context_of("lambda-1"))


def test_answered_call_is_kept_with_person_inputs_and_answer(kept, sha256):
    answer = json.loads(_call({**PENGUIN, "password": "hunter2"})["body"])

    (line,) = kept()
    at = datetime.fromisoformat(line.pop("at"))
    assert timedelta() <= datetime.now(UTC) - at < timedelta(minutes=1)
    assert line.pop("milliseconds") > 0
    probabilities = list(answer["probabilities"].values())
    assert line == {
        "v": 1,
        "id": "rest-request-1",
        "call": "singlePrediction",
        "status": 200,
        "start": "cold",
        "model": "penguins",
        "version": 1,
        "sha256": sha256,
        "person": {"sub": SUB, "email": None, "username": "ada"},
        "source": "program",
        "inputs": PENGUIN,
        "output": {"type": "multiclass", "classes": ["Adelie", "Chinstrap", "Gentoo"], "probabilities": True},
        "prediction": {
            "label": answer["prediction"],
            "value": None,
            "probabilities": probabilities,
            "scores": None,
        },
    }


def test_second_call_of_a_model_is_warm(kept, sha256):
    _call()
    _call()

    assert [line["start"] for line in kept()] == ["cold", "warm"]


@pytest.mark.parametrize(
    ("claims", "person"),
    [
        ({"claims": {"sub": SUB, "email": "ada@example.org", "email_verified": "true"}}, "ada@example.org"),
        ({"jwt": {"claims": {"sub": SUB, "email": "ada@example.org", "email_verified": True}}}, "ada@example.org"),
        ({"claims": {"sub": SUB, "email": "boss@example.org", "email_verified": "false"}}, None),
        ({"claims": {"sub": SUB, "email": "boss@example.org"}}, None),
    ],
)
def test_address_counts_where_the_pool_has_verified_it(kept, sha256, claims, person):
    _call(claims=claims)

    assert kept()[0]["person"] == {"sub": SUB, "email": person, "username": None}


def test_caller_whom_nobody_checked_is_no_person(kept, sha256):
    _call(claims={})

    assert kept()[0]["person"] is None


@pytest.mark.parametrize(
    ("setting", "origin", "source"),
    [
        (PAGE, PAGE, "page"),
        (PAGE, "https://other.example", "program"),
        (PAGE, None, "program"),
        ("*", "*", "program"),
        ("", "", "program"),
    ],
)
def test_source_is_the_page_where_its_origin_is_the_one_that_may(kept, sha256, monkeypatch, setting, origin, source):
    monkeypatch.setenv("PORTICO_CORS_ORIGIN", setting)

    _call(headers={} if origin is None else {"Origin": origin}, multiValueHeaders=None)

    assert kept()[0]["source"] == source


def test_refused_row_is_kept_with_what_was_said(kept, sha256):
    message = json.loads(_call({**PENGUIN, "bill_length_mm": "abc"})["body"])["message"]

    (line,) = kept()
    assert (line["status"], line["error"]) == (400, {"code": "bad_input", "message": message})
    assert line["inputs"]["bill_length_mm"] == "abc"
    assert "prediction" not in line


@pytest.mark.parametrize("body", ["", "{", "[1]"])
def test_body_that_cannot_be_read_is_kept_without_inputs(kept, sha256, body):
    assert _call(body)["statusCode"] == 400

    (line,) = kept()
    assert (line["model"], line["version"], line["error"]["code"]) == ("penguins", 1, "bad_request")
    assert "inputs" not in line


def test_bug_is_kept_by_its_code(kept, sha256, monkeypatch):
    _call()
    monkeypatch.setattr("predictor.api_calls.predict_one", lambda model, values: 1 / 0)
    reference = json.loads(_call()["body"])["message"]

    line = kept()[-1]
    assert (line["status"], line["error"]) == (500, {"code": "bug", "message": reference})
    assert line["inputs"] == PENGUIN


def test_model_that_does_not_load_is_kept(kept, sha256):
    bucket.write("models/penguins/1/model.pkl", b"something else", content_type="application/octet-stream")

    assert _call()["statusCode"] == 500

    (line,) = kept()
    assert (line["sha256"], line["error"]["code"], line["start"]) == (sha256, "checksum_mismatch", None)


def test_values_that_json_has_no_word_for_are_written_as_text(kept, sha256):
    deep = "[" * 900 + "]" * 900
    _call(f'{{"bill_length_mm": NaN, "body_mass_g": 1e999, "sex": {deep}}}')

    (line,) = kept()
    assert line["inputs"]["bill_length_mm"] == "nan"
    assert line["inputs"]["body_mass_g"] == "inf"


def test_default_model_is_kept_by_its_own_name(kept, sha256, monkeypatch):
    monkeypatch.setenv("PORTICO_DEFAULT_MODEL", "penguins")

    _call(path="/singlePrediction")

    assert kept()[0]["model"] == "penguins"


def test_line_names_the_version_that_answered_though_another_became_live(kept, sha256, clock, monkeypatch):
    def predict_then_publish(model, values):
        publish(array_model([0, 1]), version=2)
        clock.now += 10
        return {"label": "Adelie", "value": None, "probabilities": None, "scores": None}

    monkeypatch.setattr("predictor.api_calls.predict_one", predict_then_publish)

    _call()

    assert (kept()[0]["version"], kept()[0]["sha256"]) == (1, sha256)


def test_calls_about_no_live_model_are_not_kept(kept, sha256, monkeypatch):
    bucket.write(keys.DROP_IN_KEY, dump(array_model([0, 1])), content_type="application/octet-stream")
    statuses = [
        _call(path="/puffins/singlePrediction")["statusCode"],
        _call(path="/penguins/other")["statusCode"],
        _call(httpMethod="GET")["statusCode"],
        _call(httpMethod="OPTIONS")["statusCode"],
        _call(claims={"claims": {"sub": SUB, "token_use": "access"}})["statusCode"],
        _call({"x0": 1, "x1": 1, "x2": 1}, path="/singlePrediction")["statusCode"],
    ]

    assert statuses == [404, 404, 405, 204, 401, 200]
    assert kept() == []


def test_direct_invokes_are_not_kept(kept, sha256):
    assert handle({"operation": "predict", "model": "penguins", "row": PENGUIN}, context_of("r"))["ok"]

    assert kept() == []


class TestLevels:
    @pytest.mark.parametrize("level", ["off", "everything", "", None, 1])
    def test_switched_off_or_unknown_keeps_nothing(self, kept, sha256, level):
        make_live("penguins", 1, sha256, capture=level)

        assert _call()["statusCode"] == 200
        assert kept() == []

    def test_outputs_has_the_answer_and_no_values(self, kept, sha256):
        make_live("penguins", 1, sha256, capture="outputs")
        _call()
        _call({**PENGUIN, "bill_length_mm": "a secret"})

        answered, refused = kept()
        assert answered["prediction"]["label"] == "Adelie"
        assert refused["error"] == {"code": "bad_input", "message": None}
        assert "inputs" not in answered
        assert "secret" not in json.dumps(refused)

    def test_change_counts_from_the_pointers_next_reading(self, kept, sha256, clock):
        _call()
        make_live("penguins", 1, sha256, capture="off")
        clock.now += model_store.FRESH_S

        _call()

        assert len(kept()) == 1


class TestBatches:
    @pytest.fixture(autouse=True)
    def file(self, sha256: str) -> None:
        bucket.write(FILE, penguins(5).to_csv(index=False).encode(), content_type="text/csv")

    def _post(self, file_key: str = FILE, **changes: Any) -> dict[str, Any]:
        return _call({"fileKey": file_key}, path="/penguins/batchPrediction", **changes)

    def test_file_scored_within_the_call_is_kept_with_its_result(self, kept):
        assert self._post()["statusCode"] == 200

        (line,) = kept()
        named = {name: line[name] for name in ("call", "status", "file", "job", "owner", "result")}
        assert named == {
            "call": "batchPrediction",
            "status": 200,
            "file": FILE,
            "job": None,
            "owner": None,
            "result": "ada/1793000000000_penguins_predictions.csv",
        }
        assert bucket.head(line["result"]) is not None
        assert "inputs" not in line

    def test_job_is_kept_with_its_owner(self, kept, monkeypatch):
        use_machine(monkeypatch, {"Type": "Wait", "Seconds": 60, "End": True})

        answer = self._post(headers={"Prefer": "respond-async"}, multiValueHeaders=None)

        (line,) = kept()
        assert line["status"] == 202
        assert (line["file"], line["owner"], line["result"]) == (FILE, SUB, None)
        assert line["job"] == json.loads(answer["body"])["job"]

    def test_refused_file_is_kept_by_its_name(self, kept):
        assert self._post("ada/none.csv")["statusCode"] == 400

        (line,) = kept()
        assert (line["file"], line["result"], line["error"]["code"]) == ("ada/none.csv", None, "bad_request")

    def test_key_outside_the_callers_folder_is_not_named(self, kept):
        assert self._post("bob/1_secret.csv")["statusCode"] == 400

        (line,) = kept()
        assert line["file"] is None
        assert "secret" not in json.dumps(line)

    def test_outputs_names_no_file(self, kept, sha256):
        make_live("penguins", 1, sha256, capture="outputs")

        assert self._post()["statusCode"] == 200

        (line,) = kept()
        assert (line["file"], line["result"]) == (None, None)
        assert "penguins.csv" not in json.dumps(line)

    @pytest.mark.parametrize("key", ["captures/2026/11/29/a.jsonl", "pages/index.json"])
    def test_captures_and_pages_are_nobodys_files(self, key):
        answer = self._post(key, claims={})

        assert answer["statusCode"] == 400
        assert "your own folder" in json.loads(answer["body"])["message"]
