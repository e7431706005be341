"""Jobs of the public API, with executions of a real Step Functions emulator that score nothing: they wait, or end."""

import json
import time
import urllib.request
import uuid
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config

from predictor import bucket, keys, machine
from predictor.handler import handle
from tests.predictor.factories import context_of, event, original_bytes, penguin_model, penguins, publish

SUB = "0d1f2c3b-aaaa-4f7e-9a55-0b1d7d1f2c11"  # as in the stored events
FILE = "ada/1793000000000_penguins.csv"
PATH = "/penguins/batchPrediction"
BASE = "https://abc123.execute-api.eu-west-1.amazonaws.com/prod"
BOB = {"sub": "9a8b7c6d-bbbb-4f7e-9a55-0b1d7d1f2c22", "cognito:username": "bob"}
SUMMARY = {
    "ok": True, "rows": 3, "scored": 3, "failed": 0, "errors": [], "result": {"file": "output.csv", "size_bytes": 4},
}  # fmt: skip


@pytest.fixture(autouse=True)
def file() -> None:
    """A model, and Ada's file for it."""
    publish(penguin_model())
    bucket.write(FILE, penguins(3).to_csv(index=False).encode(), content_type="text/csv")


@pytest.fixture(autouse=True)
def executions(emulator, bucket_name, monkeypatch):
    """The state machine's executions, which wait until they are stopped."""
    return _use_machine(monkeypatch, {"Type": "Wait", "Seconds": 600, "End": True})


@pytest.fixture
def ending(monkeypatch):
    """From now on executions succeed at once."""
    return _use_machine(monkeypatch, {"Type": "Pass", "End": True})


@pytest.fixture
def failing(monkeypatch):
    return _use_machine(monkeypatch, {"Type": "Fail", "Error": "States.TaskFailed", "Cause": "x"})


def _use_machine(monkeypatch, state):
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "Only", "States": {"Only": state}})
    arn = client.create_state_machine(
        name=f"test-{uuid.uuid4().hex}", definition=definition, roleArn="arn:aws:iam::000000000000:role/none"
    )["stateMachineArn"]
    monkeypatch.setenv("PORTICO_BATCH_STATE_MACHINE", arn)

    def started():
        found = client.list_executions(stateMachineArn=arn)["executions"]
        return [client.describe_execution(executionArn=execution["executionArn"]) for execution in found]

    return started


def _call(name="rest_batch_start", *, headers=None, claims=None, **changes):
    """Status, body and headers of the answer to a stored event, changed."""
    called = event(name, **changes)
    called["headers"] = called["headers"] if headers is None else headers
    called["multiValueHeaders"] = None
    if claims is not None:
        called["requestContext"] = called["requestContext"] | {"authorizer": {"claims": claims}}
    answer = handle(called, context_of("r"))
    body = json.loads(answer["body"]) if answer["body"] else None
    return SimpleNamespace(status=answer["statusCode"], body=body, headers=answer["headers"])


def _post(body=None, **options):
    options = {"headers": {"Prefer": "respond-async"}} | options
    return _call(body=json.dumps({"fileKey": FILE} if body is None else body), **options)


def _ask(job, method="GET", *, path=PATH, **options):
    return _call("rest_batch_status", httpMethod=method, path=f"{path}/{job}", **options)


def _ended(job):
    """The status, once the execution has ended."""
    ends = time.monotonic() + 20
    while (answer := _ask(job)).body["status"] in ("queued", "planning", "running"):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return answer.body


def _write(job, name, value, *, owner=SUB):
    bucket.write_json(keys.batch(owner, job, name), value)


@pytest.mark.parametrize("name", ["rest_batch_start", "http_batch_start"])
def test_call_that_prefers_it_is_answered_with_a_job(name):
    answer = _call(name)

    job, url = answer.body["job"], answer.body["statusUrl"]
    assert answer.status == 202
    assert answer.body == {"job": job, "status": "queued", "statusUrl": f"{BASE}{PATH}/{job}"}
    assert keys.read_uuid(job) == job
    assert (answer.headers["Location"], answer.headers["Preference-Applied"]) == (url, "respond-async")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Model-Version"] == "penguins/1"


def test_started_job_is_the_state_machine_s_as_the_contract_has_it(executions):
    manifest = bucket.read_json(keys.manifest("penguins", 1))

    job = _post({"fileKey": FILE, "result": "parquet", "columns": {"sex": "Sex"}}).body["job"]

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
        }
    }


@pytest.mark.parametrize(
    "prefer", ["respond-async", "wait=10, Respond-Async", "respond-async; wait=10", "return=minimal,respond-async"]
)
def test_preference_is_found_among_others(prefer):
    assert _post(headers={"prefer": prefer}).status == 202


