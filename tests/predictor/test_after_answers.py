"""A function under AWS's own runtime client, whose sandbox is frozen, ended and killed: what is in the bucket then."""

import contextlib
import functools
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks import runtime_api
from benchmarks.image_folders import CODE, install_runtime
from predictor import bucket
from predictor.capture_buffer import FLUSH_S
from tests.predictor.factories import event, penguin_model, publish_compiled, verified

_WITHIN_S = 60


class S3:
    """The emulator's, with somebody in between. `status`: what captures get instead; `gate`: they wait for it."""

    def __init__(self) -> None:
        self.address, self.status = "", 200
        self.gate, self.is_asked = threading.Event(), threading.Event()
        self.gate.set()

    def may_pass(self) -> bool:
        self.is_asked.set()
        return self.gate.wait(_WITHIN_S) and self.status == 200


@pytest.fixture
def s3(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    between = S3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "PUT" and not between.may_pass():
                self._reply(between.status, b"", {})
                return
            with contextlib.closing(http.client.HTTPConnection(emulator.removeprefix("http://"))) as connection:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                self._reply(answer.status, answer.read(), dict(answer.headers))

        do_GET = do_HEAD = do_PUT = do_POST = forward

        def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            # A process that is killed resets its connection.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    between.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield between
    between.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Function:
    """The small function's process, and the API that its runtime client asks."""

    def __init__(self, api: runtime_api.Api, process: "subprocess.Popen[str]", row: dict[str, Any]) -> None:
        self.api, self.process, self.row = api, process, row

    def call(self, request_id: str) -> int:
        """The status of the answer to a call that is kept."""
        asked = event("rest_single_prediction", path="/penguins/singlePrediction", body=json.dumps(self.row))
        asked["requestContext"] = asked["requestContext"] | {"requestId": request_id}
        return int(self.api.answer(asked).body["statusCode"])

    def wait_until_over(self) -> None:
        """Until the extension has asked for its next event: the sandbox would be frozen now."""
        assert self.api.is_idle.wait(_WITHIN_S)

    def end(self, by: signal.Signals) -> int:
        self.process.send_signal(by)
        return self.process.wait(_WITHIN_S)


@functools.cache
def _checked() -> tuple[Any, dict[str, Any]]:
    model = penguin_model(estimator=LogisticRegression())
    return model, verified(model)


@pytest.fixture
def row() -> dict[str, Any]:
    model, answer = _checked()
    return dict(publish_compiled(model, checked=answer)["row"])


@pytest.fixture
def settings() -> dict[str, str]:
    """More of the process's environment."""
    return {}


@pytest.fixture
def function(s3: S3, row: dict[str, Any], settings: dict[str, str]) -> Iterator[Function]:
    inherited = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = {
        **inherited,
        "PYTHONPATH": os.pathsep.join((str(CODE), str(install_runtime()))),
        "AWS_ENDPOINT_URL": s3.address,
        "AWS_LAMBDA_FUNCTION_NAME": "small",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "PORTICO_LARGE_FUNCTION": "large",
        **settings,
    }
    with runtime_api.serving() as api:
        command = [sys.executable, "-m", "awslambdaric", "predictor.handler.handle"]
        with subprocess.Popen(  # our own interpreter
            command,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": api.address},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Function(api, process, row)
            process.kill()


def _captured() -> list[str]:
    """The ids of all lines, in the order of their objects."""
    found = bucket.client().list_objects_v2(Bucket=bucket.name(), Prefix="captures/").get("Contents", [])
    lines = [line for entry in found for line in bucket.read(entry["Key"], limit_bytes=10**6).body.splitlines()]
    return [json.loads(line)["id"] for line in lines]


def _wait_for(count: int) -> list[str]:
    ends = time.monotonic() + _WITHIN_S
    while len(found := _captured()) < count and time.monotonic() < ends:
        time.sleep(0.05)
    return found


def test_answer_is_out_before_the_call_is_written(function, s3):
    s3.gate.clear()

    assert function.call("call-1") == 200

    assert s3.is_asked.wait(_WITHIN_S)
    assert not function.api.is_idle.is_set()
    assert _captured() == []
    s3.gate.set()
    function.wait_until_over()
    assert _captured() == ["call-1"]


def test_calls_close_together_wait_for_the_next_object_and_sigterm_writes_them(function):
    for name in ("call-1", "call-2", "call-3"):
        assert function.call(name) == 200
        function.wait_until_over()
    assert _captured() == ["call-1"]

    assert function.end(signal.SIGTERM) == 128 + signal.SIGTERM

    assert _captured() == ["call-1", "call-2", "call-3"]


def test_killed_sandbox_loses_only_what_came_after_its_last_object(function):
    function.call("call-1")
    function.wait_until_over()
    function.call("call-2")

    function.end(signal.SIGKILL)

    assert _captured() == ["call-1"]


def test_frozen_sandbox_writes_with_its_next_call_what_was_waiting(function):
    function.call("call-1")
    function.wait_until_over()
    function.call("call-2")
    function.wait_until_over()
    function.process.send_signal(signal.SIGSTOP)
    time.sleep(FLUSH_S)
    function.process.send_signal(signal.SIGCONT)

    function.call("call-3")

    function.wait_until_over()
    assert _captured() == ["call-1", "call-2", "call-3"]


def test_object_that_s3_refused_is_written_again_under_another_key(function, s3):
    s3.status = 503
    function.call("call-1")
    function.wait_until_over()
    function.call("call-2")
    function.wait_until_over()
    assert _captured() == []
    s3.status = 200

    function.end(signal.SIGTERM)

    assert _captured() == ["call-1", "call-2"]


def test_what_cannot_be_written_at_the_end_is_told_by_the_log(function, s3):
    s3.status = 403
    function.call("call-1")
    function.wait_until_over()

    function.end(signal.SIGTERM)

    lost = json.loads(function.process.stdout.read().splitlines()[-1])
    assert lost == {"event": "captures_lost", "count": 1, "reason": "S3 answered 403"}


@pytest.mark.parametrize("asked", [{"operation": "describe", "model": "penguins"}, []])
def test_invocation_that_fails_holds_up_no_other(function, asked):
    with contextlib.suppress(RuntimeError):
        function.api.answer(asked)
    function.wait_until_over()

    assert function.call("call-1") == 200

    function.wait_until_over()
    assert _captured() == ["call-1"]


def test_invocation_of_any_kind_lets_the_next_one_begin(function):
    asked = {"model": "penguins", "version": 1, "row": function.row}
    events = [
        {"operation": "predict", **asked},
        {"operation": "predict", **asked, "row": None},
        {"operation": "predict", **asked},
        {"nothing": "known"},
    ]

    for each in events:
        function.api.answer(each)
        function.wait_until_over()

    assert function.call("after-all") == 200


class TestWithoutExtensions:
    """As with AWS's emulator of the runtime, and on MiniStack."""

    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"AWS_SAM_LOCAL": "true"}

    def test_thread_writes_what_was_answered(self, function):
        assert function.call("call-1") == 200

        assert _wait_for(1) == ["call-1"]
        assert not function.api.has_extension

    def test_sigterm_writes_what_waits(self, function):
        function.call("call-1")
        _wait_for(1)
        function.call("call-2")

        function.end(signal.SIGTERM)

        assert _captured() == ["call-1", "call-2"]


class TestVerify:
    """The function that has no key."""

    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return {"PORTICO_MANIFEST_KEY": ""}

    def test_function_without_a_key_registers_no_extension(self, function):
        assert function.call("call-1") == 500

        assert not function.api.has_extension
        assert function.end(signal.SIGTERM) == -signal.SIGTERM
