"""What is said of a job, to whom, and how it is cancelled."""

import urllib.request
import uuid

import pytest

from predictor import bucket, keys, machine
from tests.predictor.api.calling import BOB, FILE, PATH, SUB, ask, call, ended, post, step
from tests.predictor.factories import penguins

SUMMARY = {
    "ok": True, "rows": 3, "scored": 3, "failed": 0, "errors": [], "result": {"file": "output.csv", "size_bytes": 4},
}  # fmt: skip


@pytest.mark.parametrize("name", ["rest_batch_status", "http_batch_status"])
def test_job_that_is_not_there_is_a_404(name):
    answer = call(name)

    assert answer.status == 404
    assert "no job of that id" in answer.body["message"]


def test_started_job_is_queued_and_says_when_to_ask_again():
    job = post().body["job"]

    answer = ask(job)

    assert answer.status == 200
    assert answer.body == {
        "job": job, "status": "queued", "fileName": "penguins.csv", "model": "penguins", "version": 1,
        "rows": 0, "scored": 0, "failed": 0, "parts": 0, "partsDone": 0, "errors": [],
        "distribution": {"classes": None, "histogram": None, "bands": None},
    }  # fmt: skip
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"


def test_running_job_says_how_far_it_is(executions):
    bucket.write(FILE, penguins(3).to_csv(index=False).encode() + b"long,3000,male,x\n", content_type="text/csv")
    job = post().body["job"]
    plan = step(executions()[0], "plan")
    before = ask(job).body

    for part in bucket.read_json(plan["parts_key"]):
        step(executions()[0], "part", part=part)

    answer = ask(job).body
    assert (before["status"], before["parts"], before["partsDone"]) == ("running", 1, 0)
    assert answer == answer | {"status": "running", "partsDone": 1, "rows": 4, "scored": 3, "failed": 1}
    assert answer["errors"] == [{"line": 5, "error": "bill_length_mm: 'long' is not a number"}]


def test_job_that_step_functions_does_not_know_yet_is_queued(monkeypatch):
    monkeypatch.setattr(machine, "start", lambda *_: None)

    assert ask(post().body["job"]).body["status"] == "queued"


def test_job_that_step_functions_knows_no_more_has_failed(monkeypatch):
    monkeypatch.setattr(machine, "start", lambda *_: None)
    job = post().body["job"]
    monkeypatch.setattr("predictor.api_jobs.STARTS_WITHIN_S", 0)

    answer = ask(job).body

    assert (answer["status"], answer["message"][:24]) == ("failed", "The job was interrupted ")


@pytest.mark.parametrize("is_known", [True, False])
def test_done_job_has_a_link_to_its_result_made_anew_each_time(ending, monkeypatch, is_known):
    if not is_known:  # an emulator that was restarted
        monkeypatch.setattr(machine, "start", lambda *_: None)
    job = post().body["job"]
    write(job, "summary.json", SUMMARY)
    bucket.write(keys.batch(SUB, job, "output.csv"), b"a,b\n", content_type="text/csv")

    answer = ended(job)

    assert (answer["status"], answer["rows"], answer["scored"], answer["failed"]) == ("done", 3, 3, 0)
    assert answer["bucket"] == bucket.name()
    with urllib.request.urlopen(answer["downloadLink"]) as result:  # noqa: S310  # the emulator's own address
        assert result.read() == b"a,b\n"
        assert result.headers.get_filename() == "penguins_penguins-v1_predictions.csv"
    assert "Expires=300" in answer["downloadLink"]


def test_done_job_of_the_other_format_links_to_that(ending):
    job = post({"fileKey": FILE, "result": "parquet"}).body["job"]
    write(job, "summary.json", SUMMARY | {"result": {"file": "output.parquet"}})

    assert "/output.parquet?" in ended(job)["downloadLink"]


def test_done_job_with_bad_rows_says_which(ending):
    job = post().body["job"]
    errors = [{"row": 2, "line": 3, "error": "sex is missing"}]
    write(job, "summary.json", SUMMARY | {"scored": 2, "failed": 1, "errors": errors})

    answer = ended(job)

    assert (answer["status"], answer["failed"]) == ("done with errors", 1)
    assert answer["errors"] == [{"line": 3, "error": "sex is missing"}]


def test_failed_job_says_why(failing):
    job = post().body["job"]
    write(job, "summary.json", {"ok": False, "error": {"code": "refused", "message": "The file is empty."}})

    answer = ended(job)

    assert (answer["status"], answer["message"]) == ("failed", "The file is empty.")
    assert "downloadLink" not in answer


def test_cancelled_job_is_stopped_and_says_so(executions):
    job = post().body["job"]

    answers = [ask(job, "DELETE").status for _ in range(2)]

    assert answers == [204, 204]
    assert [execution["status"] for execution in executions()] == ["ABORTED"]
    assert ask(job).body["status"] == "cancelled"


def test_cancelling_a_done_job_leaves_it(ending):
    job = post().body["job"]
    write(job, "summary.json", SUMMARY)
    ended(job)

    answer = ask(job, "DELETE")

    assert (answer.status, answer.body) == (204, None)
    assert ask(job).body["status"] == "done"


def test_cancelling_a_job_that_step_functions_does_not_know_yet_is_to_be_tried_again(monkeypatch):
    monkeypatch.setattr(machine, "start", lambda *_: None)

    answer = ask(post().body["job"], "DELETE")

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_s_job_is_a_404_and_goes_on(method, executions):
    job = post().body["job"]

    answer = ask(job, method, claims=BOB)

    assert answer.status == 404
    assert answer.body == ask(str(uuid.uuid4()), method, claims=BOB).body
    assert [execution["status"] for execution in executions()] == ["RUNNING"]


@pytest.mark.parametrize("job", ["x", "..", "1", "7C9E6679-7425-40DE-944B-E07FC1F90AE7", "%2e%2e"])
def test_job_id_that_is_none_is_a_404(job):
    assert ask(job).status == 404


def test_job_under_another_model_s_address_is_a_404():
    assert ask(post().body["job"], path="/others/batchPrediction").status == 404


def test_job_of_nobody_is_found_without_claims():
    context = {"stage": "prod", "requestId": "r", "path": f"/prod{PATH}"}

    posted = post(requestContext=context)

    job = posted.body["job"]
    assert posted.headers["Location"] == f"/prod{PATH}/{job}"
    assert ask(job, requestContext=context).status == 200
    assert ask(job).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_other_method_on_a_job_is_a_405_that_names_the_right_ones(method):
    answer = ask(str(uuid.uuid4()), method)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, DELETE")
    assert answer.body == {"message": "Use GET or DELETE for batchPrediction/{job}."}


def write(job, name, value):
    bucket.write_json(keys.batch(SUB, job, name), value)
