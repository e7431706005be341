"""Lambda's runtime API for one process: the events that it is given, what it posts in answer, and when.

An extension inside that process is told of each event as well, and the next one waits until it has asked for it.
Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", "Using the Lambda Extensions API
to create extensions"
"""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_ANSWERS_WITHIN_S = 120
_REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
_EXTENSION = "/2020-01-01/extension/"


@dataclass(frozen=True, slots=True)
class Call:
    """One event and its answer, by time.perf_counter().

    asked_at: when the process asked for it; given_at: when it had been given; seen: what Api.seen said at the answer
    """

    body: Any
    asked_at: float
    given_at: float
    answered_at: float
    seen: Any

    @property
    def seconds(self) -> float:
        return self.answered_at - self.given_at


@dataclass(slots=True)
class Api:
    """address: for AWS_LAMBDA_RUNTIME_API; seen: asked while the process still waits for its answer to be taken

    has_extension: whether an extension has registered; is_idle: whether it has asked for its next event
    """

    address: str = ""
    seen: Callable[[], Any] = field(default=lambda: None)
    has_extension: bool = False
    is_idle: threading.Event = field(default_factory=threading.Event)
    _events: "queue.Queue[bytes]" = field(default_factory=queue.Queue)
    _posted: "queue.Queue[tuple[str, bytes, Call]]" = field(default_factory=queue.Queue)
    _invokes: "queue.Queue[bytes]" = field(default_factory=queue.Queue)
    _asked_at: float = 0.0
    _given_at: float = 0.0

    def answer(self, event: Any) -> Call:
        """The call of one event. Raises: RuntimeError: the process posted an error, or nothing in time."""
        self._events.put(json.dumps(event).encode())
        try:
            kind, body, call = self._posted.get(timeout=_ANSWERS_WITHIN_S)
        except queue.Empty:
            raise RuntimeError("The function did not answer.") from None
        if kind != "response":
            raise RuntimeError(f"The function failed ({kind}): {body.decode()[:2000]}")
        return replace(call, body=json.loads(body))

    def next(self) -> bytes:
        """The next event, once there is one."""
        self._asked_at = time.perf_counter()
        event = self._events.get()
        if self.has_extension:
            # An invocation begins once the last one is over for both.
            self.is_idle.wait(_ANSWERS_WITHIN_S)
            self.is_idle.clear()
            self._invokes.put(b'{"eventType": "INVOKE"}')
        self._given_at = time.perf_counter()
        return event

    def next_invoke(self) -> bytes:
        """The extension's next event, once there is one."""
        self.is_idle.set()
        return self._invokes.get()

    def take(self, kind: str, body: bytes) -> None:
        """What the process posted: a "response", or an error."""
        answered_at = time.perf_counter()
        # Before the process is told that it was taken: then it asks for the next event.
        self._posted.put((kind, body, Call(None, self._asked_at, self._given_at, answered_at, self.seen())))


@contextlib.contextmanager
def serving() -> Iterator[Api]:
    """An API on a port of its own. Who waits for an event at the end waits in vain."""
    api = Api()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(api))
    server.daemon_threads = True
    server.block_on_close = False
    api.address = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def _handler_of(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer in one packet: a body that comes after its header waits for an acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def handle(self) -> None:
            # A process that is ended resets its connection.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def do_GET(self) -> None:
            self._reply(200, api.next_invoke() if self.path == f"{_EXTENSION}event/next" else api.next())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == f"{_EXTENSION}register":
                api.has_extension = True
                self._reply(200, b"{}")
                return
            api.take(self.path.rsplit("/", 1)[-1], body)
            self._reply(202, b"")

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Lambda-Extension-Identifier", _REQUEST_ID)
            self.send_header("Lambda-Runtime-Aws-Request-Id", _REQUEST_ID)
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:x")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
