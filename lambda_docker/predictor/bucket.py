"""The only module that speaks to S3, by boto3: one client a process, made when it is first needed.

What every cold start waits for is read by `signed_get` as long as nothing else needs boto3.

Region, endpoint and credentials come from the environment, as the AWS SDKs read them. botocore's exceptions stop here
where the caller can do something about them (ObjectMissing, ObjectTooLarge); others mean that S3 is away, and raise.
"""

import contextlib
import functools
import json
import os
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from predictor import signed_get, signed_request
from predictor.errors import ObjectMissing, ObjectTooLarge
from predictor.limits import MIB

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STREAM_CHUNK_BYTES = 4 * MIB
# Without the right to list the bucket, S3 answers 403 for an object that is not there.
_MISSING = frozenset({"404", "403", "NoSuchKey", "NotFound", "AccessDenied", "Forbidden"})

# The second: somebody else is writing the same key at this moment.
_THERE_ALREADY = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class Head(NamedTuple):
    """What S3 says of an object without giving it."""

    etag: str
    size_bytes: int


class Stored(NamedTuple):
    """An object's bytes and the ETag of exactly these bytes."""

    body: bytes
    etag: str


def name() -> str:
    return os.environ["PORTICO_BUCKET"]


def client() -> "S3Client":
    """The process's S3 client."""
    return _client_for(os.environ.get("AWS_ENDPOINT_URL"))


def head(key: str) -> Head | None:
    """ETag and size of an object, or None where there is none."""
    if signed_request.is_enough():
        try:
            etag, size_bytes = signed_get.head(name(), key)
        except ObjectMissing:
            return None
        return Head(etag=etag, size_bytes=size_bytes)
    from botocore.exceptions import ClientError

    try:
        answer = client().head_object(Bucket=name(), Key=key)
    except ClientError as error:
        if _is_missing(error):
            return None
        raise
    return Head(etag=answer["ETag"], size_bytes=answer["ContentLength"])


def read(key: str, *, limit_bytes: int) -> Stored:
    """A whole object.

    Raises: ObjectMissing; ObjectTooLarge: over `limit_bytes`, known before the body is read
    """
    if signed_request.is_enough():
        content, etag = signed_get.get(name(), key, limit_bytes=limit_bytes)
        return Stored(body=content, etag=etag)
    answer = _get(key)
    with contextlib.closing(answer["Body"]) as body:
        if answer["ContentLength"] > limit_bytes:
            raise ObjectTooLarge(answer["ContentLength"])
        return Stored(body=body.read(), etag=answer["ETag"])


def read_range(key: str, *, start: int, end: int) -> bytes:
    """Bytes `start` to `end` (exclusive) of an object. Raises: ObjectMissing; OSError: fewer bytes came."""
    if end <= start:
        return b""
    with contextlib.closing(_get(key, Range=f"bytes={start}-{end - 1}")["Body"]) as body:
        found = body.read()
    if len(found) != end - start:
        raise OSError(f"{len(found)} of {end - start} bytes of {key} came.")
    return found


def stream_range(key: str, *, start: int, end: int) -> Iterator[bytes]:
    """The same in chunks. Raises: as read_range, after the chunks that came."""
    came = 0
    with contextlib.closing(_get(key, Range=f"bytes={start}-{end - 1}")["Body"]) as body:
        for chunk in body.iter_chunks(STREAM_CHUNK_BYTES):
            came += len(chunk)
            yield chunk
    if came != end - start:
        raise OSError(f"{came} of {end - start} bytes of {key} came.")


def stream(key: str, *, start: int = 0) -> Iterator[bytes]:
    """An object from `start` on in chunks, in flat memory. Raises: ObjectMissing."""
    options = {"Range": f"bytes={start}-"} if start else {}
    with contextlib.closing(_get(key, **options)["Body"]) as body:
        yield from body.iter_chunks(STREAM_CHUNK_BYTES)


def write(key: str, body: bytes, *, content_type: str) -> None:
    client().put_object(Bucket=name(), Key=key, Body=body, ContentType=content_type)


