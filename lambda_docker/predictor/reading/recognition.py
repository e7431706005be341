"""What a file is, found out by its content and never by its name."""

import itertools
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.limits import MIB
from predictor.reading import json_lines, packings, tables
from predictor.reading.encodings import UTF8_BOM, UTF16_BOMS, NotUtf8, looks_like_utf16, to_utf8
from predictor.reading.packings import ZIP, packing_of, unpack
from predictor.reading.source import Source

CSV, JSON_LINES, PARQUET, XLSX = "csv", "jsonl", "parquet", "xlsx"
SAMPLE_BYTES = 1 * MIB

_TABLES = {PARQUET: "a Parquet file", XLSX: "an Excel workbook"}
_WORKBOOKS = frozenset({"xl/workbook.xml", "xl/workbook.bin"})
_OPEN_DOCUMENT = frozenset({"mimetype", "content.xml"})
# Longer than a name that a column might have.
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook, or one that is locked by a password",
    b"%PDF-": "a PDF",
    b"\x89PNG\r\n": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF89a": "a picture",
    b"ARROW1\0\0": "an Arrow (Feather) file",
    b"SQLite format 3\0": "a database",
    b"BZh91AY&SY": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"<?xml": "an XML file",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}
_PARQUET_MARK = b"PAR1"
_BEGINS_OBJECT = re.compile(r'\s*\{\s*["}]')
_BEGINS_ARRAY = re.compile(r"\s*\[\s*[{\]]")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's bytes are to be read. `sheet` and `sheets` are a workbook's.

    is_encoding_chosen: whether the encoding is somebody's wish, which is not to be corrected
    """

    format: str = CSV
    packing: str | None = None
    encoding: str = "utf-8"
    is_encoding_chosen: bool = False
    has_bare_cr: bool = False
    sheet: str | None = None
    sheets: tuple[str, ...] | None = None

    def is_plain(self) -> bool:
        """Whether the file's own bytes are read, and no normalised copy."""
        return self.format == CSV and self.packing is None and self.encoding == "utf-8" and not self.has_bare_cr

    def as_latin1(self) -> "Reading":
        """What is left to try where the bytes are no UTF-8. Raises: BatchRefused: UTF-8 was chosen."""
        if self.is_encoding_chosen:
            raise BatchRefused("The file is not UTF-8, which was chosen for it. Choose another encoding.")
        return replace(self, encoding="cp1252")

    def notes(self) -> list[str]:
        notes = [f"The file was unpacked from {self.packing}."] if self.packing else []
        if self.format == XLSX and len(self.sheets or ()) > 1:
            notes.append(f"The sheet {quoted(self.sheet)} of the workbook was read.")
        if self.encoding == "utf-16":
            notes.append("The file was read as UTF-16; the result is UTF-8.")
        if self.encoding == "cp1252":
            why = "which was chosen for it" if self.is_encoding_chosen else "since it is not UTF-8"
            notes.append(f"The file was read as Latin-1 (Windows-1252), {why}; the result is UTF-8.")
        return notes


def sniff(source: Source, *, encoding: str | None = None, sheet: str | None = None) -> tuple[Reading, bytes]:
    """How to read the file, and its first SAMPLE_BYTES or so as UTF-8 CSV.

    Args:   encoding, sheet: what somebody chose
    Raises: BatchRefused: empty, or nothing that is read here; ObjectMissing
    """
    return sample_of(source, recognise(source, encoding=encoding, sheet=sheet))


def recognise(source: Source, *, encoding: str | None = None, sheet: str | None = None) -> Reading:
    """What the file is, by its first bytes. Raises: BatchRefused: it is nothing that is read here; ObjectMissing."""
    head = _first_bytes(source.chunks())
    packing = packing_of(head)
    members = {member.filename for member in packings.members_of(source)} if packing == ZIP else set()
    if members >= _OPEN_DOCUMENT:
        raise _refusal_of("an OpenDocument spreadsheet")
    if _WORKBOOKS & members:
        sheets = tables.sheets_of(source)
        return Reading(format=XLSX, sheet=sheet or next(iter(sheets), None), sheets=sheets)
    if packing is not None:
        head = _first_bytes(unpack(source, packing))
    # A column may be called PAR1.
    if head.startswith(_PARQUET_MARK) and (b"\0" in head or b"\n" not in head):
        _refuse_packed(_TABLES[PARQUET], packing)
        return Reading(format=PARQUET)
    if packing is not None and packing_of(head) is not None:
        _refuse_packed("another archive or an Excel workbook", packing)
    for magic, kind in _FOREIGN.items():
        if head.lstrip().startswith(magic):
            raise _refusal_of(kind)
    found = encoding or ("utf-16" if looks_like_utf16(head) else "utf-8")
    return Reading(
        format=_format_of(head, found), packing=packing, encoding=found, is_encoding_chosen=encoding is not None
    )


def sample_of(source: Source, reading: Reading) -> tuple[Reading, bytes]:
    """`reading`, corrected where the sample shows it to be wrong, and the sample as UTF-8. Raises: as sniff."""
    try:
        sample = _take(read(source, reading), SAMPLE_BYTES)
    except NotUtf8:
        return sample_of(source, reading.as_latin1())
    if not sample.removeprefix(UTF8_BOM).strip():
        raise BatchRefused(
            "The file is empty. It needs a header row with the columns' names, and a row for each prediction."
        )
    if reading.format == CSV and b"\n" not in sample and b"\r" in sample and not reading.has_bare_cr:
        return sample_of(source, replace(reading, has_bare_cr=True))
    return reading, sample


def read(source: Source, reading: Reading) -> Generator[bytes, None, None]:
    """The file as chunks of UTF-8 CSV, byte for byte where it is plain.

    Raises: NotUtf8: it was to be UTF-8 and is not; BatchRefused: binary, broken, or too large to be opened
    """
    if reading.format in _TABLES:
        yield from tables.read_table(source, reading.format, sheet=reading.sheet)
        return
    text = to_utf8(unpack(source, reading.packing), reading.encoding)
    if reading.format == JSON_LINES:
        yield from json_lines.to_csv(text)
        return
    for chunk in text:
        yield chunk.replace(b"\r", b"\n") if reading.has_bare_cr else chunk


def _refusal_of(kind: str) -> BatchRefused:
    return BatchRefused(f"The file is {kind}, not CSV. Save it as CSV, JSON Lines, Parquet or XLSX.")


def _format_of(head: bytes, encoding: str) -> str:
    begin = head[:1000].decode("utf-16" if head.startswith(UTF16_BOMS) else encoding, errors="ignore")
    begin = begin.removeprefix("\ufeff")
    if _BEGINS_ARRAY.match(begin):
        raise BatchRefused("The file is one JSON array. Save it as JSON Lines, with one object on each line.")
    return JSON_LINES if _BEGINS_OBJECT.match(begin) else CSV


def _refuse_packed(kind: str, packing: str | None) -> None:
    if packing is not None:
        raise BatchRefused(f"The {packing} file holds {kind}. Send it as it is, not packed.")


def _first_bytes(chunks: Iterator[bytes]) -> bytes:
    """Enough to tell what it is; a packer's first pieces may be empty."""
    return _take(itertools.islice(chunks, 100), 1000)


def _take(chunks: Iterator[bytes], size_bytes: int) -> bytes:
    taken = bytearray()
    for chunk in chunks:
        taken += chunk[: size_bytes - len(taken)]
        if len(taken) >= size_bytes:
            break
    return bytes(taken)
