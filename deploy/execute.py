"""Does what `plan.py` decided: uploads the code, executes the change set, deletes a stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploy.buckets import count_objects, empty_bucket, has_bucket
from deploy.errors import DeployError
from deploy.outputs import function_names
from deploy.package import Package
from deploy.plan import Plan, describe_stack, make_plan, read_manifest_key
from deploy.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef
    from mypy_boto3_lambda.type_defs import WaiterConfigTypeDef

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

_UPDATED_WITHIN: WaiterConfigTypeDef = {"Delay": 1, "MaxAttempts": 60}


def execute_plan(target: Target, plan: Plan, report: Report) -> dict[str, str]:
    """Make the stack what the plan says.

    Returns: the stack's outputs
    Raises: DeployError: named after the first resource that failed; CloudFormation has rolled the rest back
    """
    if plan.package:
        _upload_package(target, plan.package)
    if plan.clear_remains:
        report("removing", target.stack_name, "the remains of a first deployment that failed")
        _delete_stack(target, report)
        plan = make_plan(target, plan.package)
    if plan.change_set:
        before = _latest_event(target)
        target.cloudformation.execute_change_set(StackName=target.stack_name, ChangeSetName=plan.change_set)
        _follow(target, _only({change.resource for change in plan.changes}, report), before)
    outputs = read_outputs(target)
    if target.image and not plan.is_new:
        _take_image_again(target, outputs)
    return outputs


def read_outputs(target: Target) -> dict[str, str]:
    """The stack's outputs; with them, where there is one, the secret that its functions check signatures with.

    Raises: DeployError: there is no stack
    """
    stack = describe_stack(target)
    if stack is None:
        raise DeployError(
            f"There is no stack {target.stack_name} at {target.endpoint_url}. "
            f"Make it with: python -m deploy up --target {target.name}"
        )
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    key = read_manifest_key(target, outputs.get("PredictFunctionName"))
    return {**outputs, "ManifestKey": key} if key else outputs


def list_what_goes(target: Target) -> list[tuple[str, str]]:
    """Everything `delete_everything` will delete, as (what, kind); empty when there is nothing."""
    if describe_stack(target) is None:
        return []
    pages = target.cloudformation.get_paginator("list_stack_resources").paginate(StackName=target.stack_name)
    going = []
    for resource in (summary for page in pages for summary in page["StackResourceSummaries"]):
        name = resource.get("PhysicalResourceId", resource["LogicalResourceId"])
        kind = resource["ResourceType"].removeprefix("AWS::").replace("::", " ")
        if resource["ResourceType"] == "AWS::S3::Bucket":
            kind += f", with {count_objects(target.s3, name)}"
        going.append((name, kind))
    return going


def delete_everything(target: Target, report: Report) -> None:
    """Empty the buckets, then delete the stack and the code bucket. Safe to run again after an interruption."""
    if describe_stack(target) is not None:
        bucket = read_outputs(target).get("BucketName")
        if bucket:
            report("emptied", bucket, f"{empty_bucket(target.s3, bucket)} object versions")
        _delete_stack(target, report)
    if has_bucket(target.s3, target.code_bucket):
        empty_bucket(target.s3, target.code_bucket)
        target.s3.delete_bucket(Bucket=target.code_bucket)
        report("removed", target.code_bucket, "S3 Bucket with the functions' packages")


def _take_image_again(target: Target, outputs: Mapping[str, str]) -> None:
    """The image may have been built anew under the same tag, which no change set notices: have the tag looked up."""
    for name in function_names(outputs):
        target.functions.update_function_code(FunctionName=name, ImageUri=target.image or "")
        target.functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=_UPDATED_WITHIN)


def _upload_package(target: Target, package: Package) -> None:
    s3, bucket = target.s3, target.code_bucket
    if not has_bucket(target.s3, bucket):
        s3.create_bucket(Bucket=bucket)
    try:
        s3.head_object(Bucket=bucket, Key=package.key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=package.key, Body=package.body)


def _only(planned: set[str], report: Report) -> Report:
    """MiniStack reports every resource as updated, AWS those that were: keep to what the plan announced."""

    def report_planned(verb: str, resource: str, detail: str) -> None:
        if resource in planned or verb == "failed":
            report(verb, resource, detail)

    return report_planned


def _follow(target: Target, report: Report, before: str | None) -> None:
    """Report the stack's events after `before` until it has come to rest."""
    seen, first_failure = {before}, None
    while True:
        stack = describe_stack(target)
        for event in _events_since(target, seen):
            first_failure = first_failure or _real_failure(event)
            _report_event(target, event, report)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(target.poll_s)
    if stack is not None and stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise DeployError(
            f"{first_failure or stack.get('StackStatusReason') or stack['StackStatus']} "
            f"Everything else was put back as it was; mend it and run the same command again."
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


def _latest_event(target: Target) -> str | None:
    return target.cloudformation.describe_stack_events(StackName=target.stack_name)["StackEvents"][0]["EventId"]


def _stack_id(target: Target) -> str:
    """A deleted stack is found by its id only; a living one by its name too."""
    stack = describe_stack(target)
    return stack["StackId"] if stack and "StackId" in stack else target.stack_name


def _real_failure(event: StackEventTypeDef) -> str | None:
    """The sentence about a resource that failed by itself, not because another one did."""
    reason = event.get("ResourceStatusReason", "")
    if not event.get("ResourceStatus", "").endswith("_FAILED") or "cancelled" in reason:
        return None
    return f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}) failed: {reason.rstrip('.')}."


def _report_event(target: Target, event: StackEventTypeDef, report: Report) -> None:
    verb = _DONE.get(event.get("ResourceStatus", ""))
    if verb is None or event.get("LogicalResourceId") == target.stack_name:
        return
    kind = event.get("ResourceType", "").removeprefix("AWS::").replace("::", " ")
    report(
        verb, event.get("LogicalResourceId", ""), event.get("ResourceStatusReason", "") if verb == "failed" else kind
    )


def _delete_stack(target: Target, report: Report) -> None:
    target.cloudformation.delete_stack(StackName=target.stack_name)
    while (stack := describe_stack(target)) is not None and stack["StackStatus"] != "DELETE_COMPLETE":
        if stack["StackStatus"] == "DELETE_FAILED":
            raise DeployError(f"The stack {target.stack_name} could not be deleted: {stack.get('StackStatusReason')}")
        time.sleep(target.poll_s)
    report("removed", target.stack_name, "CloudFormation stack")
