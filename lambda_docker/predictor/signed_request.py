"""A signed request to AWS, signed here: importing boto3 takes half a second and 40 MB, at every cold start.

It serves a process that has not imported boto3 for anything else, with the credentials that Lambda puts into the
environment. Whatever needs more (a profile, a proxy) goes through boto3.
Source: AWS Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
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

from predictor.http_connection import Answer, HTTPConnection

_NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# With one of these set, somebody expects more of the client.
_BEYOND = ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
_CONNECT_S = 3.0
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")


class NotConnected(OSError):
    """There was no connection, so that nothing of the request has arrived."""


def is_enough() -> bool:
    """Whether this process can do without boto3, as far as it goes."""
    return "boto3" not in sys.modules and can_reach()


def can_reach() -> bool:
    """Whether the environment has all that a request needs, and nothing that only boto3 knows."""
    return (
        all(os.environ.get(name) for name in _NEEDED)
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

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] = {},
        limit_bytes: int | None = None,
        timeout_s: float = _CONNECT_S,
    ) -> Answer:
        """The answer to one signed request, whatever its status.

        Args:   path: quoted; limit_bytes: of the body of an answer below 300; timeout_s: how long the service may be
                silent
        Raises: NotConnected; TimeoutError: it was silent for longer; TooLong; OSError: the connection broke
        """
        with self._lock:
            connection, host = self._connect(endpoint(self.service))
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
            return connection.ask(method, path, headers=signed, body=body, limit_bytes=limit_bytes, timeout_s=timeout_s)

    def connect(self) -> None:
        """Have a connection before the first request. Raises: NotConnected"""
        with self._lock:
            self._connect(endpoint(self.service))

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    def _connect(self, address: str) -> tuple[HTTPConnection, str]:
        """The connection, which is there, and its host."""
        scheme, _, rest = address.partition("://")
        host = rest.partition("/")[0]
        if self._open is None or address != self._endpoint:
            if self._open is not None:
                self._open.close()
            ca_file = os.environ.get("AWS_CA_BUNDLE") or None
            self._open = HTTPConnection(host, is_tls=scheme == "https", timeout_s=_CONNECT_S, ca_file=ca_file)
            self._endpoint = address
        if self._open.is_dropped():
            self._open.close()
            try:
                self._open.connect()
            except OSError as problem:
                raise NotConnected(f"No connection to {host}: {problem}") from problem
        return self._open, host


def quote(path: str) -> str:
    """A path as a URL has it."""
    if _PLAIN.fullmatch(path):
        return path
    # Only here: it takes longer to import than this module, and keys of models are plain.
    from urllib import parse

    return parse.quote(path)


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
