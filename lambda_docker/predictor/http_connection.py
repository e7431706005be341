"""HTTP/1.1 over one connection that is kept open: as much of it as AWS's services and their emulators speak.

http.client imports `email` and `ssl`, for 15 ms of every cold start and 3 MB, whether there is TLS or not.
Source: RFC 9112
"""

import os
import re
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_HEAD_MAX_BYTES = 64 * 1024
_COMPLAINT_MAX_BYTES = 1024 * 1024
_READ_BYTES = 64 * 1024


class BadAnswer(OSError):
    """What came is not HTTP/1.1, or ended before it should."""


class Answer(NamedTuple):
    """headers: by their names in small letters"""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HTTPConnection:
    """One connection to `host` ("name" or "name:port"); opened by the first request, and anew after close()."""

    def __init__(self, host: str, *, is_tls: bool, timeout_s: float, ca_file: str | None = None) -> None:
        self.host, self._is_tls, self._timeout_s, self._ca_file = host, is_tls, timeout_s, ca_file
        self.sock: socket.socket | None = None
        # What has come and was not read yet.
        self._rest = b""

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes = b"", limit_bytes: int | None = None
    ) -> Answer:
        """The answer, whatever its status. After an exception the connection is closed.

        Args:   path: quoted; headers: "host" among them; limit_bytes: of the body of an answer below 300
        Raises: BadAnswer; TooLong: the body is over the limit, and was not read; OSError: the connection broke
        """
        try:
            if self.sock is None:
                self.connect()
            self._send(method, path, headers=headers, body=body)
            return self._read(method, limit_bytes)
        except BaseException:
            # What is left of the answer would be taken for the next one.
            self.close()
            raise

    def connect(self) -> None:
        name, _, port = self.host.rpartition(":") if _has_port(self.host) else (self.host, "", "")
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
        self.sock, self._rest = None, b""

    def _send(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> None:
        sent = {**headers, "content-length": str(len(body))} if body else headers
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        head = "\r\n".join([*lines, "", ""])
        if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1:
            raise ValueError("A header may hold no line break.")
        self._socket.sendall(head.encode("latin-1") + body)

    def _read(self, method: str, limit_bytes: int | None) -> Answer:
        status, headers = self._read_head()
        while 100 <= status < 200:
            status, headers = self._read_head()
        if status >= 300:
            limit_bytes = _COMPLAINT_MAX_BYTES
        is_last = headers.get("connection", "").lower() == "close"
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._read_chunks(limit_bytes)
        elif "content-length" in headers:
            body = self._read_bytes(_within(_number(headers["content-length"]), limit_bytes))
        else:
            body, is_last = self._read_to_the_end(limit_bytes), True
        if is_last:
            self.close()
        return Answer(status, headers, body)

    def _read_head(self) -> tuple[int, dict[str, str]]:
        while (end := self._rest.find(b"\r\n\r\n")) < 0:
            if len(self._rest) > _HEAD_MAX_BYTES:
                raise BadAnswer("Its head is too long.")
            self._rest += self._receive()
        head, self._rest = self._rest[:end].decode("latin-1"), self._rest[end + 4 :]
        first, *lines = head.split("\r\n")
        version, _, told = first.partition(" ")
        if not version.startswith("HTTP/1.") or not told[:3].isdigit():
            raise BadAnswer("It is not HTTP/1.1.")
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise BadAnswer("One of its headers cannot be read.")
            headers[name.lower()] = value.strip()
        if version == "HTTP/1.0":
            headers.setdefault("connection", "close")
        return int(told[:3]), headers

    def _read_bytes(self, count: int) -> bytes:
        parts, missing = [self._rest[:count]], count - len(self._rest)
        self._rest = self._rest[count:]
        while missing > 0:
            # Never more than is missing: large bodies are not copied again.
            part = self._receive(missing)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _read_chunks(self, limit_bytes: int | None) -> bytes:
        body = b""
        while size := _number(self._read_line().partition(b";")[0].decode("latin-1"), base=16):
            _within(len(body) + size, limit_bytes)
            body += self._read_bytes(size)
            if self._read_line():
                raise BadAnswer("A chunk is longer than it says.")
        while self._read_line():
            pass
        return body

    def _read_line(self) -> bytes:
        while (end := self._rest.find(b"\r\n")) < 0:
            if len(self._rest) > _HEAD_MAX_BYTES:
                raise BadAnswer("One of its lines is too long.")
            self._rest += self._receive()
        line, self._rest = self._rest[:end], self._rest[end + 2 :]
        return line

    def _read_to_the_end(self, limit_bytes: int | None) -> bytes:
        body, self._rest = self._rest, b""
        while True:
            _within(len(body), limit_bytes)
            part = self._socket.recv(_READ_BYTES)
            if not part:
                return body
            body += part

    def _receive(self, at_most: int = _READ_BYTES) -> bytes:
        part = self._socket.recv(min(at_most, 1024 * 1024))
        if not part:
            raise BadAnswer("It ended before it should.")
        return part

    @property
    def _socket(self) -> socket.socket:
        if self.sock is None:
            raise BadAnswer("The connection is closed.")
        return self.sock


class TooLong(Exception):
    """The body has `size_bytes`, or more, and is not read."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes")
        self.size_bytes = size_bytes


def _number(text: str, *, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise BadAnswer("One of its lengths is no number.") from None


def _within(size_bytes: int, limit_bytes: int | None) -> int:
    if size_bytes < 0:
        raise BadAnswer("Its length is negative.")
    if limit_bytes is not None and size_bytes > limit_bytes:
        raise TooLong(size_bytes)
    return size_bytes


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
