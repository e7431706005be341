"""Deletes a stack and everything in it, whatever state it is in: also after an `up` that failed half-way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploy.aws.hosting import Page, is_of_amplify, look_for_page, remove_page
from deploy.buckets import count_objects, empty_bucket, has_bucket
from deploy.errors import DeployError
from deploy.following import Report, find_first_failure, settle
from deploy.plan import describe_stack, read_origin
from deploy.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef

_BUCKET, _REPOSITORY, _POOL, _KEY = (
    "AWS::S3::Bucket",
    "AWS::ECR::Repository",
    "AWS::Cognito::UserPool",
    "AWS::KMS::Key",
)
_NAMED = {_BUCKET, _REPOSITORY, _POOL, _KEY, "AWS::Logs::LogGroup", "AWS::Lambda::Function"}
_DELETED_AT_ONCE = 100
# AWS wants this one by its newer name only, and describes it by both.
_NOT_TAKEN_BACK = "UnusedAccountValidityDays"


def list_what_goes(target: Target) -> list[tuple[str, str]]:
    """Everything `delete_everything` will delete, as (what, kind): by name what keeps something or answers, counted by
    kind the rest. Empty when there is nothing.
    """
    named, counted = [], Counter[str]()
    if page := find_published_page(target):
        named.append((page.origin, "the published page, an app of Amplify Hosting"))
    for resource in _list_resources(target):
        name = resource.get("PhysicalResourceId") or resource["LogicalResourceId"]
        kind = resource["ResourceType"].removeprefix("AWS::").replace("::", " ")
        if resource["ResourceType"] in _NAMED:
            named.append((name, kind + _describe_content(target, resource["ResourceType"], name)))
        else:
            counted[kind] += 1
    return [*named, *((_count(kind, number), "") for kind, number in sorted(counted.items()))]


def delete_everything(target: Target, report: Report) -> None:
    """Take the page away, empty what holds data, then delete the stack and the code bucket. Safe to run again after an
    interruption."""
    withdraw_page(target, report)
    if settle(target, report) is not None:
        for resource in _list_resources(target):
            _release(target, resource, report)
        delete_stack(target, report)
    if has_bucket(target.s3, target.code_bucket):
        empty_bucket(target.s3, target.code_bucket)
        target.s3.delete_bucket(Bucket=target.code_bucket)
        report("removed", target.code_bucket, "S3 Bucket with the functions' packages")


def delete_stack(target: Target, report: Report) -> None:
    """Raises: DeployError: a resource stays; named after the first that would not go"""
    target.cloudformation.delete_stack(StackName=target.stack_name)
    while (stack := describe_stack(target)) is not None and stack["StackStatus"] != "DELETE_COMPLETE":
        if stack["StackStatus"] == "DELETE_FAILED":
            cause = find_first_failure(target) or stack.get("StackStatusReason")
            raise DeployError(f"The stack {target.stack_name} could not be deleted. {cause}")
        time.sleep(target.poll_s)
    report("removed", target.stack_name, "CloudFormation stack")


def withdraw_page(target: Target, report: Report) -> None:
    """Take the published page away, if there is one."""
    if page := find_published_page(target):
        remove_page(target, page)
        report("removed", page.origin, "the published page")


def find_published_page(target: Target) -> Page | None:
    """Raises: DeployError: the stack says that there is one, and Amplify does not let it be seen"""
    return None if target.is_emulated else look_for_page(target, must_know=is_of_amplify(read_origin(target)))


def _list_resources(target: Target) -> Iterator[StackResourceSummaryTypeDef]:
    """What the stack has now: of a failed one, that which was not rolled back."""
    if describe_stack(target) is None:
        return
    pages = target.cloudformation.get_paginator("list_stack_resources").paginate(StackName=target.stack_name)
    for resource in (summary for page in pages for summary in page["StackResourceSummaries"]):
        if resource["ResourceStatus"] != "DELETE_COMPLETE":
            yield resource


def _describe_content(target: Target, kind: str, name: str) -> str:
    if kind == _BUCKET and has_bucket(target.s3, name):
        return f", with {count_objects(target.s3, name)}"
    if kind == _REPOSITORY:
        return f", with {_count('image', len(_list_images(target, name)))}"
    if kind == _POOL and (pool := _describe_pool(target, name)) is not None:
        return f", with {_count('account', pool.get('EstimatedNumberOfUsers', 0))}"
    if kind == _KEY:
        return "" if target.is_emulated else ", some days later: until then `aws kms cancel-key-deletion` keeps it"
    return ""


def _count(what: str, number: int) -> str:
    plural = what if number == 1 else f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {plural}"


def _release(target: Target, resource: StackResourceSummaryTypeDef, report: Report) -> None:
    """What CloudFormation would not delete as it is: full buckets and registries, a pool that is protected."""
    kind, name = resource["ResourceType"], resource.get("PhysicalResourceId", "")
    if kind == _BUCKET and has_bucket(target.s3, name):
        report("emptied", name, _count("object version", empty_bucket(target.s3, name)))
    elif kind == _REPOSITORY and (images := _list_images(target, name)):
        for start in range(0, len(images), _DELETED_AT_ONCE):
            target.images.batch_delete_image(repositoryName=name, imageIds=images[start : start + _DELETED_AT_ONCE])
        report("emptied", name, _count("image", len(images)))
    elif kind == _POOL and (pool := _describe_pool(target, name)) and pool.get("DeletionProtection") == "ACTIVE":
        _unprotect_pool(target, pool)
        report("opened", name, "its protection against deletion is off")


def _list_images(target: Target, repository: str) -> list[Any]:
    """By digest, once each, however many tags they have."""
    pages = target.images.get_paginator("list_images").paginate(repositoryName=repository)
    try:
        found = {image["imageDigest"] for page in pages for image in page["imageIds"] if "imageDigest" in image}
    except target.images.exceptions.RepositoryNotFoundException:
        return []
    return [{"imageDigest": digest} for digest in sorted(found)]


def _describe_pool(target: Target, pool: str) -> Any:
    try:
        return target.users.describe_user_pool(UserPoolId=pool)["UserPool"]
    except ClientError as error:
        if error.response["Error"].get("Code") in {"ResourceNotFoundException", "InvalidParameterException"}:
            return None
        raise


def _unprotect_pool(target: Target, pool: Any) -> None:
    """An update resets whatever it does not name: for one, it would let everybody sign up. So all is named again.

    What reads as empty was never set, and is not taken back.
    """
    shape: Any = target.users.meta.service_model.operation_model("UpdateUserPool").input_shape
    kept = {name: value for name, value in pool.items() if value and name in shape.members}
    invitation = {**kept.get("AdminCreateUserConfig", {})}
    invitation.pop(_NOT_TAKEN_BACK, None)
    if invitation:
        kept["AdminCreateUserConfig"] = invitation
    target.users.update_user_pool(**{**kept, "UserPoolId": pool["Id"], "DeletionProtection": "INACTIVE"})
