"""Brings everything back at start. Reads the folder, never writes to it but for what a crash left half done."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from localstack.aws.connect import connect_to

from ..objects import KeptBucket, ObjectShelf
from ..stacks import KeptStack, StackShelf
from .storage import LiveS3, find_bucket

LOG = logging.getLogger(__name__)
_POLL_S = 0.1
_STACK_PATIENCE_S = 300.0
_SETTLED = ("_COMPLETE", "_FAILED")


@dataclass
class Tally:
    stacks: int = 0
    failed_stacks: int = 0
    buckets: int = 0
    objects: int = 0
    size_bytes: int = 0

    def __str__(self) -> str:
        failed = f" ({self.failed_stacks} more could not be made, see above)" if self.failed_stacks else ""
        size_mb = self.size_bytes / 1e6
        return f"{self.stacks} stacks{failed}, {self.buckets} buckets, {self.objects} objects, {size_mb:.1f} MB"


def restore(objects: ObjectShelf, stacks: StackShelf, live: LiveS3) -> Tally:
    """Buckets that somebody made, with their objects (a stack may take its code from there); stacks; all the rest.

    One entry that does not come back does not keep the others from it.
    """
    tally = Tally()
    buckets = list(objects.list_buckets())
    for bucket in buckets:
        objects.drop_orphans(bucket.name)
        if not bucket.made_by_stack:
            _restore_bucket(bucket, objects, live, tally)
    for stack in stacks.list_stacks():
        _restore_stack(stack, tally)
    for bucket in buckets:
        # Also those that are there already: a stack that failed may have emptied them when its remains were removed.
        _restore_bucket(bucket, objects, live, tally)
    tally.buckets = sum(1 for bucket in buckets if find_bucket(bucket.name))
    return tally


def _restore_bucket(bucket: KeptBucket, objects: ObjectShelf, live: LiveS3, tally: Tally) -> None:
    try:
        if find_bucket(bucket.name) is None:
            _make_bucket(bucket)
    except Exception:
        LOG.error("keeper: bucket %s could not be made; its objects stay in the folder", bucket.name, exc_info=True)
        return
    for kept in objects.list_objects(bucket.name):
        try:
            if live.put_back(bucket.name, kept):
                tally.objects += 1
                tally.size_bytes += kept.size_bytes
        except Exception:
            LOG.error("keeper: %s/%s did not come back; it stays in the folder", bucket.name, kept.key, exc_info=True)


def _make_bucket(bucket: KeptBucket) -> None:
    s3 = connect_to(aws_access_key_id=bucket.account, region_name=bucket.region).s3
    where: Any = {}
    if bucket.region != "us-east-1":
        where = {"CreateBucketConfiguration": {"LocationConstraint": bucket.region}}
    s3.create_bucket(Bucket=bucket.name, **where)
    if bucket.versioning:
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": bucket.versioning})


def _restore_stack(stack: KeptStack, tally: Tally) -> None:
    cloudformation = connect_to(aws_access_key_id=stack.account, region_name=stack.region).cloudformation
    try:
        status, reason = _make_stack(cloudformation, stack)
        if status == "CREATE_COMPLETE":
            tally.stacks += 1
            return
        LOG.error("keeper: stack %s did not come back: %s %s", stack.name, status, reason)
        _clear_remains(cloudformation, stack.name)
    except Exception:
        LOG.error("keeper: stack %s did not come back; it stays in the folder", stack.name, exc_info=True)
    tally.failed_stacks += 1


def _make_stack(cloudformation: Any, stack: KeptStack) -> tuple[str, str]:
    """By a change set, as those that `up` made: the stack's next change set then finds the same beginnings."""
    change_set = cloudformation.create_change_set(
        StackName=stack.name,
        ChangeSetName="brought-back",
        ChangeSetType="CREATE",
        TemplateBody=stack.template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
        Capabilities=stack.capabilities,
        Tags=stack.tags,
    )["Id"]
    answer = _wait(lambda: cloudformation.describe_change_set(ChangeSetName=change_set), "Status")
    if answer["Status"] != "CREATE_COMPLETE":
        return answer["Status"], answer.get("StatusReason", "")
    cloudformation.execute_change_set(ChangeSetName=change_set)
    # Not the stack's status: it is CREATE_FAILED at the first resource that fails, while others are still being made.
    _wait(lambda: cloudformation.describe_change_set(ChangeSetName=change_set), "ExecutionStatus")
    answer = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    return answer["StackStatus"], answer.get("StackStatusReason", "")


def _clear_remains(cloudformation: Any, name: str) -> None:
    """Remove a half-made stack now, while its buckets are empty.

    Whoever makes it anew deletes it first, and LocalStack empties the buckets of a stack that it deletes.
    """
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=name)
    _wait(lambda: cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0], "StackStatus")


def _wait(describe: Any, status: str) -> Any:
    """Raises: TimeoutError"""
    give_up = time.monotonic() + _STACK_PATIENCE_S
    while True:
        answer = describe()
        if answer[status].endswith(_SETTLED):
            return answer
        if time.monotonic() > give_up:
            raise TimeoutError(f"it was still {answer[status]} after {_STACK_PATIENCE_S:.0f} seconds")
        time.sleep(_POLL_S)
