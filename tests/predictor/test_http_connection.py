"""HTTP as services answer it, and as they should not."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from predictor.http_connection import BadAnswer, HTTPConnection, TooLong

Serve = Callable[..., HTTPConnection]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """What makes a connection to a server that answers each request with the next of the given bytes, then closes."""
    listening = socket.create_server(("127.0.0.1", 0))
    opened: list[HTTPConnection] = []

    def answer(answers: tuple[bytes, ...]) -> None:
        accepted, _ = listening.accept()
        # Who refuses an answer does not read it to its end.
        with accepted, contextlib.suppress(ConnectionError):
            for one in answers:
                accepted.recv(65536)
                # Byte by byte in the head, as a network may cut it.
                for place in range(0, len(one), 7):
                    accepted.sendall(one[place : place + 7])

    def start(*answers: bytes) -> HTTPConnection:
        threading.Thread(target=answer, args=(answers,), daemon=True).start()
        opened.append(HTTPConnection(f"127.0.0.1:{listening.getsockname()[1]}", is_tls=False, timeout_s=5))
        return opened[-1]

    yield start
    for connection in opened:
        connection.close()
    listening.close()


def ask(connection: HTTPConnection, method: str = "GET", **more: int) -> tuple[int, bytes]:
    answer = connection.ask(method, "/a", headers={"host": "x"}, **more)
    return answer.status, answer.body


def test_answers_come_one_after_another_over_one_connection(serve):
    connection = serve(
        b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: "e"\r\n\r\nabc', b"HTTP/1.1 404 \r\ncontent-length:0\r\n\r\n"
    )

    first = connection.ask("GET", "/a", headers={"host": "x"})
    inherited = connection.sock

    assert (first.status, first.body, first.headers["etag"]) == (200, b"abc", '"e"')
    assert ask(connection) == (404, b"")
    assert connection.sock is inherited


def test_chunks_are_put_together(serve):
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\nabcd\r\nA\r\n0123456789\r\n0\r\nEnd: 1\r\n\r\n"
    )
    connection = serve(chunked, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz")

    assert ask(connection) == (200, b"abcd0123456789")
    assert ask(connection) == (200, b"z")


def test_body_without_a_length_ends_with_the_connection(serve):
    connection = serve(b"HTTP/1.0 200 OK\r\n\r\nabc")

    assert ask(connection) == (200, b"abc")
    assert connection.sock is None


def test_connection_that_the_server_closes_is_opened_anew(serve):
    connection = serve(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na")

    assert ask(connection) == (200, b"a")
    assert connection.sock is None


def test_answer_that_is_announced_is_waited_for(serve):
    connection = serve(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")

    assert ask(connection) == (200, b"a")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
def test_answer_that_has_no_body_is_read_to_its_head(serve, method, status):
    connection = serve(
        b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )

    assert ask(connection, method) == (status, b"")
    assert ask(connection) == (200, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n continued: 1\r\n\r\n",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000,
    ],
)
def test_answer_that_is_none_is_told_and_the_connection_closed(serve, answer):
    connection = serve(answer)

    with pytest.raises(BadAnswer):
        ask(connection)

    assert connection.sock is None


@pytest.mark.parametrize(
    "head", [b"Content-Length: 9\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n9\r\n", b"\r\n123456789"]
)
def test_body_over_the_limit_is_not_read(serve, head):
    connection = serve(b"HTTP/1.1 200 OK\r\n" + head)

    with pytest.raises(TooLong):
        ask(connection, limit_bytes=8)

    assert connection.sock is None


def test_header_that_would_become_two_is_refused():
    connection = HTTPConnection("127.0.0.1:9", is_tls=False, timeout_s=1)
    connection.sock = socket.socket()

    with pytest.raises(ValueError, match="line break"):
        connection.ask("GET", "/", headers={"x": "a\r\nb: c"})
