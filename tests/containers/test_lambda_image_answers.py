"""The image answers what the handler answers, under Lambda's conditions."""

import hashlib
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from predictor import model_store
from predictor.handler import handle
from tests.containers.lambda_container import FUNCTION, PATH, LambdaContainer, docker
from tests.containers.object_stub import make_server
from tests.predictor.factories import array_model, context_of, dump, event, penguin_model

pytestmark = pytest.mark.containers

DROP_IN = "model/binary_sklearn_model.pkl"
UPLOAD = "0d1f2c3b-aaaa-4f7e-9a55-0b1d7d1f2c11"

Start = Callable[..., LambdaContainer]


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    """A drop-in model of four features, and an upload that nobody has loaded yet, fitted on a DataFrame."""
    return {DROP_IN: dump(array_model(features=4)), f"quarantine/{UPLOAD}": dump(penguin_model(missing=True))}


@pytest.fixture
def in_process(objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], Any]]:
    """The same handler with the same objects, here."""
    server = make_server(0, objects)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {**FUNCTION, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(model_store, "store", model_store.ModelStore())
    yield lambda asked: handle(asked, context_of("rest-request-1"))
    server.shutdown()
    server.server_close()


def rest_event() -> dict[str, Any]:
    row = {"x0": 1.2, "x1": "-0.5", "x2": True, "x3": 0, "extra": 1}
    return event("rest_single_prediction", body=json.dumps(row))


def verify_event(objects: dict[str, bytes]) -> dict[str, Any]:
    checksum = hashlib.sha256(objects[f"quarantine/{UPLOAD}"]).hexdigest()
    return {"operation": "verify", "upload": UPLOAD, "sha256": checksum, "format": "pickle"}


def test_rest_event_is_answered_as_the_handler_does(start_lambda: Start, objects, in_process):
    container = start_lambda()
    container.serve_objects(objects)

    answer = container.invoke(rest_event())

    assert answer["statusCode"] == 200, answer
    assert answer == in_process(rest_event())


def test_curl_of_the_cheat_sheet_is_answered_through_the_published_port(start_lambda: Start, objects):
    container = start_lambda(options=("--publish", "127.0.0.1::8080"))
    container.serve_objects(objects)
    url = f"http://{container.address()}{PATH}"

    with urllib.request.urlopen(url, json.dumps(rest_event()).encode(), timeout=60) as reply:
        answer = json.load(reply)

    assert set(json.loads(answer["body"])) == {"pred_proba", "body"}


def test_verify_command_describes_an_upload_that_needs_pandas(start_lambda: Start, objects):
    container = start_lambda("predictor.handler.verify")
    container.serve_objects(objects)

    answer = container.invoke(verify_event(objects))

    assert answer["ok"], answer
    assert answer["manifest"]["fitted_on"] == "dataframe"
    assert answer["manifest"]["versions"]["python"].startswith("3.13")


@pytest.mark.parametrize(
    ("command", "asked"),
    [("predictor.handler.handle", "verify"), ("predictor.handler.verify", "predict")],
)
def test_each_command_refuses_the_other_ones_operation(start_lambda: Start, command, asked):
    answer = start_lambda(command).invoke(event(asked))

    assert answer["error"]["code"] == "bad_request"


def test_exception_reaches_the_caller_in_the_shape_of_lambda(start_lambda: Start):
    answer = start_lambda().invoke({"operation": "batch.plan", "job": {}})

    assert answer["errorType"] == "BatchRefused"
    assert answer["errorMessage"]
    assert {"requestId", "stackTrace"} <= set(answer)


def test_stop_ends_the_container_at_once(start_lambda: Start):
    container = start_lambda()
    container.invoke({"operation": "nothing"})

    docker("stop", "--time", "60", container.id)

    # 137 would mean that the signal went nowhere and the engine killed it after the minute.
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container.id).strip() != "137"


def test_on_lambda_the_emulator_is_left_out(start_lambda: Start):
    container = start_lambda(options=("--network", "none", "--env", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1"))
    docker("wait", container.id)

    assert "rapid" not in container.log()
    assert "awslambdaric" in container.log()
