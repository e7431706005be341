"""Flushing what was kept of calls, once they are answered, so that no caller waits for it.

On Lambda as an internal extension: the caller gets the answer as soon as the runtime has posted it, and the sandbox is
frozen only when the extension has asked for its next event as well. Between the two there is time to write. Where
nothing is frozen, a thread does it within a second or so. What is left at SIGTERM is written then.
Source: docs/decisions/019-captures.md;
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import atexit
import contextlib
import os
import signal
import threading
import time
import weakref
from typing import Any

from predictor import captures
from predictor.capture_buffer import Buffer
from predictor.http_connection import HTTPConnection

_EXTENSION = "/2020-01-01/extension"
_API_S, _RETRY_S = 3.0, 0.1
# A sandbox is frozen while it waits for an event, and ended within hours. poll() takes no more than 24 days.
_FOREVER_S = 14 * 86400.0
# Only where the runtime fails to let go of the invocation: after an exception, whose traceback holds it.
_POSTED_WITHIN_S = 0.25
_THREAD_S = 0.2

# Whether an extension waits to hear that an invocation is over.
is_awaited = False
_returned, _posted = threading.Event(), threading.Event()
_watched: "weakref.ref[Any] | None" = None


def start() -> None:
    """Keep what the API answers from now on, and flush it. Called once, while the function starts."""
    global is_awaited
    buffer = captures.buffer = Buffer()
    # Before there are other threads: they inherit it, so that the signal waits for the one that asks for it.
    if threading.current_thread() is threading.main_thread():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        _run(_flush_at_sigterm, buffer)
    atexit.register(buffer.flush, is_last=True)
    api = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
    # AWS's emulator, which entry.sh starts, has extensions too, but its callers wait for them.
    identifier = _register(api) if api and not os.environ.get("AWS_SAM_LOCAL") else None
    if identifier is None:
        _run(_flush_now_and_then, buffer)
        return
    is_awaited = True
    _run(_follow_invocations, buffer, api, identifier)


def has_returned(context: Any) -> None:
    """The handler returns. AWS's client posts the answer next, and lets go of the context when it has done that."""
    global _watched
    # A context of another runtime client may allow no such reference.
    with contextlib.suppress(TypeError):
        _watched = weakref.ref(context, lambda _: _posted.set())
    _returned.set()


def _run(target: Any, *arguments: Any) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()


def _register(api: str) -> str | None:
    """This extension's identifier, or None where there is no such API."""
    headers = {"host": api, "Lambda-Extension-Name": "captures", "Content-Type": "application/json"}
    connection = HTTPConnection(api, is_tls=False, timeout_s=_API_S)
    try:
        answer = connection.ask("POST", f"{_EXTENSION}/register", headers=headers, body=b'{"events": ["INVOKE"]}')
    except OSError:
        return None
    finally:
        connection.close()
    return answer.headers.get("lambda-extension-identifier") if answer.status == 200 else None


def _follow_invocations(buffer: Buffer, api: str, identifier: str) -> None:
    connection = HTTPConnection(api, is_tls=False, timeout_s=_API_S)
    headers = {"host": api, "Lambda-Extension-Identifier": identifier}
    while True:
        # The next invocation begins when this has asked for it, so that these are still about the last one.
        _returned.clear()
        _posted.clear()
        try:
            answer = connection.ask("GET", f"{_EXTENSION}/event/next", headers=headers, timeout_s=_FOREVER_S)
        except OSError:
            answer = None
        if answer is None or answer.status != 200:
            # An extension that asks no more holds up every invocation to come.
            time.sleep(_RETRY_S)
            continue
        _returned.wait()
        _posted.wait(_POSTED_WITHIN_S)
        if buffer.is_due():
            buffer.flush()


def _flush_now_and_then(buffer: Buffer) -> None:
    while True:
        buffer.waiting.wait()
        time.sleep(_THREAD_S)
        if buffer.is_due():
            buffer.flush()


def _flush_at_sigterm(buffer: Buffer) -> None:
    """Lambda gives a sandbox that has an extension half a second between SIGTERM and SIGKILL.

    A handler of Python's would not run: the main thread waits for its next event inside AWS's client.
    """
    signal.sigwait({signal.SIGTERM})
    with contextlib.suppress(Exception):
        buffer.flush(is_last=True)
    os._exit(128 + signal.SIGTERM)
