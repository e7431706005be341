"""The client of the HTTP benchmark, a process of its own: `python -m benchmarks.http_client`.

It reads jobs as lines of JSON and answers each with the seconds that every request took. Requests are bytes that were
made before the clock starts, and connections are kept alive, so that what is measured is the server; `nothing` is a
server that does nothing, and says what the client can get at most.
"""

import asyncio
import contextlib
import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

ROOT = Path(__file__).resolve().parents[1]
_GIVES_UP_S = 60.0
_NOTHING = "nothing"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Job:
    """`requests` requests over `clients` connections to a server, each of `bodies` in turn."""

    port: int
    path: str
    bodies: Sequence[str]
    clients: int
    requests: int


@dataclass(frozen=True, slots=True)
class Measured:
    """seconds: of each request; elapsed_s: of all of them together"""

    seconds: list[float]
    elapsed_s: float


@contextlib.contextmanager
def client() -> Iterator["Client"]:
    """A running client."""
    with _process() as process:
        yield Client(process)


@contextlib.contextmanager
def nothing() -> Iterator[int]:
    """The port of a server, in a process of its own, that answers everything at once with nothing."""
    with _process(_NOTHING) as process:
        try:
            yield int(cast("IO[str]", process.stdout).readline())
        finally:
            process.terminate()


def _process(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  # our own interpreter and our own module
        [sys.executable, "-m", "benchmarks.http_client", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Client:
    """The process, seen from the benchmark."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._wishes, self._answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

    def run(self, job: Job) -> Measured:
        """Raises: RuntimeError: a request was not answered with 200."""
        self._wishes.write(json.dumps(asdict(job)) + "\n")
        self._wishes.flush()
        line = self._answers.readline()
        answered = json.loads(line) if line else {"error": "it ended"}
        if "error" in answered:
            raise RuntimeError(f"The client says: {answered['error']}")
        return Measured(**answered)


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    asked_at: float = 0.0
    # Of the answer that is under way: what has come, and how long it will be, once the header says so.
    came: bytearray = field(default_factory=bytearray)
    size: int | None = None


class _Run:
    def __init__(self, job: Job) -> None:
        self._port, self._left = job.port, job.requests
        self._seconds: list[float] = []
        self._requests = [_write_request(job, body.encode()) for body in job.bodies]
        self._asked = 0

    def run(self, clients: int) -> Measured:
        with selectors.DefaultSelector() as selector, contextlib.ExitStack() as opened:
            connections = [_Connection(opened.enter_context(_connect(self._port))) for _ in range(clients)]
            for connection in connections:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            began = time.perf_counter()
            waiting = sum(self._ask(connection) for connection in connections)
            while waiting:
                ready = selector.select(_GIVES_UP_S)
                if not ready:
                    raise TimeoutError(f"no answer within {_GIVES_UP_S:g} s")
                for key, _ in ready:
                    if self._receive(key.data):
                        waiting -= not self._ask(key.data)
            return Measured(self._seconds, time.perf_counter() - began)

    def _ask(self, connection: _Connection) -> bool:
        """Send the next request, if there is one to be sent."""
        if not self._left:
            return False
        self._left -= 1
        request = self._requests[self._asked % len(self._requests)]
        self._asked += 1
        connection.asked_at = time.perf_counter()
        connection.socket.sendall(request)
        return True

    def _receive(self, connection: _Connection) -> bool:
        """Whether the answer is there. Raises: RuntimeError, ConnectionError."""
        piece = connection.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server hung up")
        connection.came += piece
        if connection.size is None:
            connection.size = _size_of(connection.came)
        if connection.size is None or len(connection.came) < connection.size:
            return False
        self._seconds.append(time.perf_counter() - connection.asked_at)
        if not connection.came.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(bytes(connection.came[:500]).decode("utf-8", "replace"))
        connection.came.clear()
        connection.size = None
        return True


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=_GIVES_UP_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _write_request(job: Job, body: bytes) -> bytes:
    head = f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nContent-Type: application/json\r\n"
    return f"{head}Accept: */*\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _size_of(came: bytearray) -> int | None:
    """How long the answer is with its header, once that has come. Raises: RuntimeError: it does not say."""
    end = came.find(b"\r\n\r\n")
    if end < 0:
        return None
    header = came[:end].lower()
    place = header.find(b"content-length:")
    if place < 0:
        raise RuntimeError("an answer without Content-Length")
    return end + 4 + int(header[place + 15 :].split(b"\r\n", 1)[0])


class _Nothing(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


async def _serve_nothing() -> None:
    server = await asyncio.get_running_loop().create_server(_Nothing, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    for line in sys.stdin:
        job = Job(**json.loads(line))
        try:
            answered = asdict(_Run(job).run(job.clients))
        except (OSError, RuntimeError) as problem:
            answered = {"error": str(problem)}
        print(json.dumps(answered), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == [_NOTHING]:
        asyncio.run(_serve_nothing())
    main()
