"""The bucket: its objects, its rule for browsers, and the form with which a browser uploads."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

from deploy.doctor.cloud import Cloud
from deploy.doctor.finding import Fault
from deploy.embedded.visitor import Upload, multipart
from deploy.targets import EMULATOR_CREDENTIALS, REGION

CONTENT = b"written by `python -m deploy doctor`"


def check_round_trip(cloud: Cloud) -> str:
    """What is put can be got, and leaves nothing behind: not even a version."""
    s3, bucket = cloud.target.s3, cloud.variables["PORTICO_BUCKET"]
    with _trial_key(cloud) as key:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=CONTENT)
            found = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            said = error.response["Error"].get("Message", "unknown error")
            raise Fault(f"{bucket}: {said}", f"Have the emulator make the bucket again: {cloud.restart}") from error
    if found != CONTENT:
        raise Fault(f"{bucket} gave back other bytes than it was given.", f"Start the emulator anew: {cloud.restart}")
    return f"{len(CONTENT)} bytes put, got, deleted"


def check_cors(cloud: Cloud, origins: str) -> str:
    """Browsers on the portal's pages may upload.

    Args: origins: the portal's addresses, with commas between them
    """
    wanted = set(origins.split(","))
    if missing := wanted - set(cloud.parameter("PortalOrigin").split(",")):
        raise Fault(
            f"The stack was made for a portal at {cloud.parameter('PortalOrigin')}, not at {_list(missing)}.",
            f"Tell it the portal's address: {cloud.deploy}",
        )
    try:
        rules = cloud.target.s3.get_bucket_cors(Bucket=cloud.variables["PORTICO_BUCKET"])["CORSRules"]
    except ClientError:
        rules = []
    allowed = {origin for rule in rules if "POST" in rule["AllowedMethods"] for origin in rule["AllowedOrigins"]}
    if missing := wanted - allowed - ({"*"} & allowed and wanted):
        raise Fault(
            f"The bucket lets browsers at {_list(allowed) or 'no address'} upload, not at {_list(missing)}.",
            f"The template says otherwise; have the emulator follow it: {cloud.restart}",
        )
    return _list(wanted)


def check_form(cloud: Cloud) -> str:
    """A form as the portal gives it to browsers, sent to the address that browsers know."""
    address = cloud.target.public_url or cloud.target.endpoint_url
    bucket = cloud.variables["PORTICO_BUCKET"]
    signer = boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    with _trial_key(cloud) as key:
        form = signer.generate_presigned_post(bucket, key, ExpiresIn=60)
        body, content_type = multipart({**form["fields"], "file": Upload("doctor.txt", CONTENT)})
        request = urllib.request.Request(form["url"], data=body, headers={"Content-Type": content_type})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 -- the emulator's address
                pass
        except urllib.error.HTTPError as error:
            with error:
                said = error.read()[:200].decode(errors="replace")
            raise Fault(
                f"{address} refused the form with {error.code}: {said}", f"Start anew: {cloud.restart}"
            ) from None
        except OSError as error:
            raise Fault(
                f"Browsers are sent to {address}, where nothing answers: {error}",
                f"Give PORTICO_PUBLIC_ENDPOINT_URL the address that browsers reach, then: {cloud.deploy}",
            ) from error
    return f"{urlsplit(address).netloc} took it"


@contextmanager
def _trial_key(cloud: Cloud) -> Iterator[str]:
    """A key that nobody else uses and S3 itself clears after a day; afterwards all its versions are gone."""
    key = f"quarantine/{uuid.uuid4()}"
    try:
        yield key
    finally:
        _delete_versions(cloud, key)


def _delete_versions(cloud: Cloud, key: str) -> None:
    s3, bucket = cloud.target.s3, cloud.variables["PORTICO_BUCKET"]
    try:
        answer = s3.list_object_versions(Bucket=bucket, Prefix=key)
        for item in [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=item["VersionId"])
    except ClientError:
        return  # there is no bucket: the check says so


def _list(addresses: set[str]) -> str:
    return ", ".join(sorted(addresses))
