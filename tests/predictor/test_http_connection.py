"""HTTP as services answer it, and as they should not."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

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
    "head", [b"Content-Length: 9\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n9\r\n123456789", b"\r\n123456789"]
)
def test_body_over_the_limit_is_not_read(serve, head):
    connection = serve(b"HTTP/1.1 200 OK\r\n" + head)

    with pytest.raises(TooLong):
        ask(connection, limit_bytes=8)

    assert connection.sock is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this host, signed by itself, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    file = tmp_path_factory.mktemp("tls") / "host.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    made = (openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run([*made, "-keyout", str(file), "-out", f"{file}.crt"], capture_output=True, check=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    named = subprocess.run(
        [openssl, "x509", "-hash", "-noout", "-in", str(file)], capture_output=True, text=True, check=True
    )
    by_hash = file.parent / "by-hash"
    by_hash.mkdir()
    (by_hash / f"{named.stdout.strip()}.0").symlink_to(f"{file}.crt")
    return file


@pytest.fixture
def tls_host(certificate) -> Iterator[str]:
    """A server with that certificate, which answers each connection once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            # One that is refused by the other side is no reason to end; the closed server is.
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                try:
                    accepted, _ = listening.accept()
                except OSError:
                    return
                with context.wrap_socket(accepted, server_side=True) as connected:
                    connected.recv(65536)
                    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")

    threading.Thread(target=answer, daemon=True).start()
    yield f"localhost:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def test_authority_in_a_folder_by_hashes_is_trusted(monkeypatch, certificate, tls_host):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(certificate.parent / "by-hash"))

    with contextlib.closing(HTTPConnection(tls_host, is_tls=True, timeout_s=5)) as connection:
        assert ask(connection) == (200, b"a")


def test_authority_in_the_named_file_is_trusted(certificate, tls_host):
    file = f"{certificate}.crt"

    with contextlib.closing(HTTPConnection(tls_host, is_tls=True, timeout_s=5, ca_file=file)) as connection:
        assert ask(connection) == (200, b"a")


@pytest.mark.parametrize("is_by_hash", [True, False])
def test_host_that_no_authority_vouches_for_is_refused(monkeypatch, tmp_path, tls_host, is_by_hash):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    if is_by_hash:
        (tmp_path / "01234567.0").touch()

    with pytest.raises(ssl.SSLCertVerificationError):
        ask(HTTPConnection(tls_host, is_tls=True, timeout_s=5))


def test_host_of_another_name_is_refused(certificate, tls_host):
    other = tls_host.replace("localhost", "127.0.0.1")

    with pytest.raises(ssl.SSLCertVerificationError):
        ask(HTTPConnection(other, is_tls=True, timeout_s=5, ca_file=f"{certificate}.crt"))


def test_header_that_would_become_two_is_refused():
    connection = HTTPConnection("127.0.0.1:9", is_tls=False, timeout_s=1)

    with pytest.raises(ValueError, match="line break"):
        connection.ask("GET", "/", headers={"x": "a\r\nb: c"})
