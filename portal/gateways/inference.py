"""The inference container: predict and verify by Lambda Invoke, batches by Step Functions.

Expected faults of the container become `BadInput` or `Refused`; everything else is a `GatewayError`.
Source: docs/contract.md sections 3 and 4.
"""

import json
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from portal.errors import BackendAway, BackendFault, BadInput, Refused
from portal.gateways import storage
from portal.gateways.aws import aws_errors, client, is_error
from portal.gateways.contract import Answer, BatchStatus, Replay, Scalar

ATTEMPTS = 3  # for what certainly never reached the model: throttled, or no connection
INTERRUPTED = "The job was interrupted before its end, by a restart for example. Score the file again."
UNKNOWN = "UNKNOWN"
SAFE_TO_REPEAT = ("TooManyRequestsException", "ThrottlingException")


def predict(*, slug: str, number: int, sha256: str, row: Mapping[str, Scalar]) -> Answer:
    """Predict one observation with exactly this version.

    Raises: BadInput: values the model cannot take, by feature; GatewayError: no answer was given.
    """
    event = {"operation": "predict", "model": slug, "version": number, "sha256": sha256, "row": dict(row)}
    return Answer.from_json(_invoke(settings.PORTICO_PREDICT_FUNCTION, event))


def verify(
    *, upload: uuid.UUID, sha256: str, loading: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Load an upload in the verify function, try it, and describe it.

    Args:    loading: format, member, member_format and trusted, as the scan found them; rows: real ones, at most 20
    Returns: the manifest of docs/contract.md section 5
    Raises:  Refused: the model does not load or does not predict, with what its author can do
    """
    event = {"operation": "verify", "upload": str(upload), "sha256": sha256, **loading, "rows": list(rows)}
    return dict(_invoke(settings.PORTICO_VERIFY_FUNCTION, event)["manifest"])


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


def start_batch(*, batch: uuid.UUID, user_id: int, slug: str, number: int, sha256: str) -> str:
    """Start the state machine on a batch whose input is in place. Returns the execution's ARN.

    The execution is named after the batch, so that starting twice is one execution.
    """
    job = {"batch": str(batch), "user": str(user_id), "model": slug, "version": number, "sha256": sha256}
    machine, name = settings.PORTICO_BATCH_STATE_MACHINE, f"batch-{batch}"
    try:
        with aws_errors(f"starting batch {batch}"):
            client("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=json.dumps({"job": job}))
    except BackendFault as error:
        # It was started before, has ended, and the answer got lost.
        if not is_error(error, "ExecutionAlreadyExists"):
            raise
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def batch_status(*, execution_arn: str, user_id: int, batch: uuid.UUID) -> BatchStatus:
    """How far a batch is, from the execution and the parts it has written."""
    status = _execution_status(execution_arn, batch)
    parts = storage.get_json(storage.batch_key(user_id, batch, "parts.json")) or []
    done = storage.count_under(storage.batch_key(user_id, batch, "parts/")) if parts else 0
    if status == "RUNNING":
        return BatchStatus("running", len(parts), done, None, "")
    # An emulator that was restarted knows nothing of the execution; what that wrote last is in the bucket all the same.
    summary = storage.get_json(storage.batch_key(user_id, batch, "summary.json"))
    if status in ("SUCCEEDED", UNKNOWN) and summary and summary.get("ok"):
        return BatchStatus("done", len(parts), len(parts), summary, "")
    reason = (summary or {}).get("error", {}).get("message") or INTERRUPTED
    return BatchStatus("failed", len(parts), done, None, reason)


def _ask(slug: str, number: int, sha256: str, operation: str) -> dict[str, Any]:
    return {"operation": operation, "model": slug, "version": number, "sha256": sha256}


def _execution_status(arn: str, batch: uuid.UUID) -> str:
    """Step Functions' word for it, or UNKNOWN."""
    try:
        with aws_errors(f"asking after batch {batch}"):
            return str(client("stepfunctions").describe_execution(executionArn=arn)["status"])
    except BackendFault as error:
        # LocalStack has forgotten the state machine too until its stack is there again.
        if is_error(error, "ExecutionDoesNotExist", "StateMachineDoesNotExist"):
            return UNKNOWN
        raise


def _invoke(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    payload = json.dumps(event, allow_nan=False).encode()
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
    raise BackendFault(message, detail=f"{function}: {json.dumps(content)[:2000]}")
