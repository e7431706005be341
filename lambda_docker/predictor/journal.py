"""One line of JSON a request on standard output, which is where Lambda takes its log from. Never an input value."""

import json
import sys
import time
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quote
from typing import Any


def write(event: str, *, request_id: str, began: float, **facts: Any) -> None:
    """A request's line; facts that are None are left out. `began` is a time.perf_counter()."""
    # Put together by hand: an encoder takes longer for this than most compiled models for their answer.
    line = f'{{"event": {quote(event)}, "request_id": {quote(request_id)}, "milliseconds": {milliseconds_since(began)}'
    for name, fact in facts.items():
        if fact is not None:
            line += f', "{name}": {quote(fact) if fact.__class__ is str else _encode(fact)}'
    sys.stdout.write(line + "}\n")
    sys.stdout.flush()


def write_prediction(answer: Mapping[str, Any], *, request_id: str, invocation: str | None, model: str) -> None:
    """The line of a prediction that was answered, as write() has it: in one go, since nothing is as frequent.

    Args: model: what is quoted already
    """
    also = "" if invocation is None else f', "invocation": {quote(invocation)}'
    out = sys.stdout
    out.write(
        f'{{"event": "predict", "request_id": {quote(request_id)}, "milliseconds": {answer["milliseconds"]:.3f}'
        f'{also}, "model": {model}, "start": "{answer["start"]}"}}\n'
    )
    out.flush()


def milliseconds_since(began: float) -> float:
    """`began` is a time.perf_counter()."""
    # To the microsecond; round() takes as long as all the rest of a request's bookkeeping.
    return int((time.perf_counter() - began) * 1e6) / 1e3


def note(event: str, **facts: Any) -> None:
    """A line beside the request's own, for whoever keeps the function."""
    # At once, with its end: another thread may be writing its own.
    sys.stdout.write(_encode({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def write_exception(problem: BaseException, *, request_id: str) -> None:
    """Where a bug happened. The exception's own text is left out: it may quote an input value."""
    import traceback

    frames = [
        f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
        for frame in traceback.extract_tb(problem.__traceback__)
    ]
    line = {"event": "bug", "request_id": request_id, "exception": type(problem).__name__, "frames": frames}
    print(_encode(line), flush=True)


# Made once: json.dumps makes an encoder a call where it is told a default.
_encode = json.JSONEncoder(default=str).encode
