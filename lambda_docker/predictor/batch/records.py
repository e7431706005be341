"""Where CSV records end, on bytes: a line end inside a quoted cell ends nothing.

The rules are those of Python's csv module: a quote opens a cell only at the cell's very beginning, and a doubled quote
inside stands for one. So an inch mark in the middle of a cell (5" pipe) does not swallow the rows after it.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.batch.structure import count_lines, find_ends
from predictor.errors import BatchRefused
from predictor.limits import RECORD_MAX_BYTES, in_megabytes

QUOTE = b'"'

# A cutter's state between two steps, beside its ranges.
_KEPT = ("has_rows", "_line", "_begin", "_position", "_lines", "_crc32")


def split_records(block: bytes, delimiter: bytes) -> tuple[list[bytes], bytes]:
    """The complete records of a block that begins at a record's start, without their final newline, and the rest."""
    lines = block.split(b"\n")
    if QUOTE not in block:
        return lines[:-1], lines[-1]
    records: list[bytes] = []
    begun: list[bytes] = []
    for line in lines[:-1]:
        if _is_open_after(line, delimiter, inside=bool(begun)):
            begun.append(line)
        elif begun:
            records.append(b"\n".join([*begun, line]))
            begun = []
        else:
            records.append(line)
    return records, b"\n".join([*begun, lines[-1]])


def record_ends(block: bytes, delimiter: bytes) -> npt.NDArray[np.intp]:
    """Where the complete records of such a block end, after their newlines."""
    ends = find_ends(block, delimiter=delimiter.decode())
    if ends is not None:
        return ends
    records, _ = split_records(block, delimiter)
    return np.cumsum([len(record) + 1 for record in records], dtype=np.intp)


def is_blank(record: bytes) -> bool:
    """Whether a record is an empty line: it is passed through and is no row, as other CSV readers have it."""
    return not record.strip(b"\r\n ")


def is_open(record: bytes, delimiter: bytes) -> bool:
    """Whether a quote that this record opens is never closed."""
    return QUOTE in record and _is_open_after(record, delimiter, inside=False)


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes `start` to `end` (exclusive) of an object; the first is on `line`, from 1. crc32: of the bytes."""

    start: int
    end: int
    line: int
    crc32: int


@dataclass
class RangeCutter:
    """Cuts a stream into byte ranges of about `part_bytes` that end at record ends; holds one record at most.

    start: where the first record begins, as an offset in the object
    """

    delimiter: bytes
    start: int
    part_bytes: int
    max_bytes: int
    ranges: list[Range] = field(default_factory=list)
    has_rows: bool = False
    _rest: bytes = b""
    _line: int = 1
    _begin: int = 0
    _position: int = 0
    _lines: int = 0
    _crc32: int = 0

    def cut(self, chunks: Iterable[bytes], *, offset: int = 0, stop: Callable[[], bool] = bool) -> list[Range] | None:
        """The ranges of the object whose bytes from `offset` on are `chunks`; None where it was stopped before its end.

        Raises: BatchRefused: a quote is never closed; the file is too large
        """
        if not offset:
            self._begin = self._position = self.start
        skip = self._position - offset
        for chunk in chunks:
            if stop():
                return None
            skipped = min(skip, len(chunk))
            skip -= skipped
            self._line += chunk.count(b"\n", 0, skipped)
            self._take(self._rest + chunk[skipped:] if self._rest or skipped else chunk)
            self._check()
        self._add(self._rest)
        if self._position > self._begin:
            self._close()
        self.has_rows = self.has_rows or not is_blank(self._rest)
        return self.ranges

    @property
    def position(self) -> int:
        """Where the first record begins that was not taken yet."""
        return self._position

    def to_json(self) -> dict[str, Any]:
        """What a cutter of the same file needs to go on at `position`."""
        kept = {name: getattr(self, name) for name in _KEPT}
        return {**kept, "ranges": [asdict(part) for part in self.ranges]}

    def go_on(self, entry: Mapping[str, Any]) -> None:
        """Take over where another one stopped, by its to_json()."""
        for name in _KEPT:
            setattr(self, name, entry[name])
        self.ranges = [Range(**part) for part in entry["ranges"]]

    def _take(self, block: bytes) -> None:
        """Close a range wherever one is long enough; keep the unfinished record."""
        self.has_rows = self.has_rows or not is_blank(block)
        ends = record_ends(block, self.delimiter) if QUOTE in block else None
        complete = last_end(block, ends)
        view, taken = memoryview(block), 0
        while True:
            wanted = taken + self._begin + self.part_bytes - self._position
            end = first_end(block, ends, wanted, complete)
            if end is None:
                break
            self._add(view[taken:end])
            taken = end
            self._close()
        self._add(view[taken:complete])
        self._rest = block[complete:]

    def _add(self, piece: bytes | memoryview) -> None:
        self._position += len(piece)
        self._lines += count_lines(piece)
        self._crc32 = zlib.crc32(piece, self._crc32)

    def _close(self) -> None:
        self.ranges.append(Range(self._begin, self._position, self._line, self._crc32))
        self._begin, self._line = self._position, self._line + self._lines
        self._lines = self._crc32 = 0

    def _check(self) -> None:
        if len(self._rest) > RECORD_MAX_BYTES:
            raise BatchRefused(
                f'A row of the file is longer than {in_megabytes(RECORD_MAX_BYTES)}. Probably a quote (") opens a '
                "cell and is never closed. Close it, or save the file as CSV again."
            )
        if self._position > self.max_bytes:
            raise BatchRefused(
                f"The file has more than {in_megabytes(self.max_bytes)}, which is the most that is scored at once. "
                "Split it."
            )


def last_end(block: bytes, ends: npt.NDArray[np.intp] | None) -> int:
    """Where the last complete record ends, 0 if there is none; where `ends` is None every newline ends one."""
    if ends is None:
        return block.rfind(b"\n") + 1
    return int(ends[-1]) if len(ends) else 0


def first_end(block: bytes, ends: npt.NDArray[np.intp] | None, wanted: int, complete: int) -> int | None:
    """The first end of a record at or after `wanted`; where `ends` is None every newline is one."""
    if ends is None:
        return block.find(b"\n", max(wanted - 1, 0), complete) + 1 or None
    place = int(np.searchsorted(ends, wanted))
    return int(ends[place]) if place < len(ends) else None


def _is_open_after(line: bytes, delimiter: bytes, *, inside: bool) -> bool:
    """Whether a quoted cell is open at the end of the line, which begins `inside` one or at a cell's beginning."""
    if not inside and QUOTE not in line:
        return False
    position = 0
    while True:
        if inside or line.startswith(QUOTE, position):
            position = _after_closing(line, position if inside else position + 1)
            if position < 0:
                return True
            inside = False
        following = line.find(delimiter, position)
        if following < 0:
            return False
        position = following + 1


def _after_closing(line: bytes, position: int) -> int:
    """The offset after the quote that closes the cell, or -1."""
    while True:
        found = line.find(QUOTE, position)
        if found < 0:
            return -1
        if line[found + 1 : found + 2] != QUOTE:
            return found + 1
        position = found + 2
