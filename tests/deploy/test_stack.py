"""What the stack does for browsers, API clients and batches, asked over the network as they do."""

import csv
import hashlib
import json
import pickle
import time
import uuid

import boto3
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.closeness import nearly
from tests.deploy.sending import send
from tests.predictor.factories import signed


def post_form(url, fields, content):
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n')
    body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return send("POST", url, body=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})


@pytest.fixture
def upload_form(stack):
    """A presigned form for one key, for 1 to 10 bytes."""
    return stack.target.s3.generate_presigned_post(
        stack.bucket, f"batches/1/{uuid.uuid4()}/input.csv", Conditions=[["content-length-range", 1, 10]], ExpiresIn=60
    )


def test_bucket_lets_the_portal_s_pages_post(stack):
    headers = {"Origin": stack.portal_origin, "Access-Control-Request-Method": "POST"}

    status, answered, _ = send("OPTIONS", f"{stack.target.endpoint_url}/{stack.bucket}", headers=headers)

    assert status == 200
    assert answered["Access-Control-Allow-Origin"] in {"*", stack.portal_origin}
    assert "POST" in answered["Access-Control-Allow-Methods"]


def test_bucket_s_own_rule_names_the_portal_s_origin_only(stack):
    rules = stack.target.s3.get_bucket_cors(Bucket=stack.bucket)["CORSRules"]

    assert [rule["AllowedOrigins"] for rule in rules] == [[stack.portal_origin]]


def test_presigned_form_within_its_range_stores_the_file(stack, upload_form):
    status, _, _ = post_form(upload_form["url"], upload_form["fields"], b"a,b\n1,2\n")

    stored = stack.target.s3.get_object(Bucket=stack.bucket, Key=upload_form["fields"]["key"])["Body"].read()
    assert (status, stored) == (204, b"a,b\n1,2\n")


@pytest.mark.parametrize("content", [b"", b"eleven long"])
def test_presigned_form_outside_its_range_is_refused(stack, upload_form, content):
    status, _, _ = post_form(upload_form["url"], upload_form["fields"], content)

    assert status == 400
    with pytest.raises(ClientError, match="404"):
        stack.target.s3.head_object(Bucket=stack.bucket, Key=upload_form["fields"]["key"])


def test_bucket_is_versioned_encrypted_private_and_tls_only(stack):
    s3, bucket = stack.target.s3, stack.bucket

    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]

    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert (policy["Effect"], policy["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize(
    "path", ["singlePrediction", "batchPrediction", "nobody/singlePrediction", "nobody/batchPrediction"]
)
def test_api_path_reaches_the_function(stack, path):
    body = json.dumps({"fileKey": "somewhere-else.csv"}).encode()

    status, headers, answer = send(
        "POST",
        f"{stack.environment['PORTICO_API_URL']}/{path}",
        body=body,
        headers={"Content-Type": "application/json"},
    )

    assert status in (400, 404)
    assert "message" in json.loads(answer)
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["singlePrediction", "batchPrediction", "penguins/batchPrediction"])
def test_api_refuses_a_body_that_is_not_json(stack, path):
    status, _, answer = send(
        "POST",
        f"{stack.environment['PORTICO_API_URL']}/{path}",
        body=b"not json",
        headers={"Content-Type": "application/json"},
    )

    assert (status, list(json.loads(answer))) == (400, ["message"])


