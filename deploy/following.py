"""Follows a stack until it has come to rest: its events as they come, and its first real failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from deploy.causes import is_consequence, tell_failure
from deploy.errors import DeployError
from deploy.plan import describe_stack
from deploy.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

Report = Callable[[str, str, str], None]
"""Gets each finished step: what happened ("added", "failed"), to which resource, and why or of which kind."""

_DONE = {
    "CREATE_COMPLETE": "added",
    "UPDATE_COMPLETE": "changed",
    "DELETE_COMPLETE": "removed",
    "CREATE_FAILED": "failed",
    "UPDATE_FAILED": "failed",
    "DELETE_FAILED": "failed",
}
# What the stack's own event says when an operation begins.
_BEGINNING = "User Initiated"


def follow(target: Target, report: Report, before: str | None) -> None:
    """Report the stack's events after `before` until it has come to rest.

    Raises: DeployError: it did not become what was asked for; named after the first resource that failed by itself
    """
    seen, first_failure = {before}, None
    while True:
        stack = describe_stack(target)
        for event in _events_since(target, seen):
            first_failure = first_failure or _real_failure(event)
            _report_event(target, event, report)
        if stack is None or not is_moving(stack):
            break
        time.sleep(target.poll_s)
    if stack is not None and stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise DeployError(_explain(target, stack, first_failure))


def settle(target: Target, report: Report) -> StackTypeDef | None:
    """Wait until nobody changes the stack any more: an interrupted `up` goes on by itself on the other side.

    Returns: the stack as it is then
    Raises:  DeployError: it is in a state that only the person can end
    """
    stack = describe_stack(target)
    if stack is not None and is_moving(stack):
        report("waiting", target.stack_name, f"{stack['StackStatus']}, begun elsewhere or by an earlier run")
        seen: set[str | None] = {latest_event(target)}
        while stack is not None and is_moving(stack):
            time.sleep(target.poll_s)
            stack = describe_stack(target)
            for event in _events_since(target, seen) if stack is not None else ():
                _report_event(target, event, report)
    if stack is not None and stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        raise DeployError(_explain_stuck(target, stack))
    return stack


def is_moving(stack: StackTypeDef) -> bool:
    """REVIEW_IN_PROGRESS is a stack that has a plan and nothing else: nothing moves there."""
    return stack["StackStatus"].endswith("_IN_PROGRESS") and stack["StackStatus"] != "REVIEW_IN_PROGRESS"


def latest_event(target: Target) -> str | None:
    events = target.cloudformation.describe_stack_events(StackName=target.stack_name)["StackEvents"]
    return events[0]["EventId"] if events else None


def find_first_failure(target: Target) -> str | None:
    """The first real failure of the stack's last operation, in words."""
    failures = []
    pages = target.cloudformation.get_paginator("describe_stack_events").paginate(StackName=_stack_id(target))
    for event in (event for page in pages for event in page["StackEvents"]):
        failures.append(_real_failure(event))
        if event.get("ResourceStatusReason") == _BEGINNING and "ROLLBACK" not in event.get("ResourceStatus", ""):
            break
    return next((failure for failure in reversed(failures) if failure), None)


def _explain(target: Target, stack: StackTypeDef, first_failure: str | None) -> str:
    cause = first_failure or find_first_failure(target) or stack.get("StackStatusReason") or stack["StackStatus"]
    if stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        return _explain_stuck(target, stack, cause)
    if stack["StackStatus"] in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}:
        return f"{cause}\nNothing was made. Mend it and run the same command again: it clears what is left first."
    if stack["StackStatus"].startswith("DELETE"):
        return f"{cause}\nRun the same command again: it goes on from here."
    return f"{cause}\nEverything else was put back as it was. Mend it and run the same command again."


def _explain_stuck(target: Target, stack: StackTypeDef, cause: str | None = None) -> str:
    cause = cause or find_first_failure(target) or stack.get("StackStatusReason", "it does not say why")
    named = f" --profile {target.profile}" if target.profile else ""
    named += f" --region {target.session.region_name}" if not target.is_emulated else ""
    return (
        f"{cause}\n"
        f"An update of {target.stack_name} failed, and going back failed too (UPDATE_ROLLBACK_FAILED): until that is "
        "done, CloudFormation takes no change. Mend the cause, then have it go on, and run the same command again:\n"
        f"  aws cloudformation continue-update-rollback --stack-name {target.stack_name}{named}"
    )


def _events_since(target: Target, seen: set[str | None]) -> Iterator[StackEventTypeDef]:
    """Events not in `seen`, oldest first; adds them to it. Events come newest first, so old pages are not read."""
    fresh = []
    pages = target.cloudformation.get_paginator("describe_stack_events").paginate(StackName=_stack_id(target))
    for event in (event for page in pages for event in page["StackEvents"]):
        if event["EventId"] in seen:
            break
        fresh.append(event)
    seen.update(event["EventId"] for event in fresh)
    yield from reversed(fresh)


def _stack_id(target: Target) -> str:
    """A deleted stack is found by its id only; a living one by its name too."""
    stack = describe_stack(target)
    return stack["StackId"] if stack and "StackId" in stack else target.stack_name


def _real_failure(event: StackEventTypeDef) -> str | None:
    """The sentence about a resource that failed by itself, not because another one did."""
    reason = event.get("ResourceStatusReason", "")
    if not event.get("ResourceStatus", "").endswith("_FAILED") or is_consequence(reason):
        return None
    return tell_failure(event.get("LogicalResourceId", ""), event.get("ResourceType", ""), reason)


def _report_event(target: Target, event: StackEventTypeDef, report: Report) -> None:
    verb = _DONE.get(event.get("ResourceStatus", ""))
    if verb is None or event.get("LogicalResourceId") == target.stack_name:
        return
    kind = event.get("ResourceType", "").removeprefix("AWS::").replace("::", " ")
    report(
        verb, event.get("LogicalResourceId", ""), event.get("ResourceStatusReason", "") if verb == "failed" else kind
    )
