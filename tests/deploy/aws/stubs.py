"""A target whose answers are written down beforehand; botocore checks each call and each answer against the service's
own model.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.stub import Stubber

from deploy.aws.target import aws_target

NUMBER = "123456789012"
REGION = "eu-central-1"
STACK = "portico-production"
STACK_ARN = f"arn:aws:cloudformation:{REGION}:{NUMBER}:stack/{STACK}/5f2c1a70-0000-11f1-8000-0a0000000000"
WHEN = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
CALLER = {"Account": NUMBER, "UserId": "AROA:ada", "Arn": f"arn:aws:sts::{NUMBER}:assumed-role/Deployer/ada"}


def stubbed(**names: str | None) -> Any:
    """A target in production, without waiting, whose clients are asked nothing unless a stub answers."""
    target = aws_target(environment="production", region=REGION, **names)
    object.__setattr__(target, "poll_s", 0.0)
    return target


@contextmanager
def answering(client: Any, *calls: tuple[Any, ...]):
    """The client answers these calls in this order and no other: (operation, answer) or (operation, code, message)."""
    with Stubber(client) as stub:
        for operation, *answer in calls:
            if isinstance(answer[0], dict):
                stub.add_response(operation, *answer)
            else:
                code, message = answer
                stub.add_client_error(operation, service_error_code=code, service_message=message)
        yield stub
        stub.assert_no_pending_responses()


def stack(status: str, *, outputs: dict[str, str] | None = None, parameters: dict[str, str] | None = None) -> Any:
    """An answer of describe_stacks."""
    return {
        "Stacks": [
            {
                "StackName": STACK,
                "StackId": STACK_ARN,
                "CreationTime": WHEN,
                "StackStatus": status,
                "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in (outputs or {}).items()],
                "Parameters": [
                    {"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()
                ],
            }
        ]
    }


def no_stack() -> tuple[str, str, str]:
    return "describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist"


def events(*newest_first: tuple[str, ...]) -> Any:
    """An answer of describe_stack_events: (resource, type, status, reason)."""
    return {
        "StackEvents": [
            {
                "StackId": STACK_ARN,
                "StackName": STACK,
                "EventId": f"{len(newest_first) - number}-{resource}-{status}",
                "Timestamp": WHEN,
                "LogicalResourceId": resource,
                "ResourceType": kind,
                "ResourceStatus": status,
                **({"ResourceStatusReason": reason[0]} if reason else {}),
            }
            for number, (resource, kind, status, *reason) in enumerate(newest_first)
        ]
    }