def test_api_preflight_is_answered_for_browsers(stack):
    headers = {"Origin": "http://page.test", "Access-Control-Request-Method": "POST"}

    status, answered, _ = send("OPTIONS", f"{stack.environment['PORTICO_API_URL']}/singlePrediction", headers=headers)

    assert status == 200
    assert answered["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answered["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_api_path_that_is_not_there_is_a_404_with_a_message(stack, method):
    body = b"{}" if method == "POST" else None

    status, headers, answer = send(method, f"{stack.environment['PORTICO_API_URL']}/elsewhere", body=body)

    assert (status, list(json.loads(answer))) == (404, ["message"])
    assert headers["Content-Type"] == "application/json"


def test_function_is_given_the_contract_s_settings(stack):
    configuration = stack.target.functions.get_function_configuration(FunctionName=stack.outputs["PredictFunctionName"])

    assert configuration["Environment"]["Variables"] == {
        "PORTICO_BUCKET": stack.bucket,
        "PORTICO_BATCH_PART_BYTES": "16777216",
        "PORTICO_DEFAULT_MODEL": "four-variables",
        "PORTICO_CORS_ORIGIN": "*",
        "PORTICO_PUBLIC_ENDPOINT_URL": stack.target.public_url or "",
        "PORTICO_API_ENDPOINT": f"{stack.target.public_url or stack.target.endpoint_url}/_aws/execute-api",
        "PORTICO_BATCH_STATE_MACHINE": stack.outputs["BatchStateMachineArn"],
        "PORTICO_MANIFEST_KEY": stack.environment["PORTICO_MANIFEST_KEY"],
    }


def test_batch_on_a_missing_upload_is_abandoned_and_fails_with_the_first_cause(stack, stack_environment):
    job = {"batch": str(uuid.uuid4()), "user": "1", "model": "nobody", "version": 1, "sha256": "0" * 64}

    execution = run_batch(stack, job)

    summary = json.load(
        stack.target.s3.get_object(Bucket=stack.bucket, Key=f"batches/1/{job['batch']}/summary.json")["Body"]
    )
    assert execution["status"] == "FAILED"
    assert "refusal.json says why." in execution["cause"]
    assert summary["ok"] is False
    assert summary["error"] == {"code": "refused", "message": "There is no model 'nobody'."}


@pytest.fixture(scope="module")
def model(stack):
    """A fitted pipeline, live in the stack under the slug "two-numbers"; it went through the verify function."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(200, 2))
    fitted = make_pipeline(StandardScaler(), LogisticRegression())
    fitted.fit(pd.DataFrame(rows, columns=["a", "b"]), np.where(rows.sum(axis=1) > 0, "yes", "no"))
    body, upload, s3 = pickle.dumps(fitted), str(uuid.uuid4()), stack.target.s3
    digest = hashlib.sha256(body).hexdigest()
    s3.put_object(Bucket=stack.bucket, Key=f"quarantine/{upload}", Body=body)
    answer = stack.target.functions.invoke(
        FunctionName=stack.outputs["VerifyFunctionName"],
        Payload=json.dumps({"operation": "verify", "upload": upload, "sha256": digest, "format": "pickle"}),
    )
    verified = json.load(answer["Payload"])
    assert verified["ok"], verified
    manifest = {**verified["manifest"], "file": "model.pkl", "slug": "two-numbers", "number": 1}
    pointer = {"slug": "two-numbers", "version": 1, "sha256": digest}
    key = stack.environment["PORTICO_MANIFEST_KEY"]
    for name, content in (
        ("1/model.pkl", body),
        ("1/manifest.json", json.dumps(signed("manifest", manifest, key=key))),
        ("live.json", json.dumps(signed("live", pointer, key=key))),
    ):
        s3.put_object(Bucket=stack.bucket, Key=f"models/two-numbers/{name}", Body=content)
    return fitted, digest


def test_batch_scores_a_file_as_scikit_learn_does(stack, stack_environment, model):
    fitted, digest = model
    table = pd.DataFrame(np.random.default_rng(8).normal(size=(500, 2)), columns=["a", "b"])
    job = {"batch": str(uuid.uuid4()), "user": "1", "model": "two-numbers", "version": 1, "sha256": digest}
    folder = f"batches/1/{job['batch']}"
    stack.target.s3.put_object(Bucket=stack.bucket, Key=f"{folder}/input.csv", Body=table.to_csv(index=False))

    execution = run_batch(stack, job)

    assert execution["status"] == "SUCCEEDED", execution
    output = stack.target.s3.get_object(Bucket=stack.bucket, Key=f"{folder}/output.csv")["Body"].read()
    scored = list(csv.DictReader(output.decode().splitlines()))
    assert [row["prediction"] for row in scored] == list(fitted.predict(table))
    assert [float(row["probability_yes"]) for row in scored] == nearly(fitted.predict_proba(table)[:, 1])
    summary = json.load(stack.target.s3.get_object(Bucket=stack.bucket, Key=f"{folder}/summary.json")["Body"])
    assert (summary["ok"], summary["rows"], summary["failed"]) == (True, 500, 0)


def test_direct_invoke_predicts_as_scikit_learn_does(stack, model):
    fitted, _ = model
    event = {"operation": "predict", "model": "two-numbers", "version": None, "row": {"a": 0.1, "b": -0.7}}

    answer = stack.target.functions.invoke(FunctionName=stack.outputs["PredictFunctionName"], Payload=json.dumps(event))

    expected = fitted.predict_proba(pd.DataFrame([event["row"]]))[0]
    assert json.load(answer["Payload"])["prediction"]["probabilities"] == list(expected)


def run_batch(stack, job):
    """Start the state machine and wait until it has ended."""
    machine = boto3.client("stepfunctions")
    started = machine.start_execution(
        stateMachineArn=stack.outputs["BatchStateMachineArn"], input=json.dumps({"job": job})
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        execution = machine.describe_execution(executionArn=started["executionArn"])
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.05)
    raise AssertionError("the batch did not end within a minute")
