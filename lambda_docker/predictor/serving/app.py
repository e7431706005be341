"""The ASGI application: a request → its route, its body within limits → an answer with its ids.

Source: ASGI 3.0, "HTTP & WebSocket ASGI Message Format"
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from predictor import journal
from predictor.limits import in_megabytes, limit
from predictor.serving import routes
from predictor.serving.calls import Answer, Call, Refusal, Route, as_refusal
from predictor.serving.pace import NeedsThread, Pace

# A body that is too large is still read up to here, and dropped: a client that writes does not see an answer.
DRAINED_AT_MOST_BYTES = 64 * 1024 * 1024
_ID_MAX_CHARACTERS = 128
# A body of this size holds a few rows at most.
QUICK_BODY_BYTES = 4096

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]


class App:
    """Args: is_quick: whether small calls are answered on the event loop itself; seconds: how long one may take."""

    def __init__(self, *, is_quick: bool, seconds: float) -> None:
        self._is_quick = is_quick
        self._seconds = seconds
        self._pace = Pace(seconds=seconds)

    async def __call__(self, scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
        began = time.perf_counter()
        path = scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        call = Call(scope["method"], path, headers, b"", _read_id(headers.get("x-request-id", "")))
        route = routes.find_route(path)
        error: str | None = None
        try:
            answer = await self._answer(call, route, receive)
        except _Gone:
            return
        except Exception as problem:  # bugs get a reference, and the log the place
            refusal = as_refusal(problem)
            if refusal is None:
                journal.write_exception(problem, request_id=call.request_id)
                refusal = Refusal(
                    500, f"Something went wrong on our side. Please try again; the reference is {call.request_id}."
                )
            error = str(refusal.status)
            answer = _with_headers(routes.wording_of(path, route)(refusal), refusal.headers)
        if path not in routes.PINGS:
            journal.write(
                "serve",
                request_id=call.request_id,
                began=began,
                status=answer.status,
                model=call.model_tag,
                error=error,
            )
        await _send_answer(send, answer, call)

    async def _answer(self, call: Call, route: Route | None, receive: _Receive) -> Answer:
        if route is None:
            raise Refusal(404, f"Nothing is served at {call.path[:80]}.")
        ask = route.methods.get(call.method)
        if ask is None:
            allowed = ", ".join(route.methods)
            raise Refusal(405, f"Use {allowed} for {call.path[:80]}.", {"Allow": allowed})
        if call.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "Bodies are read as they are: send it without Content-Encoding.")
        call.body = await self._read_body(call, receive, allowed=limit(route.body_limit))
        if not route.asks_model:
            if self._pace.is_stuck and call.path in routes.PINGS:
                raise Refusal(503, "The model has stopped answering. Start this container again.")
            return ask(call)
        if self._is_quick and len(call.body) <= QUICK_BODY_BYTES:
            try:
                return ask(call)
            except NeedsThread:
                pass  # its tables hand this one over
        return await self._pace.run(lambda: ask(call))

    async def _read_body(self, call: Call, receive: _Receive, *, allowed: int) -> bytes:
        """The whole body. Raises: Refusal: too large, or too slow; _Gone."""
        told = call.headers.get("content-length", "0")
        if not told.isdecimal() or int(told) > allowed + DRAINED_AT_MOST_BYTES:
            raise _too_large(allowed)
        try:
            async with asyncio.timeout(self._seconds):
                return await _receive_body(receive, allowed=allowed)
        except TimeoutError:
            raise Refusal(
                408, f"The request's body did not arrive within {self._seconds:g} s.", {"Connection": "close"}
            ) from None


class _Gone(Exception):
    """The caller has hung up."""


async def _receive_body(receive: _Receive, *, allowed: int) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body") and len(message["body"]) <= allowed:
        return bytes(message["body"])
    pieces, size = [], 0
    while message["type"] == "http.request":
        size += len(message["body"])
        if size <= allowed:
            pieces.append(message["body"])
        elif size > allowed + DRAINED_AT_MOST_BYTES:
            break
        else:
            pieces.clear()
        if not message.get("more_body"):
            break
        message = await receive()
    else:
        raise _Gone
    if size > allowed:
        raise _too_large(allowed)
    return b"".join(pieces)


def _too_large(allowed: int) -> Refusal:
    return Refusal(
        413,
        f"The request's body is too large: up to {in_megabytes(allowed)} are read. Send the rows in several calls.",
        {"Connection": "close"},
    )


def _read_id(given: str) -> str:
    """The caller's own id of its request, where it is one; else a new one."""
    is_fit = 0 < len(given) <= _ID_MAX_CHARACTERS and given.isascii() and given.isprintable()
    return given if is_fit else os.urandom(16).hex()


def _with_headers(answer: Answer, headers: Mapping[str, str]) -> Answer:
    return Answer(answer.status, answer.body, answer.content_type, {**answer.headers, **headers})


async def _send_answer(send: _Send, answer: Answer, call: Call) -> None:
    # RFC 9110: what has no body has no length either.
    of_body = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
    headers = {
        **(of_body if answer.status != 204 else {}),
        "X-Request-Id": call.request_id,
        "X-Model-Version": call.model_tag,
        **answer.headers,
    }
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})
