"""What becomes a job, and what posting it twice does."""

import json
import uuid

import boto3
import pytest
from botocore.config import Config

from predictor import bucket, keys, machine
from predictor.handler import handle
from tests.predictor.api.calling import BASE, BOB, FILE, KEYED, PATH, SUB, ask, call, post
from tests.predictor.factories import context_of, event, original_bytes, penguin_model, publish


@pytest.mark.parametrize("name", ["rest_batch_start", "http_batch_start"])
def test_call_that_prefers_it_is_answered_with_a_job(name):
    answer = call(name)

    job, url = answer.body["job"], answer.body["statusUrl"]
    assert answer.status == 202
    assert answer.body == {"job": job, "status": "queued", "statusUrl": f"{BASE}{PATH}/{job}"}
    assert keys.read_uuid(job) == job
    assert (answer.headers["Location"], answer.headers["Preference-Applied"]) == (url, "respond-async")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Model-Version"] == "penguins/1"


def test_started_job_is_the_state_machine_s_as_the_contract_has_it(executions):
    manifest = bucket.read_json(keys.manifest("penguins", 1))

    job = post({"fileKey": FILE, "result": "parquet", "columns": {"sex": "Sex"}}).body["job"]

    (execution,) = executions()
    assert execution["name"].startswith(f"api-{job}-")
    assert json.loads(execution["input"]) == {
        "job": {
            "batch": job,
            "user": SUB,
            "model": "penguins",
            "version": 1,
            "sha256": manifest["sha256"],
            "file_name": "1793000000000_penguins.csv",
            "source": FILE,
            "result": "parquet",
            "columns": {"sex": "Sex"},
            "request_id": "rest-request-3",
        }
    }


@pytest.mark.parametrize(
    "prefer", ["respond-async", "wait=10, Respond-Async", "respond-async; wait=10", "return=minimal,respond-async"]
)
def test_preference_is_found_among_others(prefer):
    assert post(headers={"prefer": prefer}).status == 202


@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=10"}, {"Prefer": "no-respond-async"}])
def test_small_file_without_the_preference_is_answered_in_thecall(headers, executions, monkeypatch):
    monkeypatch.setattr("predictor.batch.inline.score_file", lambda *_: ("bucket", "link"))

    answer = post(headers=headers)

    assert (answer.status, answer.body) == (200, {"bucket": "bucket", "downloadLink": "link"})
    assert executions() == []


def test_preference_that_was_sent_twice_counts():
    called = event("rest_batch_start")
    called["headers"] = {"Prefer": "wait=10"}
    called["multiValueHeaders"] = {"Prefer": ["respond-async", "wait=10"]}

    assert handle(called, context_of("r"))["statusCode"] == 202


def test_large_file_becomes_a_job_without_being_asked_for(monkeypatch):
    monkeypatch.setenv("PORTICO_INLINE_BATCH_MAX_BYTES", "100")

    answer = post(headers={})

    assert answer.status == 202
    assert "Preference-Applied" not in answer.headers


def test_wish_that_no_call_can_meet_makes_a_job():
    assert post({"fileKey": FILE, "result": "parquet"}, headers={}).status == 202


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"result": "xml"}, "csv, parquet"),
        ({"columns": ["sex"]}, "must be an object"),
        ({"reading": {"encoding": "ebcdic"}}, "utf-8"),
        ({"columns": {"sex": "x" * 40_000}}, "too long"),
    ],
)
def test_wish_that_cannot_be_met_is_refused_and_starts_nothing(wish, message, executions):
    answer = post({"fileKey": FILE, **wish})

    assert answer.status == 400
    assert message in answer.body["message"]
    assert executions() == []


@pytest.mark.parametrize("headers", [{}, {"Prefer": "respond-async"}])
def test_missing_file_is_refused_and_starts_nothing(headers, executions):
    answer = post({"fileKey": "ada/nothing.csv"}, headers=headers)

    assert (answer.status, answer.body) == (400, {"message": "There is no file of that fileKey."})
    assert executions() == []


def test_another_s_file_is_refused():
    answer = post({"fileKey": "bob/x.csv"})

    assert (answer.status, answer.body) == (400, {"message": "fileKey must lie inside your own folder."})


def test_model_without_a_name_is_answered_in_the_call_all_the_same(monkeypatch):
    bucket.write(keys.DROP_IN_KEY, original_bytes(), content_type="application/octet-stream")
    monkeypatch.setattr("predictor.batch.inline.score_file", lambda *_: ("bucket", "link"))

    answer = post(path="/batchPrediction")

    assert answer.status == 200
    assert "Preference-Applied" not in answer.headers


def test_model_without_a_name_takes_no_wishes():
    bucket.write(keys.DROP_IN_KEY, original_bytes(), content_type="application/octet-stream")

    answer = post({"fileKey": FILE, "result": "parquet"}, path="/batchPrediction")

    assert answer.status == 400
    assert answer.body["message"].startswith("Name a model in the path")


def test_default_model_has_jobs_under_the_short_address(monkeypatch):
    monkeypatch.setenv("PORTICO_DEFAULT_MODEL", "penguins")
    context = event("rest_batch_start")["requestContext"] | {"path": "/prod/batchPrediction"}

    posted = post(path="/batchPrediction", requestContext=context)

    assert posted.body["statusUrl"] == f"{BASE}/batchPrediction/{posted.body['job']}"
    assert ask(posted.body["job"], path="/batchPrediction").status == 200


