"""The folder that everything is kept in. Only one LocalStack at a time may have it.

layout.json                                     {"layout": 1}
lock                                            locked by the process that uses the folder
new/                                            files that are being written; emptied at every start
stacks/<sha256 of account, region and name>.json
buckets/<bucket>/bucket.json
buckets/<bucket>/objects/<hh>/<sha256 of key>.json          key, metadata, name of the body
buckets/<bucket>/objects/<hh>/<sha256 of key>.<id>.body     <hh>: the hash's first two digits
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from .files import from_json, make_folder, sync_folders, to_json, write_through

LAYOUT = 1


class UnusableFolder(Exception):
    """The folder must not be touched; the message says why, and what to do."""


class KeptFolder:
    """A folder that is ours until it is closed or the process ends, however it ends."""

    def __init__(self, root: Path, lock: int) -> None:
        self.root = root
        self._new = root / "new"
        self._lock = lock

    @classmethod
    def open(cls, root: Path) -> Self:
        """Lock the folder, make it if it is not there, throw away what was half written.

        Raises: UnusableFolder: another process has it, it is of a later layout, it cannot be written
        """
        try:
            make_folder(root)
            lock = _lock(root)
        except OSError as error:
            raise UnusableFolder(
                f"{root} cannot be used: {error.strerror}. Is the volume mounted and writable?"
            ) from error
        folder = cls(root, lock)
        try:
            folder._check_layout()
            shutil.rmtree(folder._new, ignore_errors=True)
            make_folder(folder._new)
        except BaseException:
            folder.close()
            raise
        return folder

    def close(self) -> None:
        os.close(self._lock)

    def name_new(self) -> Path:
        """A path for a file that is being written; a rename takes it to its place."""
        return self._new / uuid.uuid4().hex

    def write_record(self, path: Path, record: dict[str, Any]) -> None:
        """Put a JSON file in its place, whole and on the disk, or leave what was there."""
        text = to_json(record)
        make_folder(path.parent)
        new = self.name_new()
        write_through(new, BytesIO(text))
        os.replace(new, path)
        sync_folders([path.parent])

    def discard(self, folder: Path) -> None:
        """Remove a folder at one stroke: after a crash in the middle it is gone, not half there."""
        gone = self.name_new()
        try:
            os.replace(folder, gone)
        except FileNotFoundError:
            return
        sync_folders([folder.parent])
        shutil.rmtree(gone, ignore_errors=True)

    def _check_layout(self) -> None:
        path = self.root / "layout.json"
        if not path.exists():
            self._new.mkdir(exist_ok=True)
            self.write_record(path, {"layout": LAYOUT})
            return
        try:
            layout = from_json(path.read_bytes()).get("layout")
        except ValueError as error:
            raise UnusableFolder(f"{path} cannot be read ({error}). Nothing was changed.") from error
        if layout != LAYOUT:
            raise UnusableFolder(
                f"{self.root} has layout {layout}, this version knows {LAYOUT}. Nothing was changed; use the version "
                f"that wrote it, or another folder."
            )


def _lock(root: Path) -> int:
    handle = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise UnusableFolder(
            f"Another LocalStack is using {root}. Stop it, or give this one a folder of its own (KEEPER_DIR)."
        ) from error
    return handle
