"""Does what `plan.py` decided: uploads the code, executes the change set, says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploy.buckets import has_bucket
from deploy.errors import DeployError
from deploy.following import Report, follow, latest_event
from deploy.outputs import function_names, stack_outputs
from deploy.package import Package
from deploy.plan import Plan, describe_stack, make_plan, read_manifest_key
from deploy.removal import delete_stack
from deploy.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import WaiterConfigTypeDef

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
        delete_stack(target, report)
        plan = make_plan(target, plan.package, with_service=plan.with_service)
    if plan.change_set:
        before = latest_event(target)
        target.cloudformation.execute_change_set(StackName=target.stack_name, ChangeSetName=plan.change_set)
        follow(target, _only({change.resource: change.verb for change in plan.changes}, report), before)
    # Whoever deploys to an account need not be let see its secrets; an emulator's portal is started with them.
    outputs = read_outputs(target) if target.is_emulated else read_plain_outputs(target)
    if target.image_is_tag and not plan.is_new:
        _take_image_again(target, outputs)
    return outputs


def read_plain_outputs(target: Target) -> dict[str, str]:
    """The stack's outputs, as CloudFormation gives them. Raises: DeployError: there is no stack"""
    stack = describe_stack(target)
    if stack is None:
        raise DeployError(
            f"There is no stack {target.stack_name} {target.place}. Make it with: python -m deploy up {target.options}"
        )
    return stack_outputs(stack)


def read_outputs(target: Target) -> dict[str, str]:
    """The stack's outputs; with them, where there are any, its secrets: what its functions check signatures with, and
    what the portal shows the user pool.

    Raises: DeployError: there is no stack
    """
    outputs = read_plain_outputs(target)
    secrets = {
        "ManifestKey": read_manifest_key(target, outputs.get("PredictFunctionName")),
        "UserPoolClientSecret": read_client_secret(target, outputs),
    }
    return outputs | {name: value for name, value in secrets.items() if value}


def read_client_secret(target: Target, outputs: Mapping[str, str]) -> str | None:
    """What the portal proves itself with to the user pool; Cognito keeps it, the stack does not."""
    if "UserPoolClientId" not in outputs:
        return None
    answer = target.users.describe_user_pool_client(
        UserPoolId=outputs["UserPoolId"], ClientId=outputs["UserPoolClientId"]
    )
    return answer["UserPoolClient"].get("ClientSecret")


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


def _only(planned: Mapping[str, str], report: Report) -> Report:
    """MiniStack reports every resource as updated, also one that is new; AWS those that were: keep to what the plan
    announced.
    """

    def report_planned(verb: str, resource: str, detail: str) -> None:
        if verb == "changed" and planned.get(resource) == "add":
            verb = "added"
        if resource in planned or verb == "failed":
            report(verb, resource, detail)

    return report_planned