@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=10"}, {"Prefer": "no-respond-async"}])
def test_small_file_without_the_preference_is_answered_in_the_call(headers, executions, monkeypatch):
    monkeypatch.setattr("predictor.api_calls.score_file", lambda *_: ("bucket", "link"))

    answer = _post(headers=headers)

    assert (answer.status, answer.body) == (200, {"bucket": "bucket", "downloadLink": "link"})
    assert executions() == []


def test_preference_that_was_sent_twice_counts():
    called = event("rest_batch_start")
    called["headers"] = {"Prefer": "wait=10"}
    called["multiValueHeaders"] = {"Prefer": ["respond-async", "wait=10"]}

    assert handle(called, context_of("r"))["statusCode"] == 202


def test_large_file_becomes_a_job_without_being_asked_for(monkeypatch):
    monkeypatch.setenv("PORTICO_INLINE_BATCH_MAX_BYTES", "100")

    answer = _post(headers={})

    assert answer.status == 202
    assert "Preference-Applied" not in answer.headers


def test_wish_that_no_call_can_meet_makes_a_job():
    assert _post({"fileKey": FILE, "result": "parquet"}, headers={}).status == 202


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
    answer = _post({"fileKey": FILE, **wish})

    assert answer.status == 400
    assert message in answer.body["message"]
    assert executions() == []


@pytest.mark.parametrize("headers", [{}, {"Prefer": "respond-async"}])
def test_missing_file_is_refused_and_starts_nothing(headers, executions):
    answer = _post({"fileKey": "ada/nothing.csv"}, headers=headers)

    assert (answer.status, answer.body) == (400, {"message": "There is no file of that fileKey."})
    assert executions() == []


def test_another_s_file_is_refused():
    answer = _post({"fileKey": "bob/x.csv"})

    assert (answer.status, answer.body) == (400, {"message": "fileKey must lie inside your own folder."})


def test_model_without_a_name_is_answered_in_the_call_all_the_same(monkeypatch):
    bucket.write(keys.DROP_IN_KEY, original_bytes(), content_type="application/octet-stream")
    monkeypatch.setattr("predictor.api_calls.score_file", lambda *_: ("bucket", "link"))

    answer = _post(path="/batchPrediction")

    assert answer.status == 200
    assert "Preference-Applied" not in answer.headers


def test_model_without_a_name_takes_no_wishes():
    bucket.write(keys.DROP_IN_KEY, original_bytes(), content_type="application/octet-stream")

    answer = _post({"fileKey": FILE, "result": "parquet"}, path="/batchPrediction")

    assert answer.status == 400
    assert answer.body["message"].startswith("Name a model in the path")


def test_default_model_has_jobs_under_the_short_address(monkeypatch):
    monkeypatch.setenv("PORTICO_DEFAULT_MODEL", "penguins")
    context = event("rest_batch_start")["requestContext"] | {"path": "/prod/batchPrediction"}

    posted = _post(path="/batchPrediction", requestContext=context)

    assert posted.body["statusUrl"] == f"{BASE}/batchPrediction/{posted.body['job']}"
    assert _ask(posted.body["job"], path="/batchPrediction").status == 200


@pytest.mark.parametrize("name", ["rest_batch_start", "http_batch_start"])
def test_address_on_an_emulator_is_the_one_that_the_template_gives(name, monkeypatch):
    monkeypatch.setenv("PORTICO_API_ENDPOINT", "http://127.0.0.1:4566/_aws/execute-api")

    url = _call(name).body["statusUrl"]

    assert url.startswith(f"http://127.0.0.1:4566/_aws/execute-api/abc123/prod{PATH}/")


def test_address_on_a_domain_of_one_s_own_has_what_is_mapped_to_the_api():
    context = event("rest_batch_start")["requestContext"] | {"domainName": "api.example", "path": f"/ml{PATH}"}

    url = _post(path=f"/ml{PATH}", requestContext=context).body["statusUrl"]

    assert url.startswith(f"https://api.example/ml{PATH}/")


