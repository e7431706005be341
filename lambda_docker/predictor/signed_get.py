"""Objects of S3 by signed requests, without boto3: what a compiled model's cold start waits for."""

import contextlib
import time

from predictor.errors import ObjectMissing, ObjectTooLarge
from predictor.http_connection import Answer, TooLong
from predictor.signed_request import Connection, is_enough, quote

_TRIES, _FIRST_WAIT_S = 3, 0.1


def get(bucket: str, key: str, *, limit_bytes: int) -> tuple[bytes, str]:
    """An object and its ETag.

    Raises: ObjectMissing; ObjectTooLarge: known before the body is read; OSError: S3 is away
    """
    answer = _ask("GET", bucket, key, limit_bytes=limit_bytes)
    return answer.body, answer.headers.get("etag", "")


def head(bucket: str, key: str) -> tuple[str, int]:
    """An object's ETag and size. Raises: ObjectMissing; OSError: S3 is away."""
    answer = _ask("HEAD", bucket, key)
    return answer.headers.get("etag", ""), int(answer.headers.get("content-length") or 0)


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


def _ask(method: str, bucket: str, key: str, *, limit_bytes: int | None = None) -> Answer:
    problem: Exception | None = None
    for attempt in range(_TRIES):
        time.sleep(_FIRST_WAIT_S * (2**attempt - 1))
        try:
            answer = _connection.ask(method, quote(f"/{bucket}/{key}"), limit_bytes=limit_bytes)
        except TooLong as too_long:
            raise ObjectTooLarge(too_long.size_bytes) from None
        except OSError as caught:
            problem = caught
            continue
        if answer.status in (403, 404):
            # Without the right to list the bucket, S3 answers 403 for an object that is not there.
            raise ObjectMissing(key)
        if answer.status == 200:
            return answer
        problem = OSError(f"S3 answered {answer.status}.")
    raise OSError(f"{key} could not be fetched from S3.") from problem


# The pointer to the live version is looked at every other second.
_connection = Connection("s3")
