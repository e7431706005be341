"""verify: load an upload that nobody has loaded yet, and say what it is or why it cannot be served.

Runs in a function of its own, whose role may read the quarantine prefix and nothing else.
Source: docs/contract.md §3 and §5
"""

import contextlib
import hashlib
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from predictor import bucket, keys
from predictor.description import describe
from predictor.errors import BadRequest, ModelBroken, ObjectMissing, ObjectTooLarge, Rejected
from predictor.limits import in_megabytes, limit
from predictor.loading import load, versions

_FORMATS = ("pickle", "joblib")


def verify(request: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of an upload.

    Args:   request: {"upload": uuid, "sha256": …, "format": "pickle" | "joblib"}
    Raises: BadRequest; Rejected: it cannot be served, with the reason and what its author can do
    """
    began = time.perf_counter()
    upload = keys.read_uuid(request.get("upload"))
    expected = keys.read_sha256(request.get("sha256"))
    if expected is None:
        raise BadRequest("The checksum of the upload is missing.")
    if request.get("format") not in _FORMATS:
        raise BadRequest("The format must be 'pickle' or 'joblib'.")
    body = _fetch(upload)
    # Before loading: unpickling runs what is in the file, so it must be the file that was looked at.
    if hashlib.sha256(body).hexdigest() != expected:
        raise Rejected("The stored file is not the one that was uploaded: its checksum differs. Upload it again.")
    with _time_limit(limit("PORTICO_VERIFY_SECONDS")) as check_time:
        manifest = _make_manifest(body, check_time)
    manifest = {"format": request["format"], "sha256": expected, "size_bytes": len(body), **manifest}
    return {"ok": True, "manifest": manifest, "milliseconds": _milliseconds_since(began)}


def _fetch(upload: str) -> bytes:
    try:
        return bucket.read(keys.quarantine(upload), limit_bytes=limit("PORTICO_MODEL_MAX_BYTES")).body
    except ObjectMissing:
        raise Rejected("The upload is no longer there. Upload the file again.") from None
    except ObjectTooLarge as problem:
        allowed = in_megabytes(limit("PORTICO_MODEL_MAX_BYTES"))
        raise Rejected(
            f"The file has {in_megabytes(problem.size_bytes)}; models of up to {allowed} are served. "
            "Save it compressed (joblib.dump(model, file, compress=3)) or train a smaller one."
        ) from None


def _make_manifest(body: bytes, check_time: Any) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        loaded = load(body)
    except ModelBroken as problem:
        raise Rejected(problem.message) from problem
    load_milliseconds = _milliseconds_since(began)
    check_time()
    described = describe(loaded.estimator, check_time=check_time).to_json()
    return {
        "versions": versions(loaded.fitted_with),
        **described,
        "warnings": loaded.warnings,
        "load_milliseconds": load_milliseconds,
    }


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[Any]:
    """Interrupt the body after `seconds`; gives a function that raises when the time is over.

    The alarm works in the main thread only, which is where Lambda runs a handler; elsewhere the checks between the
    trial predictions have to do.
    """
    ends = time.monotonic() + seconds

    def refuse(*_: object) -> None:
        raise _TooSlow

    def check_time() -> None:
        if time.monotonic() > ends:
            refuse()

    alarmed = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, refuse) if alarmed else None
    if alarmed:
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield check_time
    except _TooSlow:
        raise Rejected(
            f"Loading the model and trying it out took longer than {seconds} seconds. Train a smaller or faster one."
        ) from None
    finally:
        if alarmed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


class _TooSlow(BaseException):
    """Not an Exception, so that no model's own `except Exception` swallows it."""


def _milliseconds_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
