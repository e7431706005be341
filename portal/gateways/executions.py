"""The state machine that scores batches: start an execution, ask after it, stop it.

An execution is named after its batch and the attempt, so that starting twice is one execution.
Source: docs/contract.md section 4.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from portal import request_ids
from portal.errors import BackendFault
from portal.gateways import storage
from portal.gateways.aws import aws_errors, client, is_error
from portal.gateways.contract import BatchStatus

INTERRUPTED = "The job was interrupted before its end, by a restart for example. What was scored until then is kept."
UNKNOWN, STOPPED = "UNKNOWN", "ABORTED"
# LocalStack has forgotten the state machine too until its stack is there again.
FORGOTTEN = ("ExecutionDoesNotExist", "StateMachineDoesNotExist")


def start(job: Mapping[str, Any], *, attempt: int) -> str:
    """Start the state machine on a batch whose input is in place. Its steps log the id of the request that starts it.

    Returns: the execution's ARN
    Raises:  GatewayError
    """
    asked = request_ids.current_id()
    given = {**job, "request_id": asked} if asked else dict(job)
    machine, name = settings.PORTICO_BATCH_STATE_MACHINE, f"batch-{job['batch']}-{attempt}"
    try:
        with aws_errors(f"starting {name}"):
            client("stepfunctions").start_execution(
                stateMachineArn=machine, name=name, input=json.dumps({"job": given})
            )
    except BackendFault as error:
        # It was started before, perhaps by another request, and the answer got lost.
        if not is_error(error, "ExecutionAlreadyExists"):
            raise
    return _arn_of(name)


def of_the_api(job: uuid.UUID, *, created: float) -> str:
    """The ARN of the execution that the API has started for a job. Source: docs/contract.md section 8"""
    return _arn_of(f"api-{job}-{int(created)}")


def stop(execution_arn: str) -> None:
    """Stop an execution; it is no error if nothing runs any more. Raises: GatewayError."""
    try:
        with aws_errors(f"stopping {execution_arn}"):
            client("stepfunctions").stop_execution(
                executionArn=execution_arn, error="Cancelled", cause="Its owner cancelled the batch."
            )
    except BackendFault as error:
        # Stopping what has ended already is a ValidationException.
        if not is_error(error, *FORGOTTEN, "ValidationException"):
            raise


def status(execution_arn: str, *, user_id: int | str, batch: uuid.UUID) -> BatchStatus:
    """How an execution stands, and how it ended. Raises: GatewayError."""
    said = _ask(execution_arn)
    if said == "RUNNING":
        return BatchStatus("running")
    # An emulator that was restarted knows nothing of the execution; what that wrote last is in the bucket all the same.
    summary = storage.get_json(storage.batch_key(user_id, batch, "summary.json")) or {}
    if said in ("SUCCEEDED", UNKNOWN) and summary.get("ok"):
        return BatchStatus("done", summary=summary)
    fault = summary.get("error") or {}
    return BatchStatus(
        "failed",
        error=str(fault.get("message") or INTERRUPTED),
        is_refused=fault.get("code") == "refused",
        is_stopped=said == STOPPED,
        is_unknown=said == UNKNOWN,
    )


def _ask(arn: str) -> str:
    """Step Functions' word for it, or UNKNOWN."""
    try:
        with aws_errors(f"asking after {arn}"):
            return str(client("stepfunctions").describe_execution(executionArn=arn)["status"])
    except BackendFault as error:
        if is_error(error, *FORGOTTEN):
            return UNKNOWN
        raise


def _arn_of(name: str) -> str:
    return f"{settings.PORTICO_BATCH_STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
