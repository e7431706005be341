"""How a CSV file is written: what separates its cells, where its header is, which decimal mark its numbers have."""

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from predictor.batch.records import is_blank, is_open, split_records
from predictor.features import Feature
from predictor.limits import RECORD_MAX_BYTES

BOM = b"\xef\xbb\xbf"

_DELIMITERS = (",", ";", "\t", "|")
# Excel's first line for itself, which tells what separates the cells below.
_SEPARATOR_LINE = re.compile(rb'"?sep=([\t -~])"?\r?', re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_DECIMAL_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+\s*")
_COMPARED_BYTES = 64 * 1024
_COMPARED_ROWS = 20
_NUMBERS_ENOUGH = 1000

# Up to a whole record may be one cell; the csv module stops at 128 KiB otherwise.
csv.field_size_limit(RECORD_MAX_BYTES)


@dataclass(frozen=True, slots=True)
class Header:
    """A file's first record. `size_bytes`: of all up to where the first data record begins."""

    delimiter: str
    columns: list[str]
    newline: str
    size_bytes: int


def read_header(sample: bytes, *, names: Collection[str], delimiter: str | None = None) -> Header:
    """The header of the file that begins with `sample`; no columns where it cannot be read.

    Args:   names: those that are expected in it; delimiter: where it is known
    """
    skipped, told = _separator_line(sample)
    known = delimiter or told or _find_delimiter(sample[skipped:], names)
    record, size_bytes = _first_record(sample[skipped:], known)
    return Header(
        delimiter=known,
        columns=parse_record(record.removeprefix(BOM), known),
        newline="\r\n" if record.endswith(b"\r") else "\n",
        size_bytes=skipped + size_bytes,
    )


def find_decimal(rows: bytes, delimiter: str, *, positions: Sequence[int | None], features: Sequence[Feature]) -> str:
    """ "," where the first rows have numbers written so; else ".".

    Args:   positions: the column of each feature, None where it has none
    """
    # A cell of a file with commas would have to be quoted, and "1,500" in it is an American's 1500.
    if delimiter == ",":
        return "."
    pairs = zip(positions, features, strict=True)
    numeric = [place for place, feature in pairs if place is not None and feature.is_numeric]
    commas = points = thousands = 0
    for record in split_records(rows, delimiter.encode())[0] or [rows]:
        cells = parse_record(record, delimiter)
        numbers = [cells[place] for place in numeric if place < len(cells)]
        commas += sum(bool(_DECIMAL_COMMA.fullmatch(number)) for number in numbers)
        thousands += sum(bool(_THOUSANDS.fullmatch(number)) for number in numbers)
        points += sum(bool(_DECIMAL_POINT.fullmatch(number)) for number in numbers)
        if commas + points > _NUMBERS_ENOUGH:
            break
    # Semicolons come with decimal commas; beside tabs and bars, "1,500" alone proves nothing.
    is_proven = delimiter == ";" or commas > thousands
    return "," if commas > points and is_proven else "."


def parse_record(record: bytes, delimiter: str) -> list[str]:
    """A record's cells; none where it is no record that can be read."""
    if len(record) > RECORD_MAX_BYTES or is_open(record, delimiter.encode()):
        return []
    text = record.decode("utf-8", errors="replace").removesuffix("\r")
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _separator_line(sample: bytes) -> tuple[int, str | None]:
    """How long Excel's line about the separator is, with what stands before it, and what it says."""
    size_bytes = 0
    for line in sample[:_COMPARED_BYTES].split(b"\n"):
        size_bytes += len(line) + 1
        written = line.removeprefix(BOM)
        if not is_blank(written):
            told = _SEPARATOR_LINE.fullmatch(written)
            return (size_bytes, told[1].decode()) if told else (0, None)
    return 0, None


def _find_delimiter(sample: bytes, names: Collection[str]) -> str:
    """The delimiter under which the header has most of the names; then the one that most rows agree with."""
    wanted = {name.strip().casefold() for name in names}

    def merit(delimiter: str) -> tuple[int, int, int]:
        header, size_bytes = _first_record(sample, delimiter)
        cells = parse_record(header.removeprefix(BOM), delimiter)
        records = split_records(sample[size_bytes : size_bytes + _COMPARED_BYTES], delimiter.encode())[0]
        rows = [parse_record(record, delimiter) for record in records[:_COMPARED_ROWS]]
        alike = sum(len(row) == len(cells) for row in rows) if len(cells) > 1 else 0
        return len(wanted & {cell.strip().casefold() for cell in cells}), alike, len(cells)

    return max(_DELIMITERS, key=merit)


def _first_record(sample: bytes, delimiter: str) -> tuple[bytes, int]:
    """The first record that is no blank line, without its newline, and the offset after it."""
    # Nearly every header is short, and splitting the whole sample for it takes its time.
    for size_bytes in (_COMPARED_BYTES, len(sample)):
        records, rest = split_records(sample[:size_bytes], delimiter.encode())
        offset = 0
        for record in records:
            offset += len(record) + 1
            if not is_blank(record.removeprefix(BOM)):
                return record, offset
    return rest, offset + len(rest)