def read_json(key: str, *, limit_bytes: int = 16 * MIB) -> Any:
    """An object's JSON. Raises: ObjectMissing; ObjectTooLarge; ValueError: it is not JSON."""
    return json.loads(read(key, limit_bytes=limit_bytes).body)


def write_json(key: str, value: object) -> None:
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    write(key, body, content_type="application/json")


def write_json_once(key: str, value: object) -> bool:
    """Write an object's JSON unless there is one of that key already; whether it was written."""
    from botocore.exceptions import ClientError

    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    try:
        client().put_object(Bucket=name(), Key=key, Body=body, ContentType="application/json", IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] in _THERE_ALREADY:
            return False
        raise
    return True


def start_upload(key: str, *, content_type: str, metadata: Mapping[str, str] | None = None) -> str:
    """The id of a new multipart upload; `metadata` will be the object's, ASCII."""
    answer = client().create_multipart_upload(
        Bucket=name(), Key=key, ContentType=content_type, Metadata=dict(metadata or {})
    )
    return answer["UploadId"]


def has_upload(key: str, *, upload: str) -> bool:
    """Whether the multipart upload still waits for its parts."""
    from botocore.exceptions import ClientError

    try:
        client().list_parts(Bucket=name(), Key=key, UploadId=upload, MaxParts=1)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchUpload", "404"):
            return False
        raise
    return True


def list_names(prefix: str) -> list[str]:
    """The rest of each key that begins with `prefix`."""
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=name(), Prefix=prefix)
    return [entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", ())]


def put_part(key: str, body: bytes | IO[bytes], *, upload: str, number: int) -> str:
    """Upload one part, replacing an earlier one of that number; its ETag. Raises: ObjectMissing: the upload is gone."""
    from botocore.exceptions import ClientError

    try:
        answer = client().upload_part(Bucket=name(), Key=key, UploadId=upload, PartNumber=number, Body=body)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchUpload":
            raise ObjectMissing(key) from error
        raise
    return answer["ETag"]


def complete_upload(key: str, *, upload: str, etags: dict[int, str]) -> None:
    """Put the parts together. Raises: ObjectMissing: the upload was completed or aborted before."""
    from botocore.exceptions import ClientError

    parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]
    try:
        client().complete_multipart_upload(
            Bucket=name(),
            Key=key,
            UploadId=upload,
            MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]  # the stubs want literal dicts
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchUpload":
            raise ObjectMissing(key) from error
        raise


def abort_upload(key: str, *, upload: str) -> None:
    """Drop a multipart upload and its parts; nothing happens where it is gone already."""
    from botocore.exceptions import ClientError

    try:
        client().abort_multipart_upload(Bucket=name(), Key=key, UploadId=upload)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchUpload":
            raise


def download_link(key: str, *, seconds: int, saved_as: str = "") -> str:
    """A link for people, so to where they reach the bucket: within docker-compose the function reaches it elsewhere.

    saved_as: what a browser calls the file, if it is to be kept and not shown (RFC 6266)
    """
    public = os.environ.get("PORTICO_PUBLIC_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL")
    wanted = {"Bucket": name(), "Key": key}
    if saved_as:
        from urllib.parse import quote  # here, as boto3: a prediction needs no links

        wanted["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(saved_as, safe='')}"
    return _client_for(public).generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)


def forget_clients() -> None:
    """For a process that was forked off: its connections are to be its own."""
    _client_for.cache_clear()
    signed_get.forget_connection()


@functools.lru_cache(maxsize=4)
def _client_for(endpoint: str | None) -> "S3Client":
    import boto3
    from botocore.config import Config

    # Path-style addresses work on AWS and need no wildcard DNS name for an emulator.
    config = Config(
        connect_timeout=3,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 3},
        s3={"addressing_style": "path"},
        signature_version="s3v4",
    )
    return boto3.client("s3", endpoint_url=endpoint, config=config)


def _get(key: str, **options: Any) -> Any:
    from botocore.exceptions import ClientError

    try:
        return client().get_object(Bucket=name(), Key=key, **options)
    except ClientError as error:
        if _is_missing(error):
            raise ObjectMissing(key) from error
        raise


def _is_missing(error: Any) -> bool:
    return error.response["Error"]["Code"] in _MISSING
