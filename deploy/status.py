"""Looks whether a stack is well: its state, its functions, its alarms, its last failed batches, its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC

from botocore.exceptions import ClientError

from deploy.aws.hosting import find_publication, look_for_page
from deploy.outputs import NAMED, function_names, is_kept, portal_environment, stack_outputs
from deploy.plan import describe_stack
from deploy.targets import Target

WELL = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
FAILURES_SHOWN = 5
NOT_THERE = "not there"
_ALARMS_AT_ONCE = 100


@dataclass(frozen=True)
class Status:
    """What was found; `functions` says for each "ready" or what is wrong.

    Attributes:
        named: what else people want to know of it, by what it is
        alarms: those that ring, with why
        failures: the last batches that failed, with when
        is_kept: it has its data and no service
    """

    stack: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    alarms: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    is_kept: bool = False

    @property
    def is_there(self) -> bool:
        return self.stack != NOT_THERE

    @property
    def is_well(self) -> bool:
        are_ready = all(state == "ready" for state in self.functions.values())
        return self.stack in WELL and are_ready and not self.alarms and not self.is_kept


def read_status(target: Target) -> Status:
    """Raises: EmulatorAway: nothing answers there"""
    stack = describe_stack(target)
    if stack is None:
        return Status(NOT_THERE)
    found = stack_outputs(stack)
    named = {what: found[name] for name, what in NAMED.items() if name in found} | _find_publication(target)
    if is_kept(found):
        return Status(stack["StackStatus"], named=named | {"bucket": found["BucketName"]}, is_kept=True)
    if not found:
        return Status(stack["StackStatus"])
    return Status(
        stack["StackStatus"],
        portal_environment(target, found),
        {name: ask_function(target, name) for name in function_names(found)},
        named,
        find_alarms(target) if "AlarmTopicArn" in found else {},
        _find_failures(target, found["BatchStateMachineArn"]),
    )


def _find_publication(target: Target) -> dict[str, str]:
    """Where the published page is, and since when; nothing where there is none, or where it may not be seen."""
    page = look_for_page(target, must_know=False)
    if page is None:
        return {}
    published = find_publication(target, page)
    when = f"published {published.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if published else "not published yet"
    return {"page": f"{page.origin}/  ({when})"}


def ask_function(target: Target, name: str) -> str:
    """A dry run: the function and its permission are there, its code is not run."""
    try:
        target.functions.invoke(FunctionName=name, InvocationType="DryRun")
    except ClientError as error:
        return f"does not answer: {error.response['Error'].get('Message', 'unknown error')}"
    return "ready"


def find_alarms(target: Target) -> dict[str, str]:
    """The stack's own alarms that ring, with why."""
    pages = target.cloudformation.get_paginator("list_stack_resources").paginate(StackName=target.stack_name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    names = [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::CloudWatch::Alarm"]
    if not names:
        return {}
    found = target.alarms.describe_alarms(AlarmNames=names[:_ALARMS_AT_ONCE], StateValue="ALARM")["MetricAlarms"]
    return {alarm["AlarmName"]: alarm.get("StateReason", "") for alarm in found}


def _find_failures(target: Target, machine: str) -> dict[str, str]:
    """The newest come first, and only those of the machine's own executions, not of the parts of a batch."""
    found = target.machines.list_executions(stateMachineArn=machine, statusFilter="FAILED", maxResults=FAILURES_SHOWN)[
        "executions"
    ]
    return {
        execution["name"]: f"{execution['stopDate'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        if "stopDate" in execution
        else ""
        for execution in found
    }
