"""A signed request to AWS by the standard library: importing boto3 takes half a second and 40 MB, at every cold start.

It serves a process that has not imported boto3 for anything else, with the credentials that Lambda puts into the
environment. Whatever needs more (a profile, a proxy) goes through boto3.
Source: AWS Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import contextlib
import hashlib
import hmac
import os
import select
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

_NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# With one of these set, somebody expects more of the client.
_BEYOND = ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
_CONNECT_S = 3.0


class NotConnected(OSError):
    """There was no connection, so that nothing of the request has arrived."""


def is_enough() -> bool:
    """Whether this process can do without boto3, as far as it goes."""
    return (
        "boto3" not in sys.modules
        and all(os.environ.get(name) for name in _NEEDED)
        and bool(region())
        and not any(os.environ.get(name) for name in _BEYOND)
    )


def region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


def endpoint(service: str) -> str:
    """Where a service answers, as the AWS SDKs find it out."""
    named = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    domain = "amazonaws.com.cn" if region().startswith("cn-") else "amazonaws.com"
    return named or f"https://{service}.{region()}.{domain}"


class Connection:
    """One connection to one service, kept open between requests. Threads take turns."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._lock = threading.Lock()
        self._open: HTTPConnection | None = None
        self._endpoint = ""

    @contextlib.contextmanager
    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] = {},
        timeout_s: float = _CONNECT_S,
    ) -> "Iterator[HTTPResponse]":
        """The answer to one signed request, whatever its status, to be read to its end.

        Args:   path: quoted; timeout_s: how long the service may be silent
        Raises: NotConnected; TimeoutError: it was silent for longer; OSError: the connection broke
        """
        import http.client

        with self._lock:
            try:
                yield self._send(method, path, body=body, headers=headers, timeout_s=timeout_s)
            except http.client.HTTPException as problem:
                self._drop()
                raise OSError(f"{type(problem).__name__} {problem}") from problem
            except BaseException:
                # What is left of the answer would be taken for the next one.
                self._drop()
                raise

    def connect(self) -> None:
        """Have a connection before the first request. Raises: NotConnected"""
        with self._lock:
            self._connect(endpoint(self.service))

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _send(
        self, method: str, path: str, *, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> "HTTPResponse":
        address = endpoint(self.service)
        host = urlsplit(address).netloc
        connection = self._connect(address)
        connection.sock.settimeout(timeout_s)
        signed = sign(
            method,
            path,
            service=self.service,
            host=host,
            region=region(),
            at=time.gmtime(),
            environment=os.environ,
            body=body,
            headers=headers,
        )
        connection.request(method, path, body=body or None, headers=signed)
        return connection.getresponse()

    def _connect(self, address: str) -> "HTTPConnection":
        if self._open is not None and (address != self._endpoint or _is_dropped(self._open)):
            self._drop()
        if self._open is None:
            parts = urlsplit(address)
            self._open, self._endpoint = _make(parts.scheme, parts.netloc), address
            try:
                self._open.connect()
            except OSError as problem:
                raise NotConnected(f"No connection to {parts.netloc}: {problem}") from problem
        return self._open

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def sign(
    method: str,
    path: str,
    *,
    service: str,
    host: str,
    region: str,
    at: time.struct_time,
    environment: Mapping[str, str],
    body: bytes = b"",
    headers: Mapping[str, str] = {},
) -> dict[str, str]:
    """All headers of a request without a query, those given among them.

    Args: path: quoted; at: in UTC; environment: where the credentials are
    """
    moment, day = time.strftime("%Y%m%dT%H%M%SZ", at), time.strftime("%Y%m%d", at)
    body_sha256 = hashlib.sha256(body).hexdigest()
    signed = {name.lower(): value for name, value in headers.items()}
    signed |= {"host": host, "x-amz-date": moment}
    if service == "s3":
        signed["x-amz-content-sha256"] = body_sha256
    else:
        # S3 alone signs the path as it is sent.
        path = quote(path)
    with contextlib.suppress(KeyError):
        signed["x-amz-security-token"] = environment["AWS_SESSION_TOKEN"]
    names = ";".join(sorted(signed))
    listed = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = f"{method}\n{path}\n\n{listed}\n{names}\n{body_sha256}"
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environment['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{environment['AWS_ACCESS_KEY_ID']}/{scope}"
    signed["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return signed


def _make(scheme: str, host: str) -> "HTTPConnection":
    import http.client

    if scheme != "https":
        return http.client.HTTPConnection(host, timeout=_CONNECT_S)
    import ssl

    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
    return http.client.HTTPSConnection(host, timeout=_CONNECT_S, context=context)


def _is_dropped(connection: "HTTPConnection") -> bool:
    """Whether the other side has closed it: between two requests there is nothing else to be read.

    A function is frozen between invocations for as long as the service keeps a connection, and longer.
    """
    if connection.sock is None:
        return True
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return bool(waiting.poll(0))
