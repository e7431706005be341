"""A file's bytes, in order or from anywhere, wherever the file lies."""

import contextlib
import errno
import io
import tempfile
from collections.abc import Iterator
from typing import Protocol

from predictor import bucket
from predictor.errors import BatchRefused, ObjectMissing
from predictor.limits import MIB

_WINDOW_BYTES = 4 * MIB
# More at once is asked for by archives alone that are made to fill the memory.
_READ_MAX_BYTES = 64 * MIB


class Source(Protocol):
    """A file. `chunks` begins anew each time; `range` has its end exclusive."""

    def chunks(self) -> Iterator[bytes]: ...

    def range(self, start: int, end: int) -> bytes: ...

    @property
    def size_bytes(self) -> int: ...


class ObjectSource:
    """An object of the bucket. `start`: where its chunks begin."""

    def __init__(self, key: str, *, start: int = 0) -> None:
        self.key = key
        self._start = start
        self._size_bytes: int | None = None

    def chunks(self) -> Iterator[bytes]:
        return bucket.stream(self.key, start=self._start)

    def range(self, start: int, end: int) -> bytes:
        return bucket.read_range(self.key, start=start, end=min(end, self.size_bytes))

    @property
    def size_bytes(self) -> int:
        """Raises: ObjectMissing."""
        if self._size_bytes is None:
            head = bucket.head(self.key)
            if head is None:
                raise ObjectMissing(self.key)
            self._size_bytes = head.size_bytes
        return self._size_bytes


class BytesSource:
    """A file that is in memory already."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def chunks(self) -> Iterator[bytes]:
        return iter([self._body])

    def range(self, start: int, end: int) -> bytes:
        return self._body[start:end]

    @property
    def size_bytes(self) -> int:
        return len(self._body)


class SeekableFile(io.RawIOBase):
    """A source as the file object that zipfile reads; holds one window of it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0
        self._window = b""
        self._window_start = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size_bytes}[whence]
        self._position = max(0, begin + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._source.size_bytes - self._position)
        wanted = left if size < 0 else min(size, left)
        if wanted > _READ_MAX_BYTES:
            raise BatchRefused("The zip archive's table of contents is far too long. Pack the one file anew.")
        begin = self._position - self._window_start
        if not 0 <= begin <= begin + wanted <= len(self._window):
            self._window_start, begin = self._position, 0
            self._window = self._source.range(self._position, self._position + max(wanted, _WINDOW_BYTES))
        taken = self._window[begin : begin + wanted]
        self._position += len(taken)
        return taken


@contextlib.contextmanager
def local_copy(source: Source) -> Iterator[str]:
    """The path of the whole file on the disk, for as long as it is needed.

    Raises: BatchRefused: the disk is too small
    """
    with tempfile.NamedTemporaryFile(prefix="portico-") as file:
        try:
            for chunk in source.chunks():
                file.write(chunk)
            file.flush()
        except OSError as problem:
            if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise BatchRefused(
                "The file is too large for the disk on which it must be opened. Save it as CSV, which is read as it "
                "comes, or split it."
            ) from problem
        yield file.name
