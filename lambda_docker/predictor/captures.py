"""What the API answered about live models, kept for the portal's history: a line of JSON a call.

A call only leaves references here. Lines are written from them later, by whoever flushes the buffer (after_answers).
Source: docs/contract.md §10; docs/decisions/019-captures.md
"""

import json
import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from predictor import keys
from predictor.capture_buffer import Buffer
from predictor.errors import BadRequest
from predictor.events import ApiRequest, Reply
from predictor.features import Feature
from predictor.published import CAPTURE_ALL, CAPTURE_OFF, Live

_ENTRY_BYTES = 1000

# Where a function's calls go; there is none where nobody would flush it: in `serve`, and in the verify function.
buffer: Buffer | None = None


class Asked(NamedTuple):
    """The live model that a call was about. features, start: None where the model was not loaded"""

    live: Live
    body: Mapping[str, Any] | None
    features: tuple[Feature, ...] | None = None
    start: str | None = None


class Capture(NamedTuple):
    """A call and its answer, with all that a line needs. at_us: microseconds since the epoch"""

    request: ApiRequest
    reply: Reply
    asked: Asked
    at_us: int
    milliseconds: float

    @property
    def size_bytes(self) -> int:
        """About as long as its line will be."""
        return _ENTRY_BYTES + len(self.request.event.get("body") or "")

    def line(self) -> str:
        return _encode_line(_to_json(self))


def keep(request: ApiRequest, reply: Reply, *, milliseconds: float) -> None:
    """Keep an answered call, if it was about a live model whose calls are kept."""
    asked = reply.asked
    if buffer is None or asked is None or asked.live.capture == CAPTURE_OFF:
        return
    buffer.add(Capture(request, reply, asked, time.time_ns() // 1000, milliseconds))


def written_at(at_us: int, form: str) -> str:
    """A moment in UTC, to the microsecond."""
    seconds, microseconds = divmod(at_us, 1_000_000)
    return f"{time.strftime(form, time.gmtime(seconds))}.{microseconds:06d}"


def _to_json(capture: Capture) -> dict[str, Any]:
    request, reply, asked = capture.request, capture.reply, capture.asked
    is_all = asked.live.capture == CAPTURE_ALL
    line: dict[str, Any] = {
        "v": 1,
        "id": request.request_id,
        "at": written_at(capture.at_us, "%Y-%m-%dT%H:%M:%S") + "Z",
        "call": reply.call,
        "status": reply.status,
        "milliseconds": capture.milliseconds,
        "start": asked.start,
        "model": asked.live.slug,
        "version": asked.live.version,
        "sha256": asked.live.sha256,
        "person": _person_of(request.claims),
        "source": _source_of(request.headers),
    }
    if reply.call == "batchPrediction":
        line |= _file_of(request, reply, asked, is_named=is_all)
    elif is_all and asked.features is not None and asked.body is not None:
        body = asked.body
        line["inputs"] = {feature.name: body[feature.name] for feature in asked.features if feature.name in body}
    if reply.prediction is not None:
        line |= {"output": reply.prediction["output"], "prediction": reply.prediction["prediction"]}
    if reply.error is not None:
        # A message may quote a value.
        message = (reply.body or {}).get("message") if is_all else None
        line["error"] = {"code": reply.error, "message": message}
    return line


def _person_of(claims: Mapping[str, str] | None) -> dict[str, str | None] | None:
    if not claims or not claims.get("sub"):
        return None
    # Anybody may tell a pool another address than their own.
    is_verified = str(claims.get("email_verified")).lower() == "true"
    email = claims.get("email") if is_verified else None
    return {"sub": claims["sub"], "email": email or None, "username": claims.get("cognito:username") or None}


def _source_of(headers: Mapping[str, str]) -> str:
    page = os.environ.get("PORTICO_CORS_ORIGIN") or "*"
    return "page" if page != "*" and headers.get("origin") == page else "program"


def _file_of(request: ApiRequest, reply: Reply, asked: Asked, *, is_named: bool) -> dict[str, Any]:
    """The entries about a batch; without `is_named` none that names the file."""
    job = (reply.body or {}).get("job")
    try:
        key = keys.read_file_key((asked.body or {}).get("fileKey"), claims=request.claims) if is_named else None
        owner = keys.read_owner(request.claims) if job else None
    except BadRequest:
        key = owner = None
    result = keys.inline_result(key) if key and reply.status == 200 else None
    return {"file": key, "job": job, "owner": owner, "result": result}


def _encode_line(line: dict[str, Any]) -> str:
    try:
        return _encode(line)
    except (ValueError, RecursionError):
        # Inputs alone come as callers wrote them: NaN, which is not JSON, and lists in lists in lists.
        return _encode({**line, "inputs": {name: _tame(value) for name, value in line["inputs"].items()}})


def _tame(value: Any) -> Any:
    try:
        _encode(value)
    except (ValueError, RecursionError):
        return str(value) if isinstance(value, float) else None
    return value


_encode = json.JSONEncoder(allow_nan=False).encode
