"""Where CSV records end, on bytes: a line end inside a quoted cell ends nothing.

The rules are those of Python's csv module: a quote opens a cell only at the cell's very beginning, and a doubled quote
inside stands for one. So an inch mark in the middle of a cell (5" pipe) does not swallow the rows after it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from predictor.errors import BatchRefused
from predictor.limits import RECORD_MAX_BYTES, in_megabytes

QUOTE = b'"'


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


def is_blank(record: bytes) -> bool:
    """Whether a record is an empty line: it is passed through and is no row, as other CSV readers have it."""
    return not record.strip(b"\r\n ")


def is_open(record: bytes, delimiter: bytes) -> bool:
    """Whether a quote that this record opens is never closed."""
    return QUOTE in record and _is_open_after(record, delimiter, inside=False)


@dataclass
class RangeCutter:
    """Cuts a stream into byte ranges of about `part_bytes` that end at record ends; holds one record at most.

    start: where the first record begins, as an offset in the object
    """

    delimiter: bytes
    start: int
    part_bytes: int
    max_bytes: int
    ranges: list[tuple[int, int]] = field(default_factory=list)
    has_rows: bool = False
    _rest: bytes = b""

    def cut(self, chunks: Iterable[bytes]) -> list[tuple[int, int]]:
        """The ranges (start, end exclusive) of the object whose bytes from offset 0 on are `chunks`.

        Raises: BatchRefused: a quote is never closed; the file is too large
        """
        skip, part_start, position = self.start, self.start, self.start
        for chunk in chunks:
            skipped = min(skip, len(chunk))
            skip -= skipped
            block = self._rest + chunk[skipped:]
            for end in self._ends(block, first=part_start + self.part_bytes - position):
                self.ranges.append((part_start, position + end))
                part_start = position + end
            position += len(block) - len(self._rest)
            self._check(position)
        if position + len(self._rest) > part_start:
            self.ranges.append((part_start, position + len(self._rest)))
        self.has_rows = self.has_rows or not is_blank(self._rest)
        return self.ranges

    def _ends(self, block: bytes, first: int) -> Iterator[int]:
        """Offsets in the block at which to cut, the first one not before `first`; keeps the unfinished record."""
        self.has_rows = self.has_rows or not is_blank(block)
        if QUOTE not in block:
            complete = block.rfind(b"\n") + 1
            self._rest = block[complete:]
            while first <= complete:
                end = block.find(b"\n", max(first - 1, 0), complete) + 1
                if not end:
                    return
                yield end
                first = end + self.part_bytes
            return
        records, self._rest = split_records(block, self.delimiter)
        end = 0
        for record in records:
            end += len(record) + 1
            if end >= first:
                yield end
                first = end + self.part_bytes

    def _check(self, position: int) -> None:
        if len(self._rest) > RECORD_MAX_BYTES:
            raise BatchRefused(
                f'A row of the file is longer than {in_megabytes(RECORD_MAX_BYTES)}. Probably a quote (") opens a '
                "cell and is never closed. Close it, or save the file as CSV again."
            )
        if position > self.max_bytes:
            raise BatchRefused(
                f"The file has more than {in_megabytes(self.max_bytes)}, which is the most that is scored at once. "
                "Split it."
            )


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
