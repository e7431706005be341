"""The original tool's two calls, as behind API Gateway."""

import os
import time
import urllib.request

import pytest

from predictor import bucket, keys
from tests.predictor.factories import array_model, dump, publish
from tests.predictor.serving.server_process import Server

AWS = (
    "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "PORTICO_BUCKET", "PORTICO_MANIFEST_KEY",
)  # fmt: skip
ROW = {"x0": 1.2, "x1": "-0.3", "x2": True, "more": None}


@pytest.fixture
def bucket_settings(bucket_name):
    return {name: os.environ[name] for name in AWS}


@pytest.mark.parametrize("path", ["/singlePrediction", "/prod/singlePrediction", "/binary/singlePrediction"])
def test_single_prediction_is_answered_as_its_clients_expect(binary_server, models, path):
    answer = binary_server.ask("POST", path, ROW)

    expected = round(float(models["binary"].predict_proba([[1.2, -0.3, 1.0]])[0, -1]), 3)
    assert answer.json() == {"pred_proba": expected, "body": {"pred_proba": expected}}
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-model-version"].startswith("binary/")


def test_missing_feature_is_told_in_the_originals_words(binary_server):
    answer = binary_server.ask("POST", "/singlePrediction", {"x0": 1, "x1": None})

    assert (answer.status, answer.json()) == (400, {"message": "Error-Bad input values in: ['x1', 'x2']"})


def test_browsers_are_told_what_they_may_send(binary_server):
    answer = binary_server.ask("OPTIONS", "/singlePrediction")

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST, GET"


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/singlePrediction", 405, "Use POST"),
        ("POST", "/batchPrediction", 400, "PORTICO_BUCKET"),
        ("POST", "/other/singlePrediction", 404, "the only one is called 'binary'"),
        ("POST", "/else", 404, "Nothing is served at /else"),
    ],
)
def test_call_that_cannot_be_answered_says_why(binary_server, method, path, status, says):
    answer = binary_server.ask(method, path, {"fileKey": "a/1_b.csv"})

    assert answer.status == status
    assert says in answer.json()["message"]


def test_bucket_is_served_as_on_lambda(bucket_settings):
    model = array_model([0, 1])
    publish(model, slug="churn")
    bucket.write("ada/1_rows.csv", b"x0,x1,x2\n1,2,3\n", content_type="text/csv")
    server = Server(PORTICO_DEFAULT_MODEL="churn", **bucket_settings)

    named = server.ask("POST", "/v2/models/churn/versions/1/infer", {
        "inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}],
    })  # fmt: skip
    single = server.ask("POST", "/singlePrediction", ROW)
    batch = server.ask("POST", "/batchPrediction", {"fileKey": "ada/1_rows.csv"})
    code, _ = server.stop()

    assert (named.json()["model_version"], single.headers["x-model-version"]) == ("1", "churn/1")
    with urllib.request.urlopen(batch.json()["downloadLink"]) as scored:  # noqa: S310  # the emulator's own address
        assert scored.readline() == b"x0,x1,x2,predicted_probability_1,error\n"
    assert code == 0


def test_drop_in_model_that_is_overwritten_is_answered_with(bucket_settings):
    bucket.write(keys.DROP_IN_KEY, dump(array_model([0, 1])), content_type="application/octet-stream")
    server = Server(**bucket_settings)
    first = server.invoke({"inputs": [[1, 2, 3]]}).headers["x-model-version"]

    bucket.write(keys.DROP_IN_KEY, dump(array_model(["a", "b"])), content_type="application/octet-stream")
    seen = {first}
    ends = time.monotonic() + 20
    while len(seen) == 1 and time.monotonic() < ends:
        time.sleep(0.1)
        seen.add(server.invoke({"inputs": [[1, 2, 3]]}).headers["x-model-version"])
    server.stop()

    assert len(seen) == 2
    assert all(tag.startswith("drop-in/") for tag in seen)
