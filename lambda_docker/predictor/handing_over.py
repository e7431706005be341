"""Two sizes of function from one image: what the small one cannot answer from tables, the large one answers.

`PORTICO_LARGE_FUNCTION` makes a function the small one. It loads no model in full; where it would have to, NeedsLarge
goes up to the handler, and the large function is given the event as it came. Its answer is passed on as it is.
Source: docs/decisions/013-two-sizes-of-function.md; https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import functools
import json
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from predictor.errors import BadRequest, Fault, LargeAway, LargeFailed, NeedsLarge

if TYPE_CHECKING:
    from predictor.events import ApiRequest, OperationRequest, Reply
    from predictor.http_connection import Answer
    from predictor.signed_request import Connection

_TRIES = 3
_SENT = {"Content-Type": "application/json", "X-Amz-Invocation-Type": "RequestResponse"}
# Time to say that it took too long, where the context tells how much there is; else as long as the portal waits.
_MARGIN_S, _UNTOLD_S = 1.0, 150.0
_BUSY = "The prediction service is busy just now. Try again in a moment."
_AWAY = "The function that runs this model in full does not answer just now. Try again in a moment."


def is_small() -> bool:
    return bool(os.environ.get("PORTICO_LARGE_FUNCTION"))


def require_large(reason: str) -> None:
    """Let the large function do what follows. Raises: NeedsLarge: this is the small one."""
    if is_small():
        raise NeedsLarge(reason)


def ask_large(
    event: Mapping[str, Any], request: "ApiRequest | OperationRequest", need: NeedsLarge, *, context: Any
) -> dict[str, Any]:
    """The large function's answer to the same event.

    Raises: LargeFailed: it ended with an exception, so this one does as well. API callers are answered all the same.
    """
    from predictor import api_calls, journal
    from predictor.events import ApiRequest

    began = time.perf_counter()
    is_api = isinstance(request, ApiRequest)
    error: str | None = None
    try:
        return _invoke(event, seconds=_seconds_left(context))
    except Fault as fault:
        error = fault.code
        if not isinstance(request, ApiRequest):
            return fault.to_json()
        return _answer_instead(request, api_calls.refuse_for_large(request, fault), began=began)
    except LargeFailed as failed:
        error = "bug"
        journal.note("large_function_failed", request_id=request.request_id, kind=failed.kind)
        if not isinstance(request, ApiRequest):
            raise
        return _answer_instead(request, api_calls.excuse(request), began=began)
    finally:
        journal.write(
            "api" if is_api else request.operation[:40],  # type: ignore[union-attr]  # one of the two
            request_id=request.request_id,
            invocation=request.invocation,
            began=began,
            handed_over=True,
            reason=need.reason,
            error=error,
        )


def _answer_instead(request: "ApiRequest", reply: "Reply", *, began: float) -> dict[str, Any]:
    """The small function's own answer. Where the large one answers too, only too late, their id makes them one call."""
    from predictor import captures, journal
    from predictor.events import to_proxy_response

    captures.keep(request, reply, milliseconds=journal.milliseconds_since(began))
    return to_proxy_response(reply, request_id=request.request_id)


def _invoke(event: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
    """Raises: LargeAway, BadRequest, LargeFailed."""
    from urllib.parse import quote

    from predictor.signed_request import NotConnected

    function = os.environ["PORTICO_LARGE_FUNCTION"]
    path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
    body, away = json.dumps(event).encode(), LargeAway(_AWAY)
    for attempt in range(_TRIES):
        # Only what never reached the model is tried again.
        if attempt:
            _wait(attempt)
        try:
            answer = _connection().ask("POST", path, body=body, headers=_SENT, timeout_s=seconds)
        except NotConnected:
            continue
        except TimeoutError:
            raise LargeFailed("Timeout", f"{function} timed out after {seconds:.0f} seconds") from None
        except OSError as problem:
            raise away from problem
        if answer.status != 429:
            return _read(answer)
        away = LargeAway(_BUSY)
    raise away


def _read(answer: "Answer") -> dict[str, Any]:
    if answer.status >= 500:
        raise LargeAway(_AWAY)
    if answer.status == 413:
        raise BadRequest("The request is too large for the function that runs this model in full.")
    if answer.status != 200:
        kind = answer.headers.get("x-amzn-errortype") or str(answer.status)
        raise LargeFailed(kind, f"Lambda answered {answer.status}.")
    try:
        said = json.loads(answer.body)
    except ValueError:
        raise LargeFailed("Unreadable", "The large function gave an unreadable answer.") from None
    if "x-amz-function-error" in answer.headers:
        fault = said if isinstance(said, dict) else {}
        raise LargeFailed(str(fault.get("errorType") or "Unknown"), str(fault.get("errorMessage") or ""))
    return said


def _wait(attempt: int) -> None:
    import random

    time.sleep(random.uniform(0.1, 0.2) * 2**attempt)  # noqa: S311  # jitter, not a secret


def _seconds_left(context: Any) -> float:
    tell = getattr(context, "get_remaining_time_in_millis", None)
    return max(_MARGIN_S, tell() / 1000 - _MARGIN_S) if tell else _UNTOLD_S


@functools.cache
def _connection() -> "Connection":
    from predictor.signed_request import Connection

    return Connection("lambda")
