"""The only module that speaks to Step Functions: the executions of the one state machine that scores batches.

botocore's exceptions stop here where the caller can do something about them (MachineAway); others are bugs, and raise.
"""

import functools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from predictor.errors import MachineAway

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

RUNNING, SUCCEEDED, ABORTED = "RUNNING", "SUCCEEDED", "ABORTED"

_AWAY = "Batches cannot be started or asked after at the moment. Please try again."
# The machine itself is missing while an emulator that was restarted is given its stack again.
_PASSING = frozenset({"ThrottlingException", "TooManyRequestsException", "StateMachineDoesNotExist"})


def start(name: str, document: Mapping[str, Any]) -> None:
    """Start the execution of that name; nothing happens where it was started before. Raises: MachineAway."""
    with _faults("ExecutionAlreadyExists"):
        _client().start_execution(stateMachineArn=_arn(), name=name, input=json.dumps(document))


def find_status(name: str) -> str | None:
    """Step Functions' word for an execution, or None where it knows none of that name. Raises: MachineAway."""
    with _faults("ExecutionDoesNotExist"):
        return str(_client().describe_execution(executionArn=_execution(name))["status"])
    return None


def stop(name: str) -> bool:
    """End an execution, if it has not ended; whether Step Functions knows one of that name. Raises: MachineAway."""
    if find_status(name) is None:
        return False
    # What has ended meanwhile is no fault, and is answered so by emulators alone.
    with _faults("ValidationException"):
        _client().stop_execution(executionArn=_execution(name), cause="It was cancelled by whoever started it.")
    return True


def _arn() -> str:
    arn = os.environ.get("PORTICO_BATCH_STATE_MACHINE")
    if not arn:
        raise MachineAway("This installation scores no batches beside its calls.")
    return arn


def _execution(name: str) -> str:
    return f"{_arn().replace(':stateMachine:', ':execution:')}:{name}"


@contextmanager
def _faults(expected: str) -> Iterator[None]:
    """botocore's exceptions as ours; the `expected` code is no fault and ends the block."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == expected:
            return
        if code in _PASSING or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise MachineAway(_AWAY) from error
        raise
    except (ConnectionError, HTTPClientError) as error:
        raise MachineAway(_AWAY) from error


def _client() -> "SFNClient":
    return _client_for(os.environ.get("AWS_ENDPOINT_URL"))


@functools.lru_cache(maxsize=4)
def _client_for(endpoint: str | None) -> "SFNClient":
    import boto3
    from botocore.config import Config

    # API Gateway gives up after 29 s: what does not answer by then has to be said by us.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("stepfunctions", endpoint_url=endpoint, config=config)