@pytest.mark.parametrize("name", ["rest_batch_start", "http_batch_start"])
def test_address_on_an_emulator_is_the_one_that_the_template_gives(name, monkeypatch):
    monkeypatch.setenv("PORTICO_API_ENDPOINT", "http://127.0.0.1:4566/_aws/execute-api")

    url = call(name).body["statusUrl"]

    assert url.startswith(f"http://127.0.0.1:4566/_aws/execute-api/abc123/prod{PATH}/")


def test_address_on_a_domain_of_one_s_own_has_what_is_mapped_to_the_api():
    context = event("rest_batch_start")["requestContext"] | {"domainName": "api.example", "path": f"/ml{PATH}"}

    url = post(path=f"/ml{PATH}", requestContext=context).body["statusUrl"]

    assert url.startswith(f"https://api.example/ml{PATH}/")


def test_same_key_is_the_same_job_and_one_execution(executions):
    first, second = (post(headers=KEYED) for _ in range(2))

    assert (first.status, first.body) == (second.status, second.body)
    assert len(executions()) == 1


def test_same_key_goes_on_with_the_version_that_it_began_with(executions):
    headers = KEYED
    job = post(headers=headers).body["job"]
    publish(penguin_model(), version=2)

    again = post(headers=headers)

    assert (again.body["job"], again.headers["X-Model-Version"]) == (job, "penguins/1")
    assert [json.loads(execution["input"])["job"]["version"] for execution in executions()] == [1]


def test_same_key_with_another_body_is_refused(executions):
    headers = KEYED
    post(headers=headers)

    answer = post({"fileKey": FILE, "result": "parquet"}, headers=headers)

    assert answer.status == 409
    assert "another request" in answer.body["message"]
    assert len(executions()) == 1


def test_same_key_of_another_caller_is_another_job():
    headers = KEYED
    bucket.write("bob/x.csv", b"x", content_type="text/csv")

    jobs = {
        post(headers=headers).body["job"],
        post({"fileKey": "bob/x.csv"}, headers=headers, claims=BOB).body["job"],
    }

    assert len(jobs) == 2


def test_calls_without_a_key_are_jobs_of_their_own(executions):
    jobs = {post().body["job"] for _ in range(2)}

    assert len(jobs) == len(executions()) == 2


def test_same_key_at_the_same_moment_is_the_same_job(monkeypatch, executions):
    headers = KEYED
    first = post(headers=headers).body["job"]
    find, asked = bucket.read_json, []

    def find_late(key, **options):
        if key.endswith("job.json") and not asked:
            asked.append(key)
            raise bucket.ObjectMissing(key)
        return find(key, **options)

    monkeypatch.setattr(bucket, "read_json", find_late)

    assert post(headers=headers).body["job"] == first
    assert asked
    assert len(executions()) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\nb"])
def test_key_that_is_none_is_refused(key):
    answer = post(headers={"Prefer": "respond-async", "Idempotency-Key": key})

    assert answer.status == 400
    assert "printable" in answer.body["message"]


def test_caller_whose_sub_is_no_uuid_has_jobs_too():
    claims = {"sub": "auth0|ada", "cognito:username": "ada"}

    job = post(claims=claims).body["job"]

    assert ask(job, claims=claims).status == 200


def test_caller_who_has_no_name_at_all_is_refused():
    assert post(claims={"scope": "x"}).status == 400


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORTICO_BATCH_STATE_MACHINE", "arn:aws:states:eu-west-1:000000000000:stateMachine:nobody"),
        ("PORTICO_BATCH_STATE_MACHINE", ""),
    ],
)
def test_machine_that_is_away_is_a_503_to_be_tried_again(setting, value, monkeypatch):
    monkeypatch.setenv(setting, value)

    answer = post()

    assert answer.status == 503
    assert answer.body["message"]
    assert int(answer.headers["Retry-After"]) > 0


def test_machine_that_nothing_answers_for_is_away(monkeypatch):
    once = Config(retries={"total_max_attempts": 1})
    client = boto3.client("stepfunctions", endpoint_url="http://127.0.0.1:9", config=once)
    monkeypatch.setattr(machine, "_client", lambda: client)

    assert post().status == 503


def test_key_goes_on_once_the_machine_is_back(monkeypatch, executions):
    headers = KEYED
    with monkeypatch.context() as away:
        away.setenv("PORTICO_BATCH_STATE_MACHINE", "")
        post(headers=headers)

    answer = post(headers=headers)

    assert answer.status == 202
    assert len(executions()) == 1


def test_fault_of_step_functions_that_trying_again_does_not_mend_is_a_bug(monkeypatch):
    monkeypatch.setenv("PORTICO_BATCH_STATE_MACHINE", "arn:aws:lambda:x")
    monkeypatch.setattr(machine, "_PASSING", frozenset())

    assert post().status == 500


@pytest.mark.parametrize("path", [PATH, f"{PATH}/{uuid.UUID(int=7)}"])
def test_browsers_may_send_and_read_what_jobs_need(path):
    headers = call("rest_batch_status", httpMethod="OPTIONS", path=path).headers

    assert {"Prefer", "Idempotency-Key"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert {"GET", "POST", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Location", "Retry-After"} <= set(headers["Access-Control-Expose-Headers"].split(", "))


def test_object_is_written_once_only():
    written = [bucket.write_json_once("batches/7/x.json", {"n": n}) for n in (1, 2)]

    assert written == [True, False]
    assert bucket.read_json("batches/7/x.json") == {"n": 1}