def test_same_key_is_the_same_job_and_one_execution(executions):
    first, second = (_post(headers={"Prefer": "respond-async", "Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status, first.body) == (second.status, second.body)
    assert len(executions()) == 1


def test_same_key_goes_on_with_the_version_that_it_began_with(executions):
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    job = _post(headers=headers).body["job"]
    publish(penguin_model(), version=2)

    again = _post(headers=headers)

    assert (again.body["job"], again.headers["X-Model-Version"]) == (job, "penguins/1")
    assert [json.loads(execution["input"])["job"]["version"] for execution in executions()] == [1]


def test_same_key_with_another_body_is_refused(executions):
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    _post(headers=headers)

    answer = _post({"fileKey": FILE, "result": "parquet"}, headers=headers)

    assert answer.status == 409
    assert "another request" in answer.body["message"]
    assert len(executions()) == 1


def test_same_key_of_another_caller_is_another_job():
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    bucket.write("bob/x.csv", b"x", content_type="text/csv")

    jobs = {
        _post(headers=headers).body["job"],
        _post({"fileKey": "bob/x.csv"}, headers=headers, claims=BOB).body["job"],
    }

    assert len(jobs) == 2


def test_calls_without_a_key_are_jobs_of_their_own(executions):
    jobs = {_post().body["job"] for _ in range(2)}

    assert len(jobs) == len(executions()) == 2


def test_same_key_at_the_same_moment_is_the_same_job(monkeypatch, executions):
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    first = _post(headers=headers).body["job"]
    find, asked = bucket.read_json, []

    def find_late(key, **options):
        if key.endswith("job.json") and not asked:
            asked.append(key)
            raise bucket.ObjectMissing(key)
        return find(key, **options)

    monkeypatch.setattr(bucket, "read_json", find_late)

    assert _post(headers=headers).body["job"] == first
    assert asked
    assert len(executions()) == 1


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\nb"])
def test_key_that_is_none_is_refused(key):
    answer = _post(headers={"Prefer": "respond-async", "Idempotency-Key": key})

    assert answer.status == 400
    assert "printable" in answer.body["message"]


@pytest.mark.parametrize("name", ["rest_batch_status", "http_batch_status"])
def test_job_that_is_not_there_is_a_404(name):
    answer = _call(name)

    assert answer.status == 404
    assert "no job of that id" in answer.body["message"]


def test_running_job_says_so_and_when_to_ask_again():
    job = _post().body["job"]
    _write(job, "parts.json", [{"number": 1, "start": 0, "end": 9, "line": 2}])

    answer = _ask(job)

    assert answer.status == 200
    assert answer.body == answer.body | {"job": job, "status": "running", "model": "penguins", "version": 1, "parts": 1}
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"
    assert "downloadLink" not in answer.body


def test_job_that_step_functions_does_not_know_yet_is_queued(monkeypatch):
    monkeypatch.setattr(machine, "start", lambda *_: None)

    assert _ask(_post().body["job"]).body["status"] == "queued"


def test_job_that_step_functions_knows_no_more_has_failed(monkeypatch):
    monkeypatch.setattr(machine, "start", lambda *_: None)
    job = _post().body["job"]
    monkeypatch.setattr("predictor.api_jobs.STARTS_WITHIN_S", 0)

    answer = _ask(job).body

    assert (answer["status"], answer["message"][:24]) == ("failed", "The job was interrupted ")


@pytest.mark.parametrize("is_known", [True, False])
def test_done_job_has_a_link_to_its_result_made_anew_each_time(ending, monkeypatch, is_known):
    if not is_known:  # an emulator that was restarted
        monkeypatch.setattr(machine, "start", lambda *_: None)
    job = _post().body["job"]
    _write(job, "summary.json", SUMMARY)
    bucket.write(keys.batch(SUB, job, "output.csv"), b"a,b\n", content_type="text/csv")

    answer = _ended(job)

    assert (answer["status"], answer["rows"], answer["scored"], answer["failed"]) == ("done", 3, 3, 0)
    assert answer["bucket"] == bucket.name()
    with urllib.request.urlopen(answer["downloadLink"]) as result:  # noqa: S310  # the emulator's own address
        assert result.read() == b"a,b\n"
    assert "Expires=300" in answer["downloadLink"]


def test_done_job_of_the_other_format_links_to_that(ending):
    job = _post({"fileKey": FILE, "result": "parquet"}).body["job"]
    _write(job, "summary.json", SUMMARY | {"result": {"file": "output.parquet"}})

    assert "/output.parquet?" in _ended(job)["downloadLink"]


def test_done_job_with_bad_rows_says_which(ending):
    job = _post().body["job"]
    errors = [{"row": 2, "line": 3, "error": "sex is missing"}]
    _write(job, "summary.json", SUMMARY | {"scored": 2, "failed": 1, "errors": errors})

    answer = _ended(job)

    assert (answer["status"], answer["failed"]) == ("done with errors", 1)
    assert answer["errors"] == [{"line": 3, "error": "sex is missing"}]


def test_failed_job_says_why(failing):
    job = _post().body["job"]
    _write(job, "summary.json", {"ok": False, "error": {"code": "refused", "message": "The file is empty."}})

    answer = _ended(job)

    assert (answer["status"], answer["message"]) == ("failed", "The file is empty.")
    assert "downloadLink" not in answer


def test_cancelled_job_is_stopped_and_says_so(executions):
    job = _post().body["job"]

    answers = [_ask(job, "DELETE").status for _ in range(2)]

    assert answers == [204, 204]
    assert [execution["status"] for execution in executions()] == ["ABORTED"]
    assert _ask(job).body["status"] == "cancelled"


def test_cancelling_a_done_job_leaves_it(ending):
    job = _post().body["job"]
    _write(job, "summary.json", SUMMARY)
    _ended(job)

    answer = _ask(job, "DELETE")

    assert (answer.status, answer.body) == (204, None)
    assert _ask(job).body["status"] == "done"


def test_cancelling_a_job_that_step_functions_does_not_know_yet_is_to_be_tried_again(monkeypatch):
    monkeypatch.setattr(machine, "start", lambda *_: None)

    answer = _ask(_post().body["job"], "DELETE")

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_s_job_is_a_404_and_goes_on(method, executions):
    job = _post().body["job"]

    answer = _ask(job, method, claims=BOB)

    assert answer.status == 404
    assert answer.body == _ask(str(uuid.uuid4()), method, claims=BOB).body
    assert [execution["status"] for execution in executions()] == ["RUNNING"]


@pytest.mark.parametrize("job", ["x", "..", "1", "7C9E6679-7425-40DE-944B-E07FC1F90AE7", "%2e%2e"])
def test_job_id_that_is_none_is_a_404(job):
    assert _ask(job).status == 404


def test_job_under_another_model_s_address_is_a_404():
    assert _ask(_post().body["job"], path="/others/batchPrediction").status == 404


def test_job_of_nobody_is_found_without_claims():
    context = {"stage": "prod", "requestId": "r", "path": f"/prod{PATH}"}

    posted = _post(requestContext=context)

    job = posted.body["job"]
    assert posted.headers["Location"] == f"/prod{PATH}/{job}"
    assert _ask(job, requestContext=context).status == 200
    assert _ask(job).status == 404


def test_caller_whose_sub_is_no_uuid_has_jobs_too():
    claims = {"sub": "auth0|ada", "cognito:username": "ada"}

    job = _post(claims=claims).body["job"]

    assert _ask(job, claims=claims).status == 200


def test_caller_who_has_no_name_at_all_is_refused():
    assert _post(claims={"scope": "x"}).status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_other_method_on_a_job_is_a_405_that_names_the_right_ones(method):
    answer = _ask(str(uuid.uuid4()), method)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, DELETE")
    assert answer.body == {"message": "Use GET or DELETE for batchPrediction/{job}."}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORTICO_BATCH_STATE_MACHINE", "arn:aws:states:eu-west-1:000000000000:stateMachine:nobody"),
        ("PORTICO_BATCH_STATE_MACHINE", ""),
    ],
)
def test_machine_that_is_away_is_a_503_to_be_tried_again(setting, value, monkeypatch):
    monkeypatch.setenv(setting, value)

    answer = _post()

    assert answer.status == 503
    assert answer.body["message"]
    assert int(answer.headers["Retry-After"]) > 0


def test_machine_that_nothing_answers_for_is_away(monkeypatch):
    once = Config(retries={"total_max_attempts": 1})
    client = boto3.client("stepfunctions", endpoint_url="http://127.0.0.1:9", config=once)
    monkeypatch.setattr(machine, "_client", lambda: client)

    assert _post().status == 503


def test_key_goes_on_once_the_machine_is_back(monkeypatch, executions):
    headers = {"Prefer": "respond-async", "Idempotency-Key": "k"}
    with monkeypatch.context() as away:
        away.setenv("PORTICO_BATCH_STATE_MACHINE", "")
        _post(headers=headers)

    answer = _post(headers=headers)

    assert answer.status == 202
    assert len(executions()) == 1


def test_fault_of_step_functions_that_trying_again_does_not_mend_is_a_bug(monkeypatch):
    monkeypatch.setenv("PORTICO_BATCH_STATE_MACHINE", "arn:aws:lambda:x")
    monkeypatch.setattr(machine, "_PASSING", frozenset())

    assert _post().status == 500


@pytest.mark.parametrize("path", [PATH, f"{PATH}/{uuid.UUID(int=7)}"])
def test_browsers_may_send_and_read_what_jobs_need(path):
    headers = _call("rest_batch_status", httpMethod="OPTIONS", path=path).headers

    assert {"Prefer", "Idempotency-Key"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert {"GET", "POST", "DELETE"} <= set(headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Location", "Retry-After"} <= set(headers["Access-Control-Expose-Headers"].split(", "))


def test_object_is_written_once_only():
    written = [bucket.write_json_once("batches/7/x.json", {"n": n}) for n in (1, 2)]

    assert written == [True, False]
    assert bucket.read_json("batches/7/x.json") == {"n": 1}
