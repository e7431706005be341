"""Decides what `up` has to do; `execute.py` does it. Nothing here changes a stack."""

from __future__ import annotations

import secrets
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws.faults import explain_fault
from deploy.errors import DeployError, EmulatorAway
from deploy.outputs import stack_outputs
from deploy.package import Package, build_package
from deploy.parameters import decide_parameters
from deploy.targets import Target
from deploy.template import read_template, render_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

_VERBS = {"Add": "add", "Modify": "change", "Remove": "remove"}
# A stack in one of these was never finished: CloudFormation wants it deleted before it is made again.
_NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
_MESSAGE_AT_MOST = 600
# The template's default for ApiCorsOrigin: there is no published page.
ANY_ORIGIN = "*"
# What is lost with each of these, and comes back from no template.
DATA_KINDS = {
    "S3 Bucket": "models, uploads, batches",
    "Cognito UserPool": "people's accounts",
    "KMS Key": "the key without which no signed model is served",
    "ECR Repository": "the functions' images",
}
# MiniStack knows of no property of a bucket whether changing it replaces the bucket, and says "perhaps" of each.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
_REPLACES_A_BUCKET = {"BucketName"}


@dataclass(frozen=True)
class Change:
    """One resource that will be added, changed or removed.

    Attributes:
        replaces: a new one is made beside the old one, which then goes; `is_possible`: only perhaps
        keeps_old: what goes out of the stack stays in the account
    """

    verb: str
    resource: str
    kind: str
    replaces: bool = False
    is_possible: bool = False
    keeps_old: bool = False

    @property
    def loses(self) -> str | None:
        """Which data the stack has no more afterwards."""
        if not (self.replaces or self.verb == "remove"):
            return None
        return DATA_KINDS.get(self.kind)


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

    @property
    def with_service(self) -> bool:
        return self.parameters.get("WithService") != "false"

    def count_kinds(self) -> Counter[str]:
        """How many resources of each type the stack will have."""
        return Counter(entry["Type"] for entry in read_template(self.template)["Resources"].values())

    @property
    def losses(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.loses)


def describe_stack(target: Target) -> StackTypeDef | None:
    """The stack as it is, or None.

    Raises: EmulatorAway: nothing answers at the target's endpoint; DeployError: AWS does not let it be read
    """
    try:
        return target.cloudformation.describe_stacks(StackName=target.stack_name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        if target.is_emulated and error.response["ResponseMetadata"].get("HTTPStatusCode") == 503:
            raise EmulatorAway(
                f"{target.endpoint_url} is not ready: {error.response['Error'].get('Message')}"
            ) from error
        raise explain_fault(error, target) from error
    except BotoCoreError as error:
        raise explain_fault(error, target) from error


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


def make_plan(target: Target, package: Package | None = None, *, with_service: bool = True) -> Plan:
    """Compare the template and the code with what is there, by a change set that is not executed yet.

    Args:   with_service: False leaves only what keeps data
    Raises: EmulatorAway, DeployError: the template or its parameters are not accepted
    """
    stack = describe_stack(target)
    if target.is_zip:
        package = package or build_package()
    clear_remains = stack is not None and stack["StackStatus"] in _NEVER_MADE
    is_new = stack is None or clear_remains
    given = {} if stack is None or is_new else read_given(stack)
    parameters = decide_parameters(
        target,
        package,
        given,
        key=_find_key(target, stack if given else None),
        with_service=with_service,
    )
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


def read_given(stack: StackTypeDef) -> dict[str, str]:
    """The parameters that the stack was given; secret ones read as asterisks."""
    return {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}


def read_origin(target: Target) -> str:
    """Which origin the stack's API lets in."""
    stack = describe_stack(target)
    return read_given(stack).get("ApiCorsOrigin", ANY_ORIGIN) if stack else ANY_ORIGIN


def read_manifest_key(target: Target, function: str | None) -> str | None:
    """The secret that the predict function has; None where it has none, or there is no function."""
    if function is None:
        return None
    try:
        settings = target.functions.get_function_configuration(FunctionName=function)
    except ClientError:
        return None
    return settings.get("Environment", {}).get("Variables", {}).get("PORTICO_MANIFEST_KEY")


def _find_key(target: Target, stack: StackTypeDef | None) -> str:
    """What manifests are signed with: as the target says, else what the functions have, else a new one."""
    if target.manifest_key is not None:
        return target.manifest_key
    return read_manifest_key(target, stack_outputs(stack).get("PredictFunctionName")) or secrets.token_urlsafe(48)


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
        if error.response["Error"].get("Code") != "ValidationError":
            raise explain_fault(error, target) from error
        raise DeployError(f"The template was not accepted: {_say_shortly(error)}") from error
    answer, changes = _wait_for_change_set(target, name)
    if answer["Status"] == "FAILED":
        cloudformation.delete_change_set(StackName=target.stack_name, ChangeSetName=name)
        if plan.is_new:
            cloudformation.delete_stack(StackName=target.stack_name)
        if _says_nothing_changed(answer.get("StatusReason", "")):
            return plan
        raise DeployError(f"The change could not be planned: {answer.get('StatusReason')}")
    return replace(plan, change_set=name, changes=tuple(changes))


def _wait_for_change_set(target: Target, name: str) -> tuple[Any, list[Change]]:
    while True:
        answer = target.cloudformation.describe_change_set(StackName=target.stack_name, ChangeSetName=name)
        if answer["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            break
        time.sleep(target.poll_s)
    # A hundred changes a page, and a new stack has more.
    found = [_read_change(item["ResourceChange"]) for item in answer.get("Changes", [])]
    page: Any = answer
    while token := page.get("NextToken"):
        page = target.cloudformation.describe_change_set(
            StackName=target.stack_name, ChangeSetName=name, NextToken=token
        )
        found += [_read_change(item["ResourceChange"]) for item in page.get("Changes", [])]
    return answer, found


def _say_shortly(error: ClientError) -> str:
    """CloudFormation quotes the whole template where it is too long."""
    message = error.response["Error"].get("Message", "it does not say why")
    if "templateBody" in message and "51200" in message:
        return "it is longer than the 51,200 bytes that CloudFormation takes. This is a fault of Portico's: report it."
    return message if len(message) < _MESSAGE_AT_MOST else f"{message[:_MESSAGE_AT_MOST]} …"


def _says_nothing_changed(reason: str) -> bool:
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def _read_change(change: Mapping[str, Any]) -> Change:
    return Change(
        verb=_VERBS.get(change["Action"], change["Action"].lower()),
        resource=change["LogicalResourceId"],
        kind=change["ResourceType"].removeprefix("AWS::").replace("::", " "),
        replaces=_replaces(change),
        is_possible=change.get("Replacement") == "Conditional",
        keeps_old="Retain" in change.get("PolicyAction", ""),
    )


def _replaces(change: Mapping[str, Any]) -> bool:
    """Whether the resource is, or may be, made anew."""
    if change["ResourceType"] == "AWS::S3::Bucket" and change.get("Replacement") == "Conditional":
        changed = {detail["Target"].get("Name", "") for detail in change.get("Details", [])}
        return not changed or bool(changed & _REPLACES_A_BUCKET)
    return change.get("Replacement") in {"True", "Conditional"}
