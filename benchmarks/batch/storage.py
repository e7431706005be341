"""A stand-in for S3 in the process that uses it: objects are files, so that a process's memory is its own.

It has the calls that the original handler and `predictor.bucket` make, and costs no network. A multipart object
stays the list of its parts: S3 puts them together on its side.
"""

import itertools
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

_READ_BYTES = 1 << 30
_PART_MIN_BYTES = 5 * 1024 * 1024
_PARTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes are those of its files, one after the other."""

    files: tuple[Path, ...]
    etag: str

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.files)


class Body:
    """What get_object gives to read from."""

    def __init__(self, files: tuple[Path, ...], *, start: int, end: int) -> None:
        self._files, self._start, self._end = files, start, end

    def read(self) -> bytes:
        pieces = list(self.iter_chunks(_READ_BYTES))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def iter_chunks(self, chunk_size: int = 1024) -> Iterator[bytes]:
        offset = 0
        for file in self._files:
            size = file.stat().st_size
            first, last = max(self._start - offset, 0), min(self._end - offset, size)
            offset += size
            if first >= last:
                continue
            with file.open("rb", buffering=0) as stream:
                stream.seek(first)
                for place in range(first, last, chunk_size):
                    yield stream.read(min(chunk_size, last - place))

    def close(self) -> None:
        pass


class FileS3:
    """One bucket in `folder`. Conditions, types and metadata are taken and not looked at.

    requests: how many of each price class there were: "GET", and "PUT" for all that writes, lists or begins an upload
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._objects: dict[str, StoredObject] = {}
        self._uploads: dict[str, dict[int, StoredObject]] = {}
        self._numbers = itertools.count(1)
        self.requests: Counter[str] = Counter()

    def adopt(self, key: str, file: Path) -> None:
        """Make an object of a file that lies there already."""
        self._objects[key] = StoredObject((file,), self._new_etag())

    def forget(self, prefix: str) -> None:
        """Drop all objects below a prefix, as if they had never been there."""
        for key in [key for key in self._objects if key.startswith(prefix)]:
            del self._objects[key]

    def files_of(self, key: str) -> tuple[Path, ...]:
        return self._find(key, "GetObject").files

    def get_object(self, *, Key: str, Range: str | None = None, **_: Any) -> dict[str, Any]:
        self.requests["GET"] += 1
        found = self._find(Key, "GetObject")
        start, end = 0, found.size_bytes()
        if Range is not None:
            first, _dash, last = Range.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1, end) if last else end
            if start >= end:
                raise _error("InvalidRange", "GetObject")
        return {"Body": Body(found.files, start=start, end=end), "ContentLength": end - start, "ETag": found.etag}

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:
        self.requests["GET"] += 1
        found = self._find(Key, "HeadObject", code="404")
        return {"ContentLength": found.size_bytes(), "ETag": found.etag, "Metadata": {}}

    def put_object(self, *, Key: str, Body: Any, **_: Any) -> dict[str, Any]:
        self._objects[Key] = self._write(Body)
        return {"ETag": self._objects[Key].etag}

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        self.requests["PUT"] += 1
        upload = f"upload-{next(self._numbers)}"
        self._uploads[upload] = {}
        return {"UploadId": upload}

    def upload_part(self, *, UploadId: str, PartNumber: int, Body: Any, **_: Any) -> dict[str, Any]:
        if not 1 <= PartNumber <= _PARTS_MAX:
            raise _error("InvalidArgument", "UploadPart")
        part = self._parts_of(UploadId, "UploadPart")[PartNumber] = self._write(Body)
        return {"ETag": part.etag}

    def list_parts(self, *, UploadId: str, **_: Any) -> dict[str, Any]:
        self.requests["PUT"] += 1
        parts = self._parts_of(UploadId, "ListParts")
        return {"Parts": [{"PartNumber": number, "ETag": part.etag} for number, part in sorted(parts.items())]}

    def complete_multipart_upload(
        self, *, Key: str, UploadId: str, MultipartUpload: dict[str, Any], **_: Any
    ) -> dict[str, Any]:
        self.requests["PUT"] += 1
        held = self._parts_of(UploadId, "CompleteMultipartUpload")
        wanted = MultipartUpload["Parts"]
        parts = [held.get(entry["PartNumber"]) for entry in wanted]
        if any(part is None or part.etag != entry["ETag"] for part, entry in zip(parts, wanted, strict=True)):
            raise _error("InvalidPart", "CompleteMultipartUpload")
        chosen = [part for part in parts if part is not None]
        if any(part.size_bytes() < _PART_MIN_BYTES for part in chosen[:-1]):
            raise _error("EntityTooSmall", "CompleteMultipartUpload")
        files = tuple(file for part in chosen for file in part.files)
        self._objects[Key] = StoredObject(files, self._new_etag())
        del self._uploads[UploadId]
        return {"ETag": self._objects[Key].etag}

    def abort_multipart_upload(self, *, UploadId: str, **_: Any) -> dict[str, Any]:
        self._parts_of(UploadId, "AbortMultipartUpload")
        del self._uploads[UploadId]
        return {}

    def list_objects_v2(self, *, Prefix: str = "", **_: Any) -> dict[str, Any]:
        self.requests["PUT"] += 1
        found = [(key, held) for key, held in sorted(self._objects.items()) if key.startswith(Prefix)]
        contents = [{"Key": key, "Size": held.size_bytes(), "ETag": held.etag} for key, held in found]
        return {"KeyCount": len(contents), "IsTruncated": False, **({"Contents": contents} if contents else {})}

    def get_paginator(self, operation: str) -> "Paginator":
        return Paginator(self, operation)

    def generate_presigned_url(self, operation: str, *, Params: dict[str, Any], ExpiresIn: int) -> str:
        return f"https://s3.invalid/{Params['Key']}?expires={ExpiresIn}"

    def _find(self, key: str, operation: str, *, code: str = "NoSuchKey") -> StoredObject:
        if key not in self._objects:
            raise _error(code, operation)
        return self._objects[key]

    def _parts_of(self, upload: str, operation: str) -> dict[int, StoredObject]:
        if upload not in self._uploads:
            raise _error("NoSuchUpload", operation)
        return self._uploads[upload]

    def _write(self, body: Any) -> StoredObject:
        self.requests["PUT"] += 1
        file = self._folder / f"object-{next(self._numbers)}"
        if hasattr(body, "read"):
            with file.open("wb") as stream:
                shutil.copyfileobj(body, stream)
        else:
            # As botocore does with text.
            file.write_bytes(body.encode() if isinstance(body, str) else body)
        return StoredObject((file,), self._new_etag())

    def _new_etag(self) -> str:
        return f'"{next(self._numbers):032x}"'


class Paginator:
    """One page."""

    def __init__(self, client: FileS3, operation: str) -> None:
        self._client, self._operation = client, operation

    def paginate(self, **options: Any) -> Iterator[dict[str, Any]]:
        yield getattr(self._client, self._operation)(**options)


def _error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)
