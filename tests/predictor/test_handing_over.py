"""The small function: what it answers from tables, what it hands over, and what becomes of that."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from predictor import api_calls, bucket, handing_over, keys
from predictor.errors import LargeFailed
from predictor.handler import handle
from tests.predictor.factories import (
    array_model,
    context_of,
    dump,
    event,
    forest,
    penguin_model,
    publish,
    publish_compiled,
)

ROW = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}
ASKED = {"operation": "predict", "model": "penguins", "row": ROW}
Outcome = tuple[int, dict[str, str], Any]


class Large:
    """Lambda's Invoke, with a function behind it that answers as a test says; `events` came in, in order."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.outcomes: list[Outcome] = []
        self.answer: Callable[[dict[str, Any]], Any] = lambda event: {"ok": True, "by": "the large one"}

    def take(self, path: str, body: bytes) -> Outcome:
        self.paths.append(path)
        self.events.append(json.loads(body))
        return self.outcomes.pop(0) if self.outcomes else (200, {}, self.answer(self.events[-1]))


class _Invoke(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, answer = self.server.large.take(self.path, body)  # type: ignore[attr-defined]
        said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(said))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[Large]:
    """This process is the small function, and here is the large one."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), _Invoke)
    served.large = Large()  # type: ignore[attr-defined]
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{served.server_port}")
    monkeypatch.setenv("PORTICO_LARGE_FUNCTION", "portico-test-predict")
    monkeypatch.setattr(handing_over, "_wait", lambda attempt: None)
    yield served.large  # type: ignore[attr-defined]
    handing_over._connection().close()
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def full_elsewhere(large: Large, monkeypatch: pytest.MonkeyPatch) -> Large:
    """The large function is the real handler, which runs where nothing makes it the small one."""

    def answer(asked: dict[str, Any]) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("PORTICO_LARGE_FUNCTION")
            return handle(asked, context_of("request-of-the-large-one"))

    large.answer = answer
    return large


def _call(slug: str, body: dict[str, Any]) -> dict[str, Any]:
    path = f"/{slug}/singlePrediction" if slug else "/singlePrediction"
    return handle(event("rest_single_prediction", path=path, body=json.dumps(body)), context_of("request-1"))


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_row_of_a_compiled_model_is_answered_by_the_small_one(large):
    golden = publish_compiled(penguin_model(estimator=LogisticRegression()))

    answer = handle({**ASKED, "row": golden["row"]}, context_of("request-1"))

    assert answer["prediction"]["label"] == golden["prediction"]["label"]
    assert (answer["request_id"], large.events) == ("request-1", [])


def test_model_without_tables_is_answered_by_the_large_one_as_it_was_asked(full_elsewhere, capsys):
    publish(penguin_model())

    answer = handle(ASKED, context_of("request-1"))

    assert answer["ok"]
    assert answer["request_id"] == "request-of-the-large-one"
    assert full_elsewhere.events == [ASKED]
    assert full_elsewhere.paths == ["/2015-03-31/functions/portico-test-predict/invocations"]
    line = _lines(capsys)[-1]
    assert (line["event"], line["handed_over"], line["reason"]) == ("predict", True, "no_tables")


def test_model_without_tables_is_remembered_so_that_nothing_is_fetched_again(large, monkeypatch):
    publish(penguin_model())
    asked = {**ASKED, "version": 1}
    handle(asked, context_of("request-1"))
    monkeypatch.setattr(bucket, "read", lambda *given, **more: pytest.fail("It was fetched again."))

    assert handle(asked, context_of("request-2"))["by"] == "the large one"
    assert len(large.events) == 2


def test_version_made_live_after_one_without_tables_is_answered_by_the_small_one(large, clock):
    publish(penguin_model(), slug="swapped")
    handle({**ASKED, "model": "swapped"}, context_of("request-1"))
    golden = publish_compiled(penguin_model(estimator=LogisticRegression()), slug="other")
    clock.now += 10

    answer = handle({**ASKED, "model": "other", "row": golden["row"]}, context_of("request-2"))

    assert answer["request_id"] == "request-2"
    assert len(large.events) == 1


def test_row_that_tables_do_not_answer_is_handed_over(full_elsewhere, capsys):
    golden = publish_compiled(penguin_model(estimator=forest()))
    row = {**golden["row"], "bill_length_mm": 1e300}  # beyond float32, which trees compare

    answer = handle({**ASKED, "row": row}, context_of("request-1"))

    assert full_elsewhere.events == [{**ASKED, "row": row}]
    assert answer["error"]["code"] == "prediction_failed"
    assert _lines(capsys)[-1]["reason"] == "row"


@pytest.mark.parametrize("operation", ["describe", "replay", "answer_rows", "batch.part", "unheard-of"])
def test_operation_beyond_predict_is_handed_over_without_a_look_at_it(large, operation, capsys):
    asked = {"operation": operation, "model": "penguins"}

    assert handle(asked, context_of("request-1")) == {"ok": True, "by": "the large one"}

    assert large.events == [asked]
    assert _lines(capsys)[-1]["reason"] == "operation"


def test_call_about_batches_is_handed_over(large):
    asked = event("rest_single_prediction", path="/penguins/batchPrediction", body="{}")
    large.answer = lambda event: {"statusCode": 202, "headers": {}, "body": "{}"}

    assert handle(asked, context_of("request-1"))["statusCode"] == 202
    assert large.events == [asked]


def test_call_for_a_model_without_tables_gets_the_large_ones_answer_unchanged(full_elsewhere):
    publish(penguin_model())

    by_small = _call("penguins", ROW)

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PORTICO_LARGE_FUNCTION")
        assert by_small == _call("penguins", ROW)
    assert by_small["statusCode"] == 200
    assert by_small["headers"]["X-Model-Version"] == "penguins/1"


def test_call_without_a_model_asks_the_large_one_where_there_is_a_drop_in_model(large, capsys):
    bucket.write(keys.DROP_IN_KEY, dump(array_model([0, 1])), content_type="application/octet-stream")
    large.answer = lambda event: {"statusCode": 200, "headers": {}, "body": "{}"}

    assert _call("", {"x0": 1})["statusCode"] == 200

    assert len(large.events) == 1
    assert _lines(capsys)[-1]["reason"] == "drop_in"


def test_call_without_a_model_is_answered_by_the_small_one_where_the_default_is_compiled(large, monkeypatch):
    monkeypatch.setenv("PORTICO_DEFAULT_MODEL", "penguins")
    golden = publish_compiled(penguin_model(estimator=LogisticRegression()))

    reply = _call("", golden["row"])

    assert (reply["statusCode"], reply["headers"]["X-Model-Version"]) == (200, "penguins/1")
    assert large.events == []


@pytest.mark.parametrize(("status", "says"), [(429, "busy"), (503, "does not answer"), (500, "does not answer")])
def test_large_one_that_is_away_is_a_503_with_a_sentence(large, status, says):
    publish(penguin_model())
    large.outcomes = [(status, {}, {"message": "secret"})] * 9

    reply = _call("penguins", ROW)

    assert (reply["statusCode"], reply["headers"]["Retry-After"]) == (503, api_calls.AWAY_SECONDS)
    assert says in json.loads(reply["body"])["message"]
    assert len(large.events) == (3 if status == 429 else 1)


def test_large_one_that_is_away_is_a_fault_with_its_code_to_a_direct_invoke(large):
    publish(penguin_model())
    large.outcomes = [(429, {}, {})] * 9

    assert handle(ASKED, context_of("request-1"))["error"]["code"] == "away"


def test_call_that_is_handed_over_is_kept_once(full_elsewhere, kept):
    publish(penguin_model())

    assert _call("penguins", ROW)["statusCode"] == 200

    assert [line["status"] for line in kept()] == [200]


def test_call_that_the_large_one_may_have_kept_is_not_kept_by_the_small_one(large, kept):
    publish(penguin_model())
    large.answer = lambda event: {"statusCode": 200, "headers": {}, "body": "{}"}

    _call("penguins", ROW)

    assert kept() == []


@pytest.mark.parametrize(("outcome", "status", "code"), [((429, {}, {}), 503, "away"), ((403, {}, {}), 500, "bug")])
def test_call_that_the_large_one_does_not_answer_is_kept_by_the_small_one(large, kept, outcome, status, code):
    manifest = publish(penguin_model())
    large.outcomes = [outcome] * 9

    reply = _call("penguins", ROW)

    (line,) = kept()
    assert (line["status"], line["error"]["code"], line["call"]) == (status, code, "singlePrediction")
    assert (line["sha256"], line["inputs"]) == (manifest["sha256"], ROW)
    assert reply["headers"]["X-Model-Version"] == "penguins/1"


def test_large_one_that_is_away_is_told_in_the_form_that_is_accepted(large):
    publish(penguin_model())
    large.outcomes = [(503, {}, {})]
    asked = event("rest_single_prediction", path="/penguins/singlePrediction", body=json.dumps(ROW))

    reply = handle({**asked, "headers": {"Accept": api_calls.FULL_ANSWER}}, context_of("request-1"))

    assert (reply["statusCode"], reply["headers"]["Content-Type"]) == (503, api_calls.FULL_ANSWER)
    assert json.loads(reply["body"])["error"]["code"] == "away"
    assert reply["headers"]["Retry-After"] == api_calls.AWAY_SECONDS


def test_large_one_that_is_throttled_for_a_moment_answers(large):
    publish(penguin_model())
    large.outcomes = [(429, {}, {}), (429, {}, {})]

    assert handle(ASKED, context_of("request-1"))["by"] == "the large one"


def test_large_one_that_cannot_be_reached_is_away(large, monkeypatch):
    publish(penguin_model())
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")

    assert handle(ASKED, context_of("request-1"))["error"]["code"] == "away"


CRASHES: list[Outcome] = [
    (200, {"X-Amz-Function-Error": "Unhandled"}, {"errorType": "KeyError", "errorMessage": "39.1"}),
    (200, {}, b"<html>"),
    (403, {"X-Amzn-ErrorType": "AccessDeniedException"}, {}),
]


@pytest.mark.parametrize("outcome", CRASHES)
def test_large_one_that_fails_is_our_bug_to_api_callers(large, outcome, capsys):
    publish(penguin_model())
    large.outcomes = [outcome]

    reply = _call("penguins", ROW)

    assert reply["statusCode"] == 500
    assert f"the reference is {reply['headers']['X-Request-Id']}" in json.loads(reply["body"])["message"]
    lines = _lines(capsys)
    assert lines[-2]["event"] == "large_function_failed"
    assert lines[-1]["error"] == "bug"
    assert "39.1" not in str(lines)


def test_large_one_that_fails_fails_a_direct_invoke_with_its_own_words(large):
    publish(penguin_model())
    said = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 900.00 seconds"}
    large.outcomes = [(200, {"X-Amz-Function-Error": "Unhandled"}, said)]

    with pytest.raises(LargeFailed, match="timed out after 900.00 seconds"):
        handle(ASKED, context_of("request-1"))


def test_large_one_that_takes_longer_than_is_left_fails_as_a_timeout(large, monkeypatch):
    publish(penguin_model())
    waits = threading.Event()
    large.answer = lambda event: waits.wait(5)
    monkeypatch.setattr(handing_over, "_seconds_left", lambda context: 0.05)

    with pytest.raises(LargeFailed, match="timed out"):
        handle(ASKED, context_of("request-1"))
    waits.set()


def test_event_too_large_to_be_passed_on_is_a_bad_request(large):
    publish(penguin_model())
    large.outcomes = [(413, {"X-Amzn-ErrorType": "RequestTooLargeException"}, {})]

    assert handle(ASKED, context_of("request-1"))["error"]["code"] == "bad_request"


def test_seconds_left_are_those_of_the_invocation_less_one():
    assert handing_over._seconds_left(context_of("request-1")) == 29.0
    assert handing_over._seconds_left(None) == 150.0


def test_models_in_the_small_one_count_as_large_as_their_tables_are(large, store):
    golden = publish_compiled(penguin_model(estimator=LogisticRegression()))
    publish(penguin_model(), slug="full")
    for slug in ("penguins", "full"):
        handle({**ASKED, "model": slug, "row": golden["row"]}, context_of("request-1"))

    compiled, full = (store.get(slug)[0] for slug in ("penguins", "full"))

    assert compiled.size_bytes == 6 * compiled.manifest["compiled"]["size_bytes"] > 0
    assert full.size_bytes == 0


def test_hand_over_imports_neither_boto3_nor_scikit_learn(large, tmp_path):
    publish(penguin_model())
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); from predictor.handler import handle; "
        "answer = handle(json.loads(sys.argv[2]), None); print(); "
        "print(json.dumps([answer, sorted({'boto3', 'botocore', 'numpy', 'sklearn'} & set(sys.modules))]))"
    )
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}

    done = subprocess.run(  # our own interpreter and program
        [sys.executable, "-c", program, str(api_calls.__file__.rpartition("/predictor/")[0]), json.dumps(ASKED)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout.splitlines()[-1]) == [{"ok": True, "by": "the large one"}, []]


def test_function_without_the_variable_answers_everything_itself():
    publish(penguin_model())

    assert handle(ASKED, context_of("request-1"))["ok"]
    assert handle({**ASKED, "operation": "describe"}, context_of("request-1"))["ok"]
