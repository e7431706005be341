"""S3 as LocalStack has it now, and a storage for it that reads kept objects from where they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from weakref import WeakValueDictionary

from localstack import config
from localstack.services.s3.models import S3Bucket, S3DeleteMarker, S3Object, S3Store, s3_stores
from localstack.services.s3.storage.ephemeral import (
    S3_MAX_FILE_SIZE_BYTES,
    EphemeralS3ObjectStore,
    EphemeralS3StoredObject,
    LockedFileMixin,
)
from localstack.services.s3.utils import get_unique_key_id

from ..bodies import BodyFile
from ..files import Readable
from ..objects import KeptBucket, KeptObject
from ..settling import Moved


class _LockedBodyFile(LockedFileMixin, BodyFile):
    """A body with the locks that LocalStack's storage takes around every read and write."""


class KeeperStorage(EphemeralS3ObjectStore):
    """LocalStack's own storage, but for where an object's content is once it is kept."""

    def __init__(self, root_directory: str) -> None:
        super().__init__(root_directory)
        self._kept: WeakValueDictionary[Path, _LockedBodyFile] = WeakValueDictionary()

    def open(self, bucket: str, s3_object: S3Object, mode: Literal["r", "w"] = "r") -> EphemeralS3StoredObject:
        file = self._file(bucket, s3_object)
        return EphemeralS3StoredObject(s3_object=s3_object, file=file, mode=mode)

    def place(self, bucket: str, s3_object: S3Object, kept: Path) -> None:
        """Let an object's content be read from its kept file."""
        file = self._file(bucket, s3_object)
        file.internal_last_modified = s3_object.internal_last_modified
        self.adopt(file, kept)

    def adopt(self, file: _LockedBodyFile, kept: Path) -> None:
        with file.position_lock:
            file.adopt(kept)
            self._kept[kept] = file

    def hold(self, kept: Path) -> None:
        """Keep the content of a file that is about to be removed for the version that still reads it."""
        if file := self._kept.get(kept):
            with file.position_lock:
                if file.kept == kept:
                    file.hold()

    def _file(self, bucket: str, s3_object: S3Object) -> _LockedBodyFile:
        key = self._key_from_s3_object(s3_object)
        if not (file := self._get_object_file(bucket, key)):
            file = _LockedBodyFile(
                spool_folder=str(Path(self.root_directory) / bucket), spool_bytes=S3_MAX_FILE_SIZE_BYTES
            )
            self._filesystem[bucket]["keys"][key] = file
        return file


class LiveS3:
    """`settling.Live` for LocalStack."""

    def __init__(self, storage: KeeperStorage) -> None:
        self._storage = storage
        self.buckets_of_stacks: set[str] = set()
        """Buckets that CloudFormation made since the start."""

    def bucket(self, name: str) -> KeptBucket | None:
        """None also for LocalStack's own buckets: what it puts there it puts there again."""
        found = find_bucket(name)
        if found is None or found.bucket_account_id == config.INTERNAL_RESOURCE_ACCOUNT:
            return None
        return KeptBucket(
            name=name,
            account=found.bucket_account_id,
            region=found.bucket_region,
            versioning=str(found.versioning_status) if found.versioning_status else None,
            made_by_stack=name in self.buckets_of_stacks,
        )

    def object(self, bucket: str, key: str) -> _LiveObject | None:
        holder = find_bucket(bucket)
        current = holder.objects.get(key) if holder else None
        if holder is None or current is None or isinstance(current, S3DeleteMarker):
            return None
        return _LiveObject(self._storage, holder, current)

    def hold(self, bucket: str, body: Path) -> None:
        self._storage.hold(body)

    def put_back(self, bucket: str, kept: KeptObject) -> bool:
        """Make an object what it was, to the version id and the time. False where there is one already."""
        holder = find_bucket(bucket)
        if holder is None or holder.objects.get(kept.key):
            return False
        s3_object = S3Object(kept.key)
        vars(s3_object).update(kept.attributes)
        if holder.versioning_status is None:
            s3_object.version_id = None
        else:
            s3_object.version_id = s3_object.version_id or "null"
        self._storage.place(bucket, s3_object, kept.body)
        holder.objects.set(kept.key, s3_object)
        if kept.tags:
            name = get_unique_key_id(bucket, kept.key, s3_object.version_id)
            _store_of(holder).tags.update_tags(name, dict(kept.tags))
        return True


class _LiveObject:
    """`settling.LiveObject` for LocalStack."""

    def __init__(self, storage: KeeperStorage, bucket: S3Bucket, current: S3Object) -> None:
        self._storage = storage
        self._bucket = bucket
        self._object = current
        self._file: _LockedBodyFile | None = None

    @property
    def attributes(self) -> Mapping[str, Any]:
        return {name: value for name, value in vars(self._object).items() if name not in {"key", "is_current"}}

    @property
    def tags(self) -> Mapping[str, str]:
        name = get_unique_key_id(self._bucket.name, self._object.key, self._object.version_id)
        return dict(_store_of(self._bucket).tags.get_tags(name))

    @property
    def body(self) -> Path | None:
        return self._file.kept if self._file else None

    @contextmanager
    def read(self) -> Iterator[Readable]:
        with self._storage.open(self._bucket.name, self._object, mode="r") as stored:
            # No writer can come in now. One that was here before us may have left content whose object is not the
            # current one yet; objects that were copied onto themselves carry no time (0) and share their content.
            written = self._object.internal_last_modified
            if self._bucket.objects.get(self._object.key) is not self._object or written not in {
                0,
                stored.last_modified,
            }:
                raise Moved
            self._file = stored.file
            yield stored

    def adopt(self, body: Path) -> None:
        assert self._file is not None  # noqa: S101 - only called while it is being read
        self._storage.adopt(self._file, body)


def find_bucket(name: str) -> S3Bucket | None:
    """Bucket names are global: whose a bucket is need not be known."""
    account = s3_stores[config.INTERNAL_RESOURCE_ACCOUNT]["us-east-1"].global_bucket_map.get(name)
    return s3_stores[account]["us-east-1"].buckets.get(name) if account else None


def _store_of(bucket: S3Bucket) -> S3Store:
    return s3_stores[bucket.bucket_account_id][bucket.bucket_region]
