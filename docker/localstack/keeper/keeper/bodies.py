"""An object's content while LocalStack works with it: a temporary file, then the kept file itself.

LocalStack would hold every object in a temporary file of its own. Here that file is given back once the content is
kept: an object takes its place on the disk once, and after a restart nothing has to be copied before it can be read.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO


class BodyFile:
    """A file that is first written, later read from where it is kept. Kept files are never written to.

    Not safe for threads: LocalStack holds a lock of its own around each seek and read; for `adopt` and `hold` the
    caller takes the same.
    """

    def __init__(self, *, spool_folder: str, spool_bytes: int, kept: Path | None = None) -> None:
        self._spool_folder = spool_folder
        self._spool_bytes = spool_bytes
        self._position = 0
        self._held: IO[bytes] | None = None
        self.kept = kept
        self.closed = False
        self._spool: IO[bytes] | None = None if kept else self._make_spool()

    def adopt(self, kept: Path) -> None:
        """Read from this file from now on; it has the same content."""
        self._drop()
        self.kept = kept

    def hold(self) -> None:
        """Keep the content although its file is about to be removed."""
        if self.kept and not self._held:
            self._held = self.kept.open("rb")

    def seek(self, offset: int, whence: int = 0) -> int:
        if self._spool:
            self._position = self._spool.seek(offset, whence)
        else:
            start = {0: 0, 1: self._position, 2: self._size()}[whence]
            self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self._check_open()
        if self._spool:
            found = self._spool.read(size)
        elif self._held:
            found = _read_at(self._held, self._position, size)
        else:
            # Opened for each read: thousands of objects must not cost thousands of file handles.
            assert self.kept is not None  # noqa: S101 - neither spool nor kept file is a closed body
            with self.kept.open("rb") as file:
                found = _read_at(file, self._position, size)
        self._position += len(found)
        return found

    def write(self, content: bytes) -> int:
        spool = self._writable(keep_bytes=None)
        written = spool.write(content)
        self._position = spool.tell()
        return written

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        self._writable(keep_bytes=size).truncate(size)
        return size

    def close(self) -> None:
        """Let go of the content; the kept file stays."""
        self._drop()
        self.kept = None
        self.closed = True

    def _writable(self, keep_bytes: int | None) -> IO[bytes]:
        """The temporary file; made anew with the first bytes of the kept file (all: None) where there was one."""
        self._check_open()
        if self._spool:
            return self._spool
        position, spool = self._position, self._make_spool()
        self._position, left = 0, self._size() if keep_bytes is None else keep_bytes
        while left > 0 and (chunk := self.read(min(left, 1024 * 1024))):
            left -= spool.write(chunk)
        spool.seek(position)
        self._drop()
        self._position, self._spool, self.kept = position, spool, None
        return spool

    def _size(self) -> int:
        self._check_open()
        if self._held:
            return self._held.seek(0, 2)
        assert self.kept is not None  # noqa: S101 - as in read
        return self.kept.stat().st_size

    def _make_spool(self) -> IO[bytes]:
        return SpooledTemporaryFile(max_size=self._spool_bytes, dir=self._spool_folder)

    def _drop(self) -> None:
        for file in (self._spool, self._held):
            if file:
                file.close()
        self._spool = self._held = None

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the object's content is gone")


def _read_at(file: IO[bytes], position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)
