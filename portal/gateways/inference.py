"""The inference container, by Lambda Invoke. The state machine of batches is in `executions`.

Expected faults of the container become `BadInput` or `Refused`; everything else is a `GatewayError`. Each event has the
id of the request that it is for, under which the container logs the call.
Source: docs/contract.md sections 3 and 4.
"""

import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from portal import request_ids
from portal.errors import BackendAway, BackendFault, BadInput, Refused
from portal.gateways.aws import aws_errors, client, is_error, quick_lambda
from portal.gateways.contract import Answer, Look, Replay, Scalar

ATTEMPTS = 3  # for what certainly never reached the model: throttled, or no connection
SAFE_TO_REPEAT = ("TooManyRequestsException", "ThrottlingException")


def predict(*, slug: str, number: int, sha256: str, row: Mapping[str, Scalar], is_compiled: bool = False) -> Answer:
    """Predict one observation with exactly this version.

    Args:   is_compiled: it has tables, from which the small function answers, where the stack has one
    Raises: BadInput: values the model cannot take, by feature; GatewayError: no answer was given.
    """
    event = {"operation": "predict", "model": slug, "version": number, "sha256": sha256, "row": dict(row)}
    small = settings.PORTICO_PREDICT_SMALL_FUNCTION if is_compiled else ""
    return Answer.from_json(_invoke(small or settings.PORTICO_PREDICT_FUNCTION, event))


@dataclass(frozen=True, slots=True)
class Verified:
    """manifest: of docs/contract.md section 5; tables: the model's, as the text of docs/compiled.md, if it has any"""

    manifest: dict[str, Any]
    tables: str | None


def verify(
    *, upload: uuid.UUID, sha256: str, loading: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Verified:
    """Load an upload in the verify function, try it, and describe it.

    Args:    loading: format, member, member_format and trusted, as the scan found them; rows: real ones, at most 20
    Raises:  Refused: the model does not load or does not predict, with what its author can do
    """
    event = {"operation": "verify", "upload": str(upload), "sha256": sha256, **loading, "rows": list(rows)}
    answer = _invoke(settings.PORTICO_VERIFY_FUNCTION, event)
    return Verified(manifest=dict(answer["manifest"]), tables=answer.get("compiled"))


def replay(*, slug: str, number: int, sha256: str) -> Replay:
    """Have a version answer its golden rows once more, where it would be served.

    Raises: GatewayError: it could not be asked
    """
    return Replay.from_json(_invoke(settings.PORTICO_PREDICT_FUNCTION, _ask(slug, number, sha256, "replay")))


def answer_rows(*, slug: str, number: int, sha256: str, rows: Sequence[Mapping[str, Scalar]]) -> list[dict[str, Any]]:
    """A version's answers to at most 100 rows: {"prediction": …} or {"error": …} for each.

    Raises: GatewayError: it could not be asked
    """
    event = {**_ask(slug, number, sha256, "answer_rows"), "rows": [dict(row) for row in rows]}
    return list(_invoke(settings.PORTICO_PREDICT_FUNCTION, event)["answers"])


def preview_batch(job: Mapping[str, Any]) -> Look:
    """What is recognised of a batch's file as the job says to read it. Raises: GatewayError."""
    event = {"operation": "batch.preview", "job": dict(job)}
    return Look.from_json(_invoke(settings.PORTICO_PREDICT_FUNCTION, event))


def batch_progress(job: Mapping[str, Any]) -> dict[str, Any]:
    """How far a batch is, as docs/contract.md section 4 has it. Raises: GatewayError, soon."""
    function, event = settings.PORTICO_PREDICT_FUNCTION, {"operation": "batch.progress", "job": dict(job)}
    with aws_errors("asking how far a batch is"):
        answer = quick_lambda().invoke(FunctionName=function, Payload=_write(event))
    return _read(answer["Payload"].read(), function=function, is_fault="FunctionError" in answer)


def collect_batch(job: Mapping[str, Any]) -> dict[str, Any]:
    """Put together what a stopped batch had scored. Returns: the summary, partial. Raises: GatewayError."""
    return _invoke(settings.PORTICO_PREDICT_FUNCTION, {"operation": "batch.collect", "job": dict(job)})


def _ask(slug: str, number: int, sha256: str, operation: str) -> dict[str, Any]:
    return {"operation": operation, "model": slug, "version": number, "sha256": sha256}


def _invoke(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    payload = _write(event)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with aws_errors(f"invoking {function} for {event['operation']}"):
                answer = client("lambda").invoke(FunctionName=function, Payload=payload)
            break
        except BackendAway as error:
            if attempt == ATTEMPTS or not _never_arrived(error):
                raise
            time.sleep(random.uniform(0.1, 0.4) * 2**attempt)  # noqa: S311 -- jitter, not a secret
    return _read(answer["Payload"].read(), function=function, is_fault="FunctionError" in answer)


def _write(event: Mapping[str, Any]) -> bytes:
    asked = request_ids.current_id()
    return json.dumps({**event, "request_id": asked} if asked else event, allow_nan=False).encode()


def _never_arrived(error: BackendAway) -> bool:
    cause = error.__cause__
    return is_error(cause, *SAFE_TO_REPEAT) or type(cause).__name__ in (
        "EndpointConnectionError",
        "ConnectTimeoutError",
    )


def _read(body: bytes, *, function: str, is_fault: bool) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise BackendFault(
            "The prediction service gave an unreadable answer.", detail=f"{function}: {body[:300]!r}"
        ) from error
    if is_fault:
        message = "The prediction service stopped with a fault while working on this."
        if "timed out" in str(content.get("errorMessage", "")):
            message = "The model took longer than the prediction service allows."
        raise BackendFault(message, detail=f"{function}: {json.dumps(content)[:2000]}")
    if content.get("ok"):
        return dict(content)
    fault = content.get("error") or {}
    message = str(fault.get("message") or "The prediction service could not do this.")
    if fault.get("code") in ("bad_input", "prediction_failed"):
        raise BadInput(message, fields=fault.get("fields"))
    if fault.get("code") == "rejected":
        raise Refused(message)
    if fault.get("code") == "away":
        raise BackendAway(message, detail=f"{function}: {json.dumps(content)[:2000]}")
    raise BackendFault(message, detail=f"{function}: {json.dumps(content)[:2000]}")
