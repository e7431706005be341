"""What the deployment does to whole buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def has_bucket(s3: S3Client, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        return False
    return True


def count_objects(s3: S3Client, bucket: str) -> str:
    """In words: "3 object versions"."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    count = sum(len(page.get("Versions", [])) for page in pages)
    return f"{count} object version{'' if count == 1 else 's'}"


def empty_bucket(s3: S3Client, bucket: str) -> int:
    """Delete every version, delete marker and unfinished upload: a bucket that holds any cannot be deleted.

    Returns: how many versions and markers were deleted
    """
    for uploads in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in uploads.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        named = [(item["Key"], item["VersionId"]) for item in page.get("Versions", [])]
        named += [(item["Key"], item["VersionId"]) for item in page.get("DeleteMarkers", [])]
        if named:
            objects = [{"Key": key, "VersionId": version} for key, version in named]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
            count += len(named)
    return count
