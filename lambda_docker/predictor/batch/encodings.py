"""What comes, as UTF-8: plain files pass through untouched, others are decoded in one streaming pass.

Chunks stand for a file's bytes in order; `Opener` gives them from the beginning, as often as it is asked.
"""

import codecs
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from predictor.errors import BatchRefused
from predictor.limits import MIB

Opener = Callable[[], Iterator[bytes]]

SAMPLE_BYTES = 1 * MIB
_INFLATED_BYTES = 4 * MIB
_GZIP = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file's bytes are to be read."""

    is_gzip: bool = False
    encoding: str = "utf-8"
    has_bare_cr: bool = False

    def is_plain(self) -> bool:
        """Whether the file's own bytes are read, and no normalised copy."""
        return not self.is_gzip and self.encoding == "utf-8" and not self.has_bare_cr

    def notes(self) -> list[str]:
        notes = ["The file was unpacked from gzip."] if self.is_gzip else []
        if self.encoding == "utf-16":
            notes.append("The file was read as UTF-16; the result is UTF-8.")
        if self.encoding == "cp1252":
            notes.append("The file was read as Latin-1 (Windows-1252), since it is not UTF-8; the result is UTF-8.")
        return notes


class NotUtf8(Exception):
    """The bytes are not UTF-8 after all."""


def sniff(opener: Opener) -> tuple[Reading, bytes]:
    """How to read the file, and its first SAMPLE_BYTES or so as UTF-8.

    Raises: BatchRefused: empty, or nothing that could be CSV
    """
    first = next((chunk for chunk in opener() if chunk), b"")
    reading = Reading(is_gzip=first.startswith(_GZIP))
    raw = _take(_bytes_of(opener, reading), SAMPLE_BYTES)
    for magic, kind in _FOREIGN.items():
        if raw.startswith(magic):
            raise BatchRefused(f"The file is {kind}, not CSV. Open it in your spreadsheet program and save it as CSV.")
    if raw.startswith(_UTF16_BOMS):
        reading = replace(reading, encoding="utf-16")
    return sample_as(opener, reading)


def sample_as(opener: Opener, reading: Reading) -> tuple[Reading, bytes]:
    """`reading`, corrected where the sample shows it to be wrong, and the sample as UTF-8."""
    try:
        sample = _take(read(opener, reading), SAMPLE_BYTES)
    except NotUtf8:
        return sample_as(opener, replace(reading, encoding="cp1252"))
    if not sample.removeprefix(_UTF8_BOM).strip():
        raise BatchRefused(
            "The file is empty. It needs a header row with the columns' names, and a row for each prediction."
        )
    if b"\n" not in sample and b"\r" in sample and not reading.has_bare_cr:
        return sample_as(opener, replace(reading, has_bare_cr=True))
    return reading, sample


def read(opener: Opener, reading: Reading) -> Generator[bytes, None, None]:
    """The file as UTF-8 chunks, byte for byte where it is plain.

    Raises: NotUtf8: it was to be UTF-8 and is not; BatchRefused: binary, or broken gzip
    """
    chunks = _bytes_of(opener, reading)
    decoded = _validate(chunks) if reading.encoding == "utf-8" else _decode(chunks, reading.encoding)
    for chunk in decoded:
        if b"\0" in chunk:
            raise BatchRefused("The file is not text: it holds NUL bytes. Save it as CSV with the encoding UTF-8.")
        yield chunk.replace(b"\r", b"\n") if reading.has_bare_cr else chunk


def _take(chunks: Iterator[bytes], size_bytes: int) -> bytes:
    taken = b""
    for chunk in chunks:
        taken += chunk
        if len(taken) >= size_bytes:
            break
    return taken


def _bytes_of(opener: Opener, reading: Reading) -> Iterator[bytes]:
    return _inflate(opener()) if reading.is_gzip else opener()


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, several members included, never more than _INFLATED_BYTES at a time."""
    member = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                if member.eof:
                    member = zlib.decompressobj(wbits=31)
                yield member.decompress(packed, _INFLATED_BYTES)
                packed = member.unconsumed_tail or member.unused_data
    except zlib.error:
        raise BatchRefused("The gzip file is damaged and cannot be unpacked. Send the CSV file itself.") from None
    if not member.eof:
        raise BatchRefused("The gzip file ends too early. Upload it again, or send the CSV file itself.")


def _validate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
            yield chunk
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as problem:
        raise NotUtf8 from problem


def _decode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("portico-latin1" if encoding == "cp1252" else "strict")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise BatchRefused("The file begins like UTF-16, but is not. Save it as CSV with the encoding UTF-8.") from None


def _as_latin1(problem: UnicodeError) -> tuple[str, int]:
    """Five bytes mean nothing in Windows-1252; they are taken for the control characters that they are in Latin-1."""
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    return problem.object[problem.start : problem.end].decode("latin-1"), problem.end


codecs.register_error("portico-latin1", _as_latin1)
