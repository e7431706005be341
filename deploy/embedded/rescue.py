"""Carries a lost stack's objects over to its successor.

The emulator writes objects to disk at once and everything else when it ends in order. If the rest was lost, the old
bucket comes back without its stack: full, but under a name that nothing knows any more.
"""

from deploy.buckets import empty_bucket
from deploy.targets import Target


def carry_over_objects(target: Target, bucket: str) -> int:
    """Copy what the stack's earlier buckets hold into `bucket`, and remove them.

    Returns: how many objects were copied
    """
    s3, copied = target.s3, 0
    prefix = f"{target.stack_name}-bucket-"
    orphans = [item["Name"] for item in s3.list_buckets()["Buckets"] if item["Name"].startswith(prefix)]
    for orphan in sorted(set(orphans) - {bucket}):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=orphan):
            for item in page.get("Contents", []):
                s3.copy_object(Bucket=bucket, Key=item["Key"], CopySource={"Bucket": orphan, "Key": item["Key"]})
                copied += 1
        empty_bucket(s3, orphan)
        s3.delete_bucket(Bucket=orphan)
    return copied
