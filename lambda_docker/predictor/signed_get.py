"""Objects of S3 by signed requests of the standard library: what a compiled model's cold start waits for."""

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from predictor.errors import ObjectMissing, ObjectTooLarge
from predictor.signed_request import Connection, is_enough

if TYPE_CHECKING:
    from http.client import HTTPResponse

_TRIES, _FIRST_WAIT_S = 3, 0.1

_Read = TypeVar("_Read")


def get(bucket: str, key: str, *, limit_bytes: int) -> tuple[bytes, str]:
    """An object and its ETag.

    Raises: ObjectMissing; ObjectTooLarge: known before the body is read; OSError: S3 is away
    """

    def read(response: "HTTPResponse") -> tuple[bytes, str]:
        size_bytes = _size_bytes(response)
        if size_bytes > limit_bytes:
            raise ObjectTooLarge(size_bytes)
        return response.read(), response.headers.get("ETag", "")

    return _ask("GET", bucket, key, read)


def head(bucket: str, key: str) -> tuple[str, int]:
    """An object's ETag and size. Raises: ObjectMissing; OSError: S3 is away."""

    def read(response: "HTTPResponse") -> tuple[str, int]:
        response.read()
        return response.headers.get("ETag", ""), _size_bytes(response)

    return _ask("HEAD", bucket, key, read)


def connect_ahead() -> None:
    """Open the connection before the first request needs it; where that fails, the request will say so.

    While a function starts, Lambda gives it a whole processor; 128 MB have a fourteenth of one afterwards, where TLS
    alone would take a fifth of a second.
    """
    if is_enough():
        with contextlib.suppress(OSError):
            _connection.connect()


def forget_connection() -> None:
    """For a process that was forked off: two that speak over one connection get each other's answers."""
    _connection.close()


def _ask(method: str, bucket: str, key: str, read: "Callable[[HTTPResponse], _Read]") -> _Read:
    problem: Exception | None = None
    for attempt in range(_TRIES):
        time.sleep(_FIRST_WAIT_S * (2**attempt - 1))
        try:
            with _connection.ask(method, quote(f"/{bucket}/{key}")) as response:
                if response.status in (403, 404):
                    # Without the right to list the bucket, S3 answers 403 for an object that is not there.
                    response.read()
                    raise ObjectMissing(key)
                if response.status != 200:
                    raise OSError(f"S3 answered {response.status}.")
                return read(response)
        except OSError as caught:
            problem = caught
    raise OSError(f"{key} could not be fetched from S3.") from problem


def _size_bytes(response: "HTTPResponse") -> int:
    return int(response.headers.get("Content-Length") or 0)


# The pointer to the live version is looked at every other second.
_connection = Connection("s3")
