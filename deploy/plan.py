"""Decides what `up` has to do; `execute.py` does it. Nothing here changes a stack."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from deploy.errors import DeployError, EmulatorAway
from deploy.package import Package, build_package
from deploy.targets import Target, local_origins
from deploy.template import left_out_resources, render_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

DEFAULT_PORTAL_ORIGIN = local_origins(8000)
_VERBS = {"Add": "add", "Modify": "change", "Remove": "remove"}
# A stack in one of these was never finished: CloudFormation wants it deleted before it is made again.
_NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}


@dataclass(frozen=True)
class Change:
    """One resource that will be added, changed or removed."""

    verb: str
    resource: str
    kind: str
    replaces: bool = False


@dataclass(frozen=True)
class Plan:
    """What `up` will do: nothing when `change_set` is None.

    Attributes:
        package: the functions' code; None where the target's functions are an image
        is_new: the stack does not exist yet
        clear_remains: the remains of a creation that failed must be deleted first
    """

    package: Package | None
    parameters: Mapping[str, str]
    template: str
    is_new: bool
    clear_remains: bool = False
    change_set: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self.change_set is None and not self.clear_remains


def describe_stack(target: Target) -> StackTypeDef | None:
    """The stack as it is, or None.

    Raises: EmulatorAway: nothing answers at the target's endpoint
    """
    try:
        return target.cloudformation.describe_stacks(StackName=target.stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        if error.response["ResponseMetadata"].get("HTTPStatusCode") == 503:
            raise EmulatorAway(
                f"{target.endpoint_url} is not ready: {error.response['Error'].get('Message')}"
            ) from error
        raise DeployError(f"The stack could not be read: {error.response['Error'].get('Message')}") from error
    except (EndpointConnectionError, HTTPClientError) as error:
        raise EmulatorAway(
            f"Nothing answers at {target.endpoint_url}, where the {target.name} stack should be. "
            f"Start it with: {target.start_command}"
        ) from error


def wait_for_target(target: Target, seconds: float) -> None:
    """Return as soon as the target answers.

    Raises: EmulatorAway: it does not within `seconds`
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            describe_stack(target)
            return
        except EmulatorAway:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def make_plan(target: Target, package: Package | None = None) -> Plan:
    """Compare the template and the code with what is there, by a change set that is not executed yet.

    Raises: EmulatorAway, DeployError: the template or its parameters are not accepted
    """
    stack = describe_stack(target)
    if target.image is None:
        package = package or build_package()
    clear_remains = stack is not None and stack["StackStatus"] in _NEVER_MADE
    is_new = stack is None or clear_remains
    parameters = _decide_parameters(target, package, None if is_new else stack)
    template = render_template(parameters)
    plan = Plan(package, parameters, template, is_new=is_new, clear_remains=clear_remains)
    # A change set cannot be made while the remains are there: execute clears them and plans again.
    return plan if clear_remains else _with_change_set(target, plan)


def drop_plan(target: Target, plan: Plan) -> None:
    """Forget a plan that will not be executed."""
    if plan.change_set:
        target.cloudformation.delete_change_set(StackName=target.stack_name, ChangeSetName=plan.change_set)
        if plan.is_new:
            target.cloudformation.delete_stack(StackName=target.stack_name)


def read_manifest_key(target: Target, function: str | None) -> str | None:
    """The secret that the predict function has; None where it has none, or there is no function."""
    if function is None:
        return None
    try:
        settings = target.functions.get_function_configuration(FunctionName=function)
    except ClientError:
        return None
    return settings.get("Environment", {}).get("Variables", {}).get("PORTICO_MANIFEST_KEY")


def _decide_parameters(target: Target, package: Package | None, stack: StackTypeDef | None) -> dict[str, str]:
    """What the target says, over what the stack has, over the first-time defaults."""
    given = stack.get("Parameters", []) if stack else []
    before = {item["ParameterKey"]: item["ParameterValue"] for item in given}
    functions = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])} if stack else {}
    key = target.manifest_key
    if key is None:
        key = read_manifest_key(target, functions.get("PredictFunctionName")) or secrets.token_urlsafe(48)
    code = {"CodeBucket": target.code_bucket, "CodeKey": package.key} if package else {"ImageUri": target.image or ""}
    return {
        "PortalOrigin": DEFAULT_PORTAL_ORIGIN,
        **before,
        **target.parameters,
        "Environment": target.environment,
        "ManifestKey": key,
        **code,
    }


def _with_change_set(target: Target, plan: Plan) -> Plan:
    cloudformation, name = target.cloudformation, f"up-{uuid.uuid4().hex[:12]}"
    parameters: list[ParameterTypeDef] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in plan.parameters.items()
    ]
    try:
        cloudformation.create_change_set(
            StackName=target.stack_name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if plan.is_new else "UPDATE",
            TemplateBody=plan.template,
            Parameters=parameters,
            Capabilities=["CAPABILITY_IAM"],
        )
    except ClientError as error:
        raise DeployError(f"The template was not accepted: {error.response['Error'].get('Message')}") from error
    answer = _wait_for_change_set(target, name)
    if answer["Status"] == "FAILED":
        cloudformation.delete_change_set(StackName=target.stack_name, ChangeSetName=name)
        if _says_nothing_changed(answer.get("StatusReason", "")):
            return plan
        raise DeployError(f"The change could not be planned: {answer.get('StatusReason')}")
    left_out = left_out_resources(plan.parameters, plan.template)
    changes = (_read_change(item["ResourceChange"]) for item in answer.get("Changes", []))
    return replace(plan, change_set=name, changes=tuple(item for item in changes if item.resource not in left_out))


def _wait_for_change_set(target: Target, name: str) -> Any:
    cloudformation = target.cloudformation
    while True:
        answer = cloudformation.describe_change_set(StackName=target.stack_name, ChangeSetName=name)
        if answer["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            return answer
        time.sleep(target.poll_s)


def _says_nothing_changed(reason: str) -> bool:
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _read_change(change: Mapping[str, Any]) -> Change:
    return Change(
        verb=_VERBS.get(change["Action"], change["Action"].lower()),
        resource=change["LogicalResourceId"],
        kind=change["ResourceType"].removeprefix("AWS::").replace("::", " "),
        replaces=change.get("Replacement") == "True",
    )
