"""The stored events are what the container reads, and what the portal and API Gateway send."""

import json
import uuid
from pathlib import Path

import pytest
from django.test import RequestFactory

from portal import request_ids
from portal.gateways import inference
from predictor.batch import BATCH_STEPS
from predictor.batch.job import Job
from predictor.events import ApiRequest, OperationRequest, read_event
from tests.predictor.factories import EVENTS, context_of

STORED = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(Path(EVENTS).glob("*.json"))}
ID = "3f9a5c1e7b2d4a60"  # a request's of the portal, as the stored events have it
DIRECT = [name for name, event in STORED.items() if "operation" in event]
THROUGH_THE_API = [name for name in STORED if name not in DIRECT]


@pytest.fixture
def sent(monkeypatch):
    """What the portal invokes with; every call is answered with a fault."""
    events = []

    class Recorder:
        def invoke(self, **request):
            events.append(json.loads(request["Payload"]))
            raise ConnectionAbortedError

    monkeypatch.setattr(inference, "client", lambda service: Recorder())
    return events


def test_stored_events_are_both_direct_and_through_the_api():
    assert (len(DIRECT), len(THROUGH_THE_API)) == (9, 7)


@pytest.mark.parametrize("name", DIRECT)
def test_direct_event_is_read_as_its_operation(name):
    request = read_event(STORED[name], context_of("r-1"))

    assert isinstance(request, OperationRequest)
    assert request.operation in {"predict", "describe", "verify", "replay", "answer_rows", *BATCH_STEPS}
    assert request.operation.replace(".", "_") == name
    assert (request.request_id, request.invocation) in ((ID, "r-1"), ("r-1", None))


@pytest.mark.parametrize("name", ["predict", "batch_part"])
def test_direct_event_with_the_id_of_the_portals_request_is_read_under_it(name):
    assert read_event(STORED[name], context_of("r-1")).request_id == ID


@pytest.mark.parametrize("name", [name for name in DIRECT if name.startswith("batch_")])
def test_batch_event_names_a_whole_job(name):
    job = Job.from_event(STORED[name])

    assert job.key("input.csv") == f"batches/7/{STORED[name]['job']['batch']}/input.csv"


@pytest.mark.parametrize("name", THROUGH_THE_API)
def test_event_of_the_api_is_read_with_its_call_its_caller_and_its_body(name):
    request = read_event(STORED[name], context_of("r-1"))

    assert isinstance(request, ApiRequest)
    assert {"singlePrediction", "batchPrediction"} & set(request.segments)
    assert request.claims["cognito:username"] == "ada"
    assert request.method == "GET" or (request.method == "POST" and request.json_body())


@pytest.mark.parametrize("name", [name for name in THROUGH_THE_API if name.endswith("_batch_start")])
def test_event_that_starts_a_job_is_read_with_its_headers_and_its_address(name):
    request = read_event(STORED[name], context_of("r-1"))

    assert (request.headers["prefer"], request.headers["idempotency-key"]) == ("respond-async", "november")
    assert request.segments == ("penguins", "batchPrediction")
    assert request.url == "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/penguins/batchPrediction"


@pytest.fixture
def asked():
    """A request that the portal is at."""
    yield request_ids.begin(RequestFactory().get("/"), proxies=[]).id
    request_ids.end()


def test_predict_event_that_the_portal_sends_has_the_stored_ones_keys(sent, asked):
    with pytest.raises(ConnectionAbortedError):
        inference.predict(slug="penguins", number=3, sha256="a" * 64, row={"sex": "male"})

    assert set(sent[0]) == set(STORED["predict"]) | {"sha256"}
    assert sent[0]["request_id"] == asked
    assert sent[0]["operation"] == STORED["predict"]["operation"]


def test_verify_event_that_the_portal_sends_has_the_stored_ones_keys(sent):
    with pytest.raises(ConnectionAbortedError):
        inference.verify(upload=uuid.uuid4(), sha256="a" * 64, loading={"format": "joblib"}, rows=[])

    assert set(sent[0]) == set(STORED["verify"])
    assert sent[0]["operation"] == STORED["verify"]["operation"]


def test_replay_event_that_the_portal_sends_has_the_stored_ones_keys(sent):
    with pytest.raises(ConnectionAbortedError):
        inference.replay(slug="penguins", number=3, sha256="a" * 64)

    assert set(sent[0]) == set(STORED["replay"]) | {"sha256"}
    assert sent[0]["operation"] == STORED["replay"]["operation"]


def test_answer_rows_event_that_the_portal_sends_has_the_stored_ones_keys(sent):
    with pytest.raises(ConnectionAbortedError):
        inference.answer_rows(slug="penguins", number=3, sha256="a" * 64, rows=[{"sex": "male"}])

    assert set(sent[0]) == set(STORED["answer_rows"]) | {"sha256"}
    assert sent[0]["operation"] == STORED["answer_rows"]["operation"]
