"""HTTP/1.1 over one connection that is kept open. httptools reads what comes.

http.client imports `email` and `ssl`, for a sixth of a cold start and 3 MB, whether there is TLS or not.
"""

import os
import re
import select
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

from httptools import HttpParserError, HttpResponseParser

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_HEAD_MAX_BYTES = 64 * 1024
_COMPLAINT_MAX_BYTES = 1024 * 1024
_READ_BYTES = 256 * 1024


class BadAnswer(OSError):
    """What came is not HTTP/1.1, or ended before it should."""


class TooLong(Exception):
    """The body has `size_bytes`, or more, and is not read."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes")
        self.size_bytes = size_bytes


class Answer(NamedTuple):
    """headers: by their names in small letters"""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HTTPConnection:
    """One connection to `host` ("name" or "name:port"); opened by the first request, and anew after close()."""

    def __init__(self, host: str, *, is_tls: bool, timeout_s: float, ca_file: str | None = None) -> None:
        self._host, self._is_tls, self._timeout_s, self._ca_file = host, is_tls, timeout_s, ca_file
        self.sock: socket.socket | None = None

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        limit_bytes: int | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """The answer, whatever its status. After an exception the connection is closed.

        Args:   path: quoted; headers: "host" among them; limit_bytes: of the body of an answer below 300;
                timeout_s: how long the other side may be silent, if not as long as it may take to connect
        Raises: BadAnswer; TooLong: the body is over the limit, and was not read; OSError: the connection broke
        """
        message = _written(method, path, headers, body)
        try:
            if self.sock is None:
                self.connect()
            self._socket.settimeout(timeout_s or self._timeout_s)
            self._socket.sendall(message)
            return self._read(method, limit_bytes)
        except BaseException:
            # What is left of the answer would be taken for the next one.
            self.close()
            raise

    def connect(self) -> None:
        name, _, port = self._host.rpartition(":") if _has_port(self._host) else (self._host, "", "")
        address = (name.strip("[]"), int(port or (443 if self._is_tls else 80)))
        connected = socket.create_connection(address, timeout=self._timeout_s)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = _wrap(connected, address[0], self._ca_file) if self._is_tls else connected
        except BaseException:
            connected.close()
            raise

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
        self.sock = None

    def is_dropped(self) -> bool:
        """Whether the other side has closed it: between two requests there is nothing else to be read.

        A function is frozen between invocations for as long as a service keeps a connection, and longer.
        """
        if self.sock is None:
            return True
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return bool(waiting.poll(0))

    def _read(self, method: str, limit_bytes: int | None) -> Answer:
        coming = _Coming()
        parser = HttpResponseParser(coming)
        while not coming.is_complete:
            part = self._socket.recv(_READ_BYTES)
            if not part and coming.has_head and not coming.is_measured:
                # Without a length a body ends with the connection.
                break
            if not part:
                raise BadAnswer("It ended before it should.")
            try:
                parser.feed_data(part)
            except HttpParserError as problem:
                raise BadAnswer(f"It is not HTTP/1.1: {problem}") from problem
            if not coming.has_head:
                coming.require_short_head(part)
                continue
            status = parser.get_status_code()
            if status < 200:
                # It only says that the answer will come.
                coming.forget()
            elif method == "HEAD" or status in (204, 304):
                return Answer(status, coming.headers, b"")
            else:
                coming.require_within(limit_bytes if status < 300 else _COMPLAINT_MAX_BYTES)
        is_last = parser.get_http_version() == "1.0" or coming.headers.get("connection", "").lower() == "close"
        if is_last or not coming.is_complete:
            self.close()
        return Answer(parser.get_status_code(), coming.headers, b"".join(coming.parts))

    @property
    def _socket(self) -> socket.socket:
        if self.sock is None:
            raise BadAnswer("The connection is closed.")
        return self.sock


class _Coming:
    """An answer on its way; httptools calls what begins with on_."""

    def __init__(self) -> None:
        self.forget()
        self._head_bytes = 0

    def forget(self) -> None:
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self._size_bytes = 0
        self.has_head = self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)
        self._size_bytes += len(body)

    def on_message_complete(self) -> None:
        self.is_complete = True

    @property
    def is_measured(self) -> bool:
        """Whether it says where its body ends."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers

    def require_short_head(self, part: bytes) -> None:
        self._head_bytes += len(part)
        if self._head_bytes > _HEAD_MAX_BYTES:
            raise BadAnswer("Its head is too long.")

    def require_within(self, limit_bytes: int | None) -> None:
        size_bytes = max(self._size_bytes, int(self.headers.get("content-length", 0)))
        if limit_bytes is not None and size_bytes > limit_bytes:
            raise TooLong(size_bytes)


def _written(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    sent = {**headers, "content-length": str(len(body))} if body else headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("A header may hold no line break.")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdigit() and (host.count(":") == 1 or "]:" in host)


def _wrap(connected: socket.socket, name: str, ca_file: str | None) -> Any:
    # Only where there is TLS: it takes as long as everything else here.
    import ssl

    folder = None if ca_file or os.environ.get("SSL_CERT_FILE") else ssl.get_default_verify_paths().capath
    if folder is None or not _is_by_hash(folder):
        return ssl.create_default_context(cafile=ca_file).wrap_socket(connected, server_hostname=name)
    # The same authorities, each read when it is asked for: reading all 144 takes 14 ms and 2 MB.
    return ssl.create_default_context(capath=folder).wrap_socket(connected, server_hostname=name)


def _is_by_hash(folder: str) -> bool:
    """Whether OpenSSL finds certificates in it: by files that are named by their subjects' hashes."""
    return any(_HASHED.fullmatch(name) for name in os.listdir(folder))
