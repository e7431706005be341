"""What tests of the keeper share: a folder on its own, and an S3 that is a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from keeper.folder import KeptFolder
from keeper.objects import KeptBucket, KeptObject, ObjectShelf
from keeper.settling import Moved

BUCKET = KeptBucket(name="shop", account="000000000000", region="us-east-1")


class FailingReader:
    """Gives some bytes, then fails as a full disk does."""

    def __init__(self) -> None:
        self.calls = 0

    def read(self, size: int = -1) -> bytes:
        self.calls += 1
        if self.calls > 1:
            raise OSError(28, "No space left on device")
        return b"half"


@dataclass
class LiveThing:
    content: bytes
    attributes: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    body: Path | None = None
    moved: int = 0
    reads: int = 0

    @contextmanager
    def read(self) -> Iterator[BytesIO]:
        self.reads += 1
        if self.moved:
            self.moved -= 1
            raise Moved
        yield BytesIO(self.content)

    def adopt(self, body: Path) -> None:
        self.body = body


class LiveDictionary:
    """An S3 whose objects are put and taken away by tests."""

    def __init__(self) -> None:
        self.buckets = {BUCKET.name: BUCKET}
        self.objects: dict[str, LiveThing] = {}
        self.held: list[Path] = []

    def bucket(self, name: str) -> KeptBucket | None:
        return self.buckets.get(name)

    def object(self, bucket: str, key: str) -> LiveThing | None:
        return self.objects.get(key)

    def hold(self, bucket: str, body: Path) -> None:
        assert body.exists()
        self.held.append(body)

    def put(self, key: str, content: bytes, **attributes: Any) -> LiveThing:
        self.objects[key] = LiveThing(content, attributes)
        return self.objects[key]


def keep(shelf: ObjectShelf, key: str, content: bytes, **attributes: Any) -> KeptObject:
    return shelf.keep(BUCKET.name, key, attributes=attributes, tags={}, body=BytesIO(content))


def reopen(folder: KeptFolder) -> ObjectShelf:
    """What a new process finds."""
    folder.close()
    return ObjectShelf(KeptFolder.open(folder.root))


def bodies(root: Path) -> list[Path]:
    return list(root.rglob("*.body"))
