"""Requests without boto3: signed as botocore signs them, over a connection that is known to stand."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from predictor import signed_request
from predictor.signed_request import Connection, NotConnected

AT = datetime(2026, 11, 28, 12, 30, 5, tzinfo=UTC)
REQUESTS = {
    "s3": ("GET", "/a-bucket/models/a%20b/1/manifest.json", b"", {}),
    "lambda": (
        "POST",
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Ap/invocations",
        b'{"operation": "predict"}',
        {"Content-Type": "application/json", "X-Amz-Invocation-Type": "RequestResponse"},
    ),
    "kms": ("POST", "/", b"{}", {"X-Amz-Target": "TrentService.VerifyMac"}),
}


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize("service", REQUESTS)
def test_signature_is_the_one_that_botocore_makes(monkeypatch, service, token):
    environment = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret/+="}
    if token:
        environment["AWS_SESSION_TOKEN"] = token
    method, path, body, headers = REQUESTS[service]
    host = f"{service}.eu-west-1.amazonaws.com"

    ours = signed_request.sign(
        method,
        path,
        service=service,
        host=host,
        region="eu-west-1",
        at=AT.timetuple(),
        environment=environment,
        body=body,
        headers=headers,
    )

    request = AWSRequest(method, f"https://{host}{path}", data=body, headers=headers)
    make = S3SigV4Auth if service == "s3" else SigV4Auth
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: AT.replace(tzinfo=None))
    make(Credentials("AKID", "secret/+=", token or None), service, "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AWS_REGION": "eu-west-1"}, "https://lambda.eu-west-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://lambda.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://a"}, "http://a"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_LAMBDA": "http://b"}, "http://b"),
    ],
)
def test_endpoint_is_found_as_the_sdks_find_it(monkeypatch, environment, expected):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert signed_request.endpoint("lambda") == expected


@pytest.mark.parametrize("name", ["AWS_PROFILE", "HTTPS_PROXY"])
def test_what_only_boto3_knows_is_left_to_it(monkeypatch, name):
    monkeypatch.delitem(sys.modules, "boto3", raising=False)
    assert signed_request.is_enough()

    monkeypatch.setenv(name, "something")

    assert not signed_request.is_enough()


class _Answering(BaseHTTPRequestHandler):
    """Says which connection a request came by; what is asked for as /silent gets no answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/silent":
            self.server.silence.wait(5)  # type: ignore[attr-defined]
            return
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/last":
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    served.silence = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{served.server_port}")
    yield served
    served.silence.set()  # type: ignore[attr-defined]
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def connection(server: ThreadingHTTPServer) -> Iterator[Connection]:
    made = Connection("lambda")
    yield made
    made.close()


def _get(connection: Connection, path: str = "/", **more: float) -> bytes:
    return connection.ask("GET", path, **more).body


def test_connection_is_kept_between_requests(connection):
    assert _get(connection) == _get(connection)


def test_connection_that_the_other_side_closed_meanwhile_is_made_anew(connection):
    first = _get(connection, "/last")
    waiting = connection._open.sock
    if waiting is not None:
        waiting.settimeout(5)
        assert waiting.recv(1, socket.MSG_PEEK) == b""

    assert _get(connection) != first


def test_silence_is_a_timeout(connection):
    with pytest.raises(TimeoutError):
        _get(connection, "/silent", timeout_s=0.05)


def test_address_where_nobody_listens_is_told_from_a_broken_connection(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(NotConnected):
        _get(Connection("lambda"))


def test_service_changes_its_address_and_is_asked_there(connection, monkeypatch):
    _get(connection)
    monkeypatch.setenv("AWS_ENDPOINT_URL", os.environ["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost"))

    assert _get(connection).isdigit()
    assert connection._endpoint.startswith("http://localhost")
