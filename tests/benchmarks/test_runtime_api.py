"""The runtime API that a benchmark plays, asked as a runtime asks it."""

import http.client
import queue
import threading

import pytest

from benchmarks import runtime_api

_PATH = "/2018-06-01/runtime/invocation"


def _answer_one(address: str, kind: str, body: str) -> None:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", f"{_PATH}/next")
    event = connection.getresponse()
    request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    event.read()
    connection.request("POST", f"{_PATH}/{request_id}/{kind}", body)
    connection.getresponse().read()
    connection.close()


def test_call_is_timed_from_its_event_to_its_answer() -> None:
    with runtime_api.serving() as api:
        api.seen = lambda: "seen"
        threading.Thread(target=_answer_one, args=(api.address, "response", '{"x": 1}'), daemon=True).start()
        call = api.answer({"row": {}})

    assert (call.body, call.seen) == ({"x": 1}, "seen")
    assert call.asked_at <= call.given_at <= call.answered_at


def test_posted_error_ends_the_benchmark_with_its_text() -> None:
    with runtime_api.serving() as api:
        threading.Thread(target=_answer_one, args=(api.address, "error", '{"errorMessage": "no"}'), daemon=True).start()

        with pytest.raises(RuntimeError, match="no"):
            api.answer({})


def _register(address: str) -> None:
    connection = http.client.HTTPConnection(address)
    connection.request("POST", "/2020-01-01/extension/register", '{"events": ["INVOKE"]}')
    assert connection.getresponse().headers["Lambda-Extension-Identifier"]
    connection.close()


def _ask_for_invoke(address: str, got: "queue.Queue[bytes]") -> None:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", "/2020-01-01/extension/event/next")
    got.put(connection.getresponse().read())
    connection.close()


def test_invocation_begins_once_the_extension_has_asked_for_it_too() -> None:
    got: queue.Queue[bytes] = queue.Queue()
    with runtime_api.serving() as api:
        _register(api.address)
        threading.Thread(target=_answer_one, args=(api.address, "response", "{}"), daemon=True).start()
        asking = threading.Timer(0.2, _ask_for_invoke, args=(api.address, got))
        asking.start()
        call = api.answer({})

    assert got.get(timeout=5) == b'{"eventType": "INVOKE"}'
    assert call.given_at - call.asked_at > 0.1
    assert not api.is_idle.is_set()
