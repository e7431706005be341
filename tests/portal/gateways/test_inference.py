"""What leaves the gateway when the cloud side answers oddly, or not at all."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from portal.errors import BackendAway, BackendFault, BadInput, Refused
from portal.gateways import inference

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
        self.functions: list[str] = []

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.calls += 1
        self.functions.append(asked["FunctionName"])
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


@pytest.mark.parametrize(
    ("is_compiled", "small", "asked"),
    [(True, "small", "small"), (False, "small", "large"), (True, "", "large"), (False, "", "large")],
)
def test_predict_asks_the_small_function_about_compiled_versions_alone(
    served_by, settings: Any, is_compiled: bool, small: str, asked: str
):
    settings.PORTICO_PREDICT_FUNCTION, settings.PORTICO_PREDICT_SMALL_FUNCTION = "large", small
    client = served_by(answer(GOOD))

    inference.predict(**ASKED, is_compiled=is_compiled)

    assert client.functions == [asked]


def test_replay_is_the_large_functions_whatever_the_version(served_by, settings: Any):
    settings.PORTICO_PREDICT_FUNCTION, settings.PORTICO_PREDICT_SMALL_FUNCTION = "large", "small"
    client = served_by(answer({"ok": True, "rows": 0, "moved": []}))

    inference.replay(slug="penguins", number=1, sha256="0" * 64)

    assert client.functions == ["large"]


def test_predict_that_the_small_function_could_not_hand_over_may_be_tried_again_by_the_person(served_by):
    served_by(answer({"ok": False, "error": {"code": "away", "message": "Busy just now."}}))

    with pytest.raises(BackendAway, match="Busy"):
        inference.predict(**ASKED, is_compiled=True)


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


def test_progress_is_asked_by_a_client_that_does_not_wait_long(monkeypatch: pytest.MonkeyPatch):
    client = Lambda(answer({"ok": True, "stage": "running"}))
    monkeypatch.setattr(inference, "quick_lambda", lambda: client)

    assert inference.batch_progress({"batch": "b"}) == {"ok": True, "stage": "running"}


def test_progress_that_is_late_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch):
    client = Lambda(ReadTimeoutError(endpoint_url="http://x"), answer({"ok": True}))
    monkeypatch.setattr(inference, "quick_lambda", lambda: client)

    with pytest.raises(BackendAway):
        inference.batch_progress({"batch": "b"})

    assert client.calls == 1


def test_look_at_a_file_is_read_as_the_contract_has_it(served_by):
    served_by(answer({"ok": True, "reading": {"format": "csv"}, "columns": ["a"], "mapping": {"x": None}, "near": {},
                      "rows": [["1"]], "problems": [], "refusal": None, "notes": [], "size_bytes": 7}))  # fmt: skip

    look = inference.preview_batch({"batch": "b"})

    assert (look.columns, look.mapping, look.refusal, look.size_bytes) == (["a"], {"x": None}, "", 7)
