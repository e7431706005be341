"""Buckets and objects in the folder: an object is there with content and metadata, or it is not there."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from .files import Readable, from_json, make_folder, sync_folders, to_json, write_through
from .folder import KeptFolder

LOG = logging.getLogger(__name__)
_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


@dataclass(frozen=True)
class KeptBucket:
    """
    Attributes:
        versioning: "Enabled", "Suspended" or None
        made_by_stack: CloudFormation made it, and will again
    """

    name: str
    account: str
    region: str
    versioning: str | None = None
    made_by_stack: bool = False


@dataclass(frozen=True)
class KeptObject:
    """
    Attributes:
        attributes: everything that S3 says about the object, tags apart
    """

    key: str
    body: Path
    size_bytes: int
    attributes: Mapping[str, Any]
    tags: Mapping[str, str]


class ObjectShelf:
    """Calls about one key, and calls about one bucket, must not overlap: `settling.py` sees to it."""

    def __init__(self, folder: KeptFolder) -> None:
        self._folder = folder
        self._buckets = folder.root / "buckets"

    # ---------------------------------------------------------------- buckets
    def keep_bucket(self, bucket: KeptBucket) -> None:
        self._folder.write_record(self._bucket(bucket.name) / "bucket.json", asdict(bucket))

    def forget_bucket(self, name: str) -> None:
        self._folder.discard(self._bucket(name))

    def find_bucket(self, name: str) -> KeptBucket | None:
        """None also where the record is unreadable: it is then written anew."""
        return self._read_bucket(self._bucket(name))

    def list_buckets(self) -> Iterator[KeptBucket]:
        """Every bucket with a record that can be read; the others are logged and left alone."""
        for path in sorted(self._buckets.glob("*/")):
            if bucket := self._read_bucket(path):
                yield bucket

    # ---------------------------------------------------------------- objects
    def keep(
        self, bucket: str, key: str, *, attributes: Mapping[str, Any], tags: Mapping[str, str], body: Readable | Path
    ) -> KeptObject:
        """Write an object; on the disk when this returns. The body of the object before it is still there.

        Args:
            body: the content, or the body of this key's kept object where only the metadata changed
        Raises:
            OSError: nothing was changed
        """
        record = self._record(bucket, key)
        make_folder(record.parent)
        new_body = None
        if isinstance(body, Path):
            place, size = body, body.stat().st_size
        else:
            new_body, place = self._folder.name_new(), record.with_name(f"{record.stem}.{uuid.uuid4().hex[:16]}.body")
            size = write_through(new_body, body)
        kept = KeptObject(key, place, size, attributes, tags)
        new_record = self._folder.name_new()
        try:
            write_through(new_record, BytesIO(_to_record(kept)))
            if new_body:
                os.replace(new_body, place)
            os.replace(new_record, record)
        except BaseException:
            _remove(new_record, *([new_body, place] if new_body else []))
            raise
        sync_folders([record.parent])
        return kept

    def forget(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are no error."""
        touched = set()
        for key in keys:
            record = self._record(bucket, key)
            if record.exists():
                record.unlink()
                touched.add(record.parent)
                _remove(*_bodies(record))
        sync_folders(touched)

    def find(self, bucket: str, key: str) -> KeptObject | None:
        """None also where the entry is unreadable: it is then written anew."""
        record = self._record(bucket, key)
        return _read_object(record) if record.exists() else None

    def list_objects(self, bucket: str) -> Iterator[KeptObject]:
        """Every object that can be read; the others are logged and left alone."""
        for record in sorted(self._bucket(bucket).glob("objects/*/*.json")):
            if kept := _read_object(record):
                yield kept

    def drop_orphans(self, bucket: str) -> int:
        """Remove bodies that a crash left without a record, or with one that names a newer body.

        Returns: how many were removed; a body beside a record that cannot be read is left alone
        """
        removed = 0
        for body in list(self._bucket(bucket).glob("objects/*/*.body")):
            record = body.with_name(f"{body.name.split('.')[0]}.json")
            if record.exists():
                kept = _read_object(record)
                if kept is None or kept.body == body:
                    continue
            body.unlink()
            removed += 1
        return removed

    # ------------------------------------------------------------------ paths
    def _read_bucket(self, path: Path) -> KeptBucket | None:
        record = path / "bucket.json"
        if not record.exists():
            return None
        try:
            return KeptBucket(**from_json(record.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            LOG.error("keeper: %s cannot be read, it is left as it is: %s", record, error)
            return None

    def _bucket(self, name: str) -> Path:
        if not _BUCKET_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a bucket")
        return self._buckets / name

    def _record(self, bucket: str, key: str) -> Path:
        """Any key becomes 64 safe characters: no slash, no dot-dot, no name over the file system's 255 bytes."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self._bucket(bucket) / "objects" / digest[:2] / f"{digest}.json"


def _to_record(kept: KeptObject) -> bytes:
    return to_json(
        {
            "key": kept.key,
            "body": kept.body.name,
            "size_bytes": kept.size_bytes,
            "tags": dict(kept.tags),
            "attributes": dict(kept.attributes),
        }
    )


def _read_object(record: Path) -> KeptObject | None:
    try:
        found = from_json(record.read_bytes())
        name = found["body"]
        if not name.startswith(record.stem) or "/" in name:
            raise ValueError("it names the body of another object")
        body = record.with_name(name)
        kept = KeptObject(found["key"], body, found["size_bytes"], found["attributes"], found["tags"])
        if body.stat().st_size != kept.size_bytes:
            raise ValueError(f"its body has {body.stat().st_size} bytes, not {kept.size_bytes}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        LOG.error("keeper: %s cannot be read, it is left as it is: %s", record, error)
        return None
    return kept


def _bodies(record: Path) -> list[Path]:
    return list(record.parent.glob(f"{record.stem}.*.body"))


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
