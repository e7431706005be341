"""Jobs of the API on the real stack, from the post to the result, asked over the network as a program does."""

import io
import json
import time
import uuid

import boto3
import pandas as pd
import pytest

from predictor import keys
from tests.closeness import nearly
from tests.deploy.sending import send
from tests.predictor.factories import event, penguin_model, penguins, publish

WITHIN_S = 60
UNFINISHED = ("queued", "planning", "running")


@pytest.fixture
def model(stack_environment):
    fitted = penguin_model()
    publish(fitted, slug="jobs")
    return fitted


@pytest.fixture
def url(stack):
    return f"{stack.environment['PORTICO_API_URL']}/jobs/batchPrediction"


def put(stack, content, *, name="penguins.csv"):
    key = f"ada/{uuid.uuid4()}_{name}"
    stack.target.s3.put_object(Bucket=stack.bucket, Key=key, Body=content)
    return key


def post(url, file_key, *, key=None, **wishes):
    headers = {"Content-Type": "application/json", "Prefer": "respond-async"}
    headers |= {"Idempotency-Key": key} if key else {}
    status, answered, body = send(
        "POST", url, body=json.dumps({"fileKey": file_key, **wishes}).encode(), headers=headers
    )
    assert status == 202, body
    return json.loads(body), answered


def ended(status_url):
    """The job, once it has ended."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        status, _, body = send("GET", status_url)
        assert status == 200, body
        job = json.loads(body)
        if job["status"] not in UNFINISHED:
            return job
        assert time.monotonic() < deadline, job
        time.sleep(0.1)


def executions_of(stack, job):
    machine = boto3.client("stepfunctions")
    found = machine.list_executions(stateMachineArn=stack.outputs["BatchStateMachineArn"])["executions"]
    return [execution["status"] for execution in found if execution["name"].startswith(f"api-{job}-")]


def test_job_scores_a_file_as_scikit_learn_does(stack, model, url):
    table = penguins(300)

    posted, headers = post(url, put(stack, table.to_csv(index=False).encode()))
    job = ended(headers["Location"])

    status, _, content = send("GET", job["downloadLink"])
    result = pd.read_csv(io.BytesIO(content))
    features = table.drop(columns="species")
    assert (status, job["status"], job["rows"], job["failed"]) == (200, "done", 300, 0)
    assert job["parts"] == job["partsDone"] > 0
    assert posted["statusUrl"] == headers["Location"] == f"{url}/{posted['job']}"
    assert (headers["Preference-Applied"], headers["X-Model-Version"]) == ("respond-async", "jobs/1")
    assert result["prediction"].tolist() == model.predict(features).tolist()
    probabilities = result[[f"probability_{name}" for name in model.classes_]]
    assert probabilities.to_numpy() == nearly(model.predict_proba(features))
    pd.testing.assert_frame_equal(result[table.columns], table)


def test_job_with_bad_rows_is_done_with_errors_by_line(stack, model, url):
    content = penguins(5).to_csv(index=False).encode() + b"long,3000,male,x\n"

    job = ended(post(url, put(stack, content))[0]["statusUrl"])

    assert (job["status"], job["scored"], job["failed"]) == ("done with errors", 5, 1)
    assert [error["line"] for error in job["errors"]] == [7]


def test_job_on_a_file_that_cannot_be_scored_fails_with_the_reason(stack, model, url):
    job = ended(post(url, put(stack, b"island,year\nDream,2008\n"))[0]["statusUrl"])

    assert job["status"] == "failed"
    assert "bill_length_mm" in job["message"]
    assert "downloadLink" not in job


def test_job_that_wishes_for_it_has_a_parquet_result(stack, model, url):
    file_key = put(stack, penguins(20).to_csv(index=False).encode())

    job = ended(post(url, file_key, result="parquet")[0]["statusUrl"])

    _, _, content = send("GET", job["downloadLink"])
    assert (content[:4], content[-4:]) == (b"PAR1", b"PAR1")


def test_cancelled_job_is_stopped_and_stays_so(stack, model, url):
    posted, _ = post(url, put(stack, penguins(20_000).to_csv(index=False).encode()))

    answers = [send("DELETE", posted["statusUrl"])[0] for _ in range(2)]

    assert answers == [204, 204]
    assert ended(posted["statusUrl"])["status"] == "cancelled"
    assert executions_of(stack, posted["job"]) == ["ABORTED"]


def test_post_that_is_sent_twice_with_a_key_is_one_job(stack, model, url):
    file_key, key = put(stack, penguins(5).to_csv(index=False).encode()), str(uuid.uuid4())

    first, second = (post(url, file_key, key=key)[0] for _ in range(2))

    assert first == second
    assert ended(first["statusUrl"])["status"] == "done"
    assert len(executions_of(stack, first["job"])) == 1


def test_key_that_was_used_for_another_request_is_a_409(stack, model, url):
    key = str(uuid.uuid4())
    post(url, put(stack, b"a\n1\n"), key=key)

    body = json.dumps({"fileKey": put(stack, b"a\n2\n")}).encode()
    status, _, answer = send(
        "POST",
        url,
        body=body,
        headers={"Prefer": "respond-async", "Idempotency-Key": key, "Content-Type": "application/json"},
    )

    assert (status, list(json.loads(answer))) == (409, ["message"])


@pytest.mark.parametrize(
    ("sub", "expected"), [("0d1f2c3b-aaaa-4f7e-9a55-0b1d7d1f2c11", 200), ("5a3c8d1e-bbbb-4f7e-9a55-0b1d7d1f2c12", 404)]
)
def test_job_of_a_caller_with_a_token_is_that_callers_alone(stack, model, sub, expected):
    """The gateway's own check of tokens apart: the function is asked with the claims that the gateway passes on."""
    key = put(stack, penguins(5).to_csv(index=False).encode())
    started = event("rest_batch_start", path="/jobs/batchPrediction", body=json.dumps({"fileKey": key}))
    started["headers"]["Idempotency-Key"] = started["multiValueHeaders"]["Idempotency-Key"][0] = str(uuid.uuid4())
    job = json.loads(invoke(stack, started)["body"])["job"]

    asked = event("rest_batch_status", path=f"/jobs/batchPrediction/{job}")
    asked["requestContext"]["authorizer"]["claims"]["sub"] = sub

    assert invoke(stack, asked)["statusCode"] == expected
    assert send("GET", f"{stack.environment['PORTICO_API_URL']}/jobs/batchPrediction/{job}")[0] == 404


