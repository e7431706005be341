"""S3: the whole object store of the portal. Keys are made here, from ids; nobody else names one.

Source: docs/contract.md section 2.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.http import content_disposition_header

from portal.errors import BackendFault
from portal.gateways.aws import aws_errors, client, is_error, signing_client

CHUNK_BYTES = 256 * 1024
MISSING = ("NoSuchKey", "404", "NotFound")


def quarantine_key(upload: uuid.UUID) -> str:
    return f"quarantine/{upload}"


def version_key(slug: str, number: int, file_name: str) -> str:
    return f"models/{slug}/{number}/{file_name}"


def live_key(slug: str) -> str:
    return f"models/{slug}/live.json"


def batch_key(user_id: int | str, batch: uuid.UUID, file_name: str) -> str:
    return f"batches/{user_id}/{batch}/{file_name}"


def page_key(slug: str) -> str:
    return f"pages/{slug}/page.json"


PAGES_INDEX_KEY = "pages/index.json"


@dataclass(frozen=True)
class PresignedPost:
    """Where and with which fields a browser may post one file."""

    url: str
    fields: dict[str, str]


def put_file(key: str, file: IO[bytes], *, content_type: str = "application/octet-stream") -> None:
    """Store a file of any size, in parts where it is large."""
    with aws_errors(f"storing {key}"):
        client("s3").upload_fileobj(file, settings.PORTICO_BUCKET, key, ExtraArgs={"ContentType": content_type})


def put_json(key: str, content: Any) -> None:
    """Store a small JSON document, replacing what was there."""
    put_text(key, json.dumps(content, ensure_ascii=False))


def put_page(key: str, content: Any) -> None:
    """As put_json, for browsers that are to ask each time whether it has changed."""
    put_text(key, json.dumps(content, ensure_ascii=False), CacheControl="no-cache")


def put_text(key: str, text: str, **headers: str) -> None:
    """Store a small JSON document that is written already, to the letter."""
    with aws_errors(f"storing {key}"):
        client("s3").put_object(
            Bucket=settings.PORTICO_BUCKET, Key=key, Body=text.encode(), ContentType="application/json", **headers
        )


def get_json(key: str) -> Any | None:
    """The JSON document at `key`, or None where there is none."""
    body = get_bytes(key)
    return None if body is None else json.loads(body)


def get_bytes(key: str) -> bytes | None:
    """A small object whole, or None where there is none."""
    try:
        with aws_errors(f"reading {key}"):
            return client("s3").get_object(Bucket=settings.PORTICO_BUCKET, Key=key)["Body"].read()
    except BackendFault as error:
        if is_error(error, *MISSING):
            return None
        raise


def list_after(start: str, *, prefix: str) -> Iterator[list[tuple[str, int]]]:
    """Keys under `prefix` that come after `start`, in order, with sizes; as many at a time as S3 lists.

    Raises: GatewayError
    """
    with aws_errors(f"listing {prefix}"):
        pages = (
            client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=settings.PORTICO_BUCKET, Prefix=prefix, **({"StartAfter": start} if start else {}))
        )
        for page in pages:
            yield [(str(entry["Key"]), int(entry["Size"])) for entry in page.get("Contents", [])]


def get_stream(key: str) -> tuple[int, Iterator[bytes]] | None:
    """An object's size in bytes and its content in chunks, or None where there is none."""
    try:
        with aws_errors(f"reading {key}"):
            answer = client("s3").get_object(Bucket=settings.PORTICO_BUCKET, Key=key)
    except BackendFault as error:
        if is_error(error, *MISSING):
            return None
        raise
    return answer["ContentLength"], answer["Body"].iter_chunks(CHUNK_BYTES)


def size_of(key: str) -> int | None:
    """An object's size in bytes, or None where there is none."""
    try:
        with aws_errors(f"looking at {key}"):
            return int(client("s3").head_object(Bucket=settings.PORTICO_BUCKET, Key=key)["ContentLength"])
    except BackendFault as error:
        if is_error(error, *MISSING):
            return None
        raise


def promote(upload: uuid.UUID, target: str) -> None:
    """Copy an upload out of quarantine to its immutable place. A target that is already there stays as it is.

    The body is copied by S3 itself; IfNoneMatch makes the second of two racing copies fail rather than overwrite. The
    emulator holds to that for uploads but not for copies, hence the look beforehand.
    """
    if size_of(target) is not None:
        return
    source = {"Bucket": settings.PORTICO_BUCKET, "Key": quarantine_key(upload)}
    try:
        with aws_errors(f"copying {source['Key']} to {target}"):
            client("s3").copy_object(Bucket=settings.PORTICO_BUCKET, Key=target, CopySource=source, IfNoneMatch="*")
    except BackendFault as error:
        if not is_error(error, "PreconditionFailed", "412"):
            raise


def delete(key: str) -> None:
    """Remove an object; it is no error if there is none."""
    with aws_errors(f"deleting {key}"):
        client("s3").delete_object(Bucket=settings.PORTICO_BUCKET, Key=key)


def delete_under(prefix: str) -> int:
    """Remove every object whose key begins with `prefix`, and every upload begun there. Returns how many objects."""
    removed, bucket = 0, settings.PORTICO_BUCKET
    with aws_errors(f"emptying {prefix}"):
        s3 = client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            removed += len(keys)
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
            for begun in page.get("Uploads", []):
                # An emulator may list more than the prefix asks for.
                if begun["Key"].startswith(prefix):
                    s3.abort_multipart_upload(Bucket=bucket, Key=begun["Key"], UploadId=begun["UploadId"])
    return removed


def presign_download(key: str, *, file_name: str, content_type: str, expires_s: int) -> str:
    """A link that saves this object under a name of our choice, until it expires."""
    disposition = content_disposition_header(as_attachment=True, filename=file_name) or "attachment"
    with aws_errors(f"presigning {key}"):
        return str(
            signing_client().generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": settings.PORTICO_BUCKET,
                    "Key": key,
                    "ResponseContentDisposition": disposition,
                    "ResponseContentType": content_type,
                },
                ExpiresIn=expires_s,
            )
        )


def presign_upload(key: str, *, max_bytes: int, expires_s: int, content_type: str = "text/csv") -> PresignedPost:
    """Let a browser or a script post exactly this key, at least 1 byte and at most `max_bytes`.

    Args: expires_s: until when the transfer has to begin
    """
    with aws_errors(f"presigning {key}"):
        answer = signing_client().generate_presigned_post(
            settings.PORTICO_BUCKET,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[["content-length-range", 1, max_bytes], {"Content-Type": content_type}],
            ExpiresIn=expires_s,
        )
    return PresignedPost(answer["url"], answer["fields"])


def browser_origin() -> str:
    """Scheme and host that presigned uploads go to: the page's CSP must allow it."""
    probe = presign_upload("probe", max_bytes=1, expires_s=60).url
    parts = urlsplit(probe)
    return f"{parts.scheme}://{parts.netloc}"
