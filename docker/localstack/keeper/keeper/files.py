"""Files that are either there in full or not at all, also after a power cut."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

CHUNK_BYTES = 1024 * 1024


class Readable(Protocol):
    """Anything with `read`; LocalStack's stored objects are no `IO`."""

    def read(self, size: int = ..., /) -> bytes | None: ...


def write_through(path: Path, source: Readable) -> int:
    """Copy `source` into the new file `path`; it is on the disk when this returns.

    Returns: bytes written
    Raises: OSError: the disk is full or broken; what was written is removed
    """
    written = 0
    try:
        with path.open("xb") as target:
            while chunk := source.read(CHUNK_BYTES):
                written += target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return written


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each known to the one that holds it before anything is put inside."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folders([path.parent])


def sync_folders(folders: Iterable[Path]) -> None:
    """Put the names in these folders on the disk: a rename alone may be undone by a power cut."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def to_json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, default=_date_to_json, indent=1).encode()


def from_json(text: bytes) -> dict[str, Any]:
    """Raises: ValueError: not a JSON object"""
    record = json.loads(text, object_hook=_date_from_json)
    if not isinstance(record, dict):
        raise ValueError("it is not a JSON object")
    return record


def _date_to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$date": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _date_from_json(value: dict[str, Any]) -> Any:
    return datetime.fromisoformat(value["$date"]) if value.keys() == {"$date"} else value