@pytest.mark.parametrize("path", ["batchPrediction", f"batchPrediction/{uuid.UUID(int=7)}"])
@pytest.mark.parametrize("model_path", ["", "penguins/"])
def test_preflight_lets_pages_do_what_jobs_need(stack, model_path, path):
    headers = {"Origin": "http://page.test", "Access-Control-Request-Method": "DELETE"}

    status, answered, _ = send("OPTIONS", f"{stack.environment['PORTICO_API_URL']}/{model_path}{path}", headers=headers)

    assert status == 200
    assert "Idempotency-Key" in answered["Access-Control-Allow-Headers"]
    assert "DELETE" in answered["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("model_path", ["", "penguins/"])
def test_other_method_on_a_job_is_a_405_from_the_function(stack, model_path):
    url = f"{stack.environment['PORTICO_API_URL']}/{model_path}batchPrediction/{uuid.UUID(int=7)}"

    status, answered, body = send("PUT", url, body=b"{}", headers={"Content-Type": "application/json"})

    assert (status, answered["Allow"]) == (405, "GET, DELETE")
    assert json.loads(body)["message"]


def test_owner_without_a_token_is_nobody(stack, model, url):
    posted, _ = post(url, put(stack, penguins(5).to_csv(index=False).encode()))

    kept = stack.target.s3.get_object(Bucket=stack.bucket, Key=keys.batch(keys.ANYONE, posted["job"], "job.json"))

    assert json.load(kept["Body"])["owner"] == keys.ANYONE


def invoke(stack, called):
    answer = stack.target.functions.invoke(
        FunctionName=stack.outputs["PredictFunctionName"], Payload=json.dumps(called)
    )
    return json.load(answer["Payload"])
