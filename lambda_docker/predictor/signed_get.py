"""A signed GET from S3 by the standard library: importing boto3 takes half a second and 40 MB, at every cold start.

It serves a process that has not imported boto3 for anything else, with the credentials that Lambda puts into the
environment. Whatever needs more (a profile, a proxy) goes through boto3.
Source: AWS Signature Version 4, https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import contextlib
import hashlib
import hmac
import os
import re
import sys
import threading
import time
from collections.abc import Mapping

from predictor.errors import ObjectMissing, ObjectTooLarge
from predictor.http_connection import HTTPConnection, TooLong

_NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# With one of these set, somebody expects more of the client.
_BEYOND = ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
_PLAIN = re.compile(r"[A-Za-z0-9/._~-]+")
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_CONNECT_S, _TRIES = 3.0, 3
_FIRST_WAIT_S = 0.1


def is_enough() -> bool:
    """Whether this process can do without boto3, as far as it goes."""
    return (
        "boto3" not in sys.modules
        and all(os.environ.get(name) for name in _NEEDED)
        and bool(_region())
        and not any(os.environ.get(name) for name in _BEYOND)
    )


def get(bucket: str, key: str, *, limit_bytes: int) -> tuple[bytes, str]:
    """An object and its ETag.

    Raises: ObjectMissing; ObjectTooLarge: known before the body is read; OSError: S3 is away
    """
    problem: Exception | None = None
    for attempt in range(_TRIES):
        time.sleep(_FIRST_WAIT_S * (2**attempt - 1))
        try:
            with _lock:
                return _connection.get(f"/{bucket}/{key}", limit_bytes=limit_bytes)
        except OSError as caught:
            problem = caught
    raise OSError(f"{key} could not be fetched from S3.") from problem


def connect_ahead() -> None:
    """Open the connection before the first request needs it; where that fails, the request will say so.

    While a function starts, Lambda gives it a whole processor; 128 MB have a fourteenth of one afterwards, where TLS
    alone would take a fifth of a second.
    """
    if is_enough():
        with contextlib.suppress(OSError), _lock:
            _connection.open()


def forget_connection() -> None:
    """For a process that was forked off: two that speak over one connection get each other's answers."""
    with _lock:
        _connection.close()


class _Connection:
    """One connection, kept open: the pointer to the live version is looked at every other second."""

    def __init__(self) -> None:
        self._open: HTTPConnection | None = None
        self._endpoint = ""

    def open(self) -> None:
        connection = self._find()
        if connection.sock is None:
            connection.connect()

    def get(self, path: str, *, limit_bytes: int) -> tuple[bytes, str]:
        connection, path = self._find(), _quote(path)
        headers = sign(host=connection.host, path=path, region=_region(), at=time.gmtime(), environment=os.environ)
        try:
            answer = connection.ask("GET", path, headers=headers, limit_bytes=limit_bytes)
        except TooLong as problem:
            raise ObjectTooLarge(problem.size_bytes) from None
        if answer.status in (403, 404):
            # Without the right to list the bucket, S3 answers 403 for an object that is not there.
            raise ObjectMissing(path)
        if answer.status != 200:
            raise OSError(f"S3 answered {answer.status}.")
        return answer.body, answer.headers.get("etag", "")

    def _find(self) -> HTTPConnection:
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or f"https://s3.{_region()}.amazonaws.com"
        if self._open is None or endpoint != self._endpoint:
            self.close()
            scheme, _, rest = endpoint.partition("://")
            ca_file = os.environ.get("AWS_CA_BUNDLE") or None
            self._open = HTTPConnection(
                rest.partition("/")[0], is_tls=scheme == "https", timeout_s=_CONNECT_S, ca_file=ca_file
            )
            self._endpoint = endpoint
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def _quote(path: str) -> str:
    if _PLAIN.fullmatch(path):
        return path
    # Only here: it imports more than all of this module, and keys of models are plain.
    from urllib.parse import quote

    return quote(path)


def sign(*, host: str, path: str, region: str, at: time.struct_time, environment: Mapping[str, str]) -> dict[str, str]:
    """The headers of a GET. Args: path: quoted; at: in UTC; environment: where the credentials are."""
    moment, day = time.strftime("%Y%m%dT%H%M%SZ", at), time.strftime("%Y%m%d", at)
    headers = {"host": host, "x-amz-content-sha256": _EMPTY_SHA256, "x-amz-date": moment}
    with contextlib.suppress(KeyError):
        headers["x-amz-security-token"] = environment["AWS_SESSION_TOKEN"]
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"GET\n{path}\n\n{listed}\n{names}\n{_EMPTY_SHA256}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environment['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{environment['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return headers


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


_lock = threading.Lock()
_connection = _Connection()
