"""What leaves the gateway when the cloud side answers oddly, or not at all."""

import io
import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from portal.errors import BackendAway, BackendFault, BadInput, Refused
from portal.gateways import inference, storage
from portal.gateways.inference import INTERRUPTED

ASKED: dict[str, Any] = {"slug": "penguins", "number": 1, "sha256": "0" * 64, "row": {"x": 1.0}}
GOOD = {
    "ok": True,
    "output": {"type": "regression", "classes": None, "probabilities": False},
    "prediction": {"label": None, "value": 0.1 + 0.2, "probabilities": None, "scores": None},
    "start": "warm",
    "milliseconds": 1.5,
    "request_id": "r",
}


class Lambda:
    """A client that gives its outcomes in turn, and counts the calls."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes, self.calls = list(outcomes), 0

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.calls += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def answer(content: Any, **more: str) -> dict[str, Any]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"Payload": io.BytesIO(body), **more}


def refusal(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Invoke")  # type: ignore[arg-type]


@pytest.fixture
def served_by(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inference.time, "sleep", lambda seconds: None)

    def serve(*outcomes: Any) -> Lambda:
        client = Lambda(*outcomes)
        monkeypatch.setattr(inference, "client", lambda service: client)
        return client

    return serve


def test_predict_answer_keeps_every_digit(served_by):
    served_by(answer(GOOD))

    assert inference.predict(**ASKED).value == 0.30000000000000004


@pytest.mark.parametrize(
    "passing", [refusal("TooManyRequestsException", 429), EndpointConnectionError(endpoint_url="http://x")]
)
def test_predict_that_never_arrived_is_tried_again(served_by, passing: Exception):
    client = served_by(passing, passing, answer(GOOD))

    inference.predict(**ASKED)

    assert client.calls == 3


def test_predict_throttled_for_good_is_given_up_after_three_tries(served_by):
    client = served_by(*[refusal("TooManyRequestsException", 429)] * 9)

    with pytest.raises(BackendAway):
        inference.predict(**ASKED)

    assert client.calls == 3


@pytest.mark.parametrize("lost", [ReadTimeoutError(endpoint_url="http://x"), refusal("ServiceException", 500)])
def test_predict_that_may_have_run_is_never_repeated(served_by, lost: Exception):
    client = served_by(lost, answer(GOOD))

    with pytest.raises(BackendAway):
        inference.predict(**ASKED)

    assert client.calls == 1


@pytest.mark.parametrize(
    ("outcome", "error", "message"),
    [
        (answer(b"<html>"), BackendFault, "unreadable"),
        (
            answer({"errorMessage": "boom /var/task", "errorType": "KeyError"}, FunctionError="Unhandled"),
            BackendFault,
            "fault",
        ),
        (
            answer({"errorMessage": "Task timed out after 900.00 seconds"}, FunctionError="Unhandled"),
            BackendFault,
            "longer",
        ),
        (
            answer({"ok": False, "error": {"code": "bad_input", "message": "No.", "fields": {"x": "no"}}}),
            BadInput,
            "No.",
        ),
        (answer({"ok": False, "error": {"code": "rejected", "message": "Not fitted."}}), Refused, "Not fitted."),
        (
            answer({"ok": False, "error": {"code": "checksum_mismatch", "message": "Differs."}}),
            BackendFault,
            "Differs.",
        ),
        (answer({"ok": False}), BackendFault, "could not"),
        (refusal("AccessDeniedException", 403), BackendFault, "refused"),
    ],
)
def test_predict_with_an_odd_answer_becomes_an_error_fit_for_people(served_by, outcome: Any, error: type, message: str):
    served_by(outcome)

    with pytest.raises(error, match=message) as raised:
        inference.predict(**ASKED)

    assert "boom" not in raised.value.user_message


def test_predict_refused_for_a_feature_names_it(served_by):
    served_by(answer({"ok": False, "error": {"code": "bad_input", "message": "No.", "fields": {"x": "no"}}}))

    with pytest.raises(BadInput) as raised:
        inference.predict(**ASKED)

    assert raised.value.fields == {"x": "no"}


@pytest.mark.django_db
def test_status_of_a_batch_the_service_does_not_know_is_a_failure_with_a_reason(cloud: None, stack):
    arn = stack.outputs["BatchStateMachineArn"].replace(":stateMachine:", ":execution:") + ":never-started"

    status = inference.batch_status(execution_arn=arn, user_id=1, batch=uuid.uuid4())

    assert (status.state, status.error) == ("failed", INTERRUPTED)


@pytest.mark.django_db
def test_status_of_a_forgotten_execution_that_had_ended_is_what_it_left_in_the_bucket(cloud: None, stack):
    arn, batch = stack.outputs["BatchStateMachineArn"].replace(":stateMachine:", ":execution:") + ":gone", uuid.uuid4()
    storage.put_json(storage.batch_key(1, batch, "summary.json"), {"ok": True, "rows": 3, "scored": 3, "failed": 0})

    status = inference.batch_status(execution_arn=arn, user_id=1, batch=batch)

    assert (status.state, status.summary["rows"]) == ("done", 3)
