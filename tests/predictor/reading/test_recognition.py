"""What a file is, is told by its content; what nobody can read is refused, and nothing makes the reader stumble."""

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor import reading
from predictor.errors import BatchRefused
from predictor.reading import BytesSource, NotUtf8, Reading
from tests.predictor.files import xlsx, zipped, zstd
from tests.predictor.reading.reading_files import read_all, refusal_of

TEXT = "a,b\n1,é\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (TEXT.encode(), Reading()),
        (TEXT.encode("utf-8-sig"), Reading()),
        (TEXT.encode("utf-16"), Reading(encoding="utf-16")),
        ((TEXT * 5).encode("utf-16-le"), Reading(encoding="utf-16")),
        (TEXT.encode("latin-1"), Reading(encoding="cp1252")),
        (b"PAR1,BZh,GIF8\n1,2,3\n", Reading()),
        (TEXT.replace("\n", "\r").encode(), Reading(has_bare_cr=True)),
        (b'{"a": 1}\n', Reading(format="jsonl")),
        (gzip.compress(b'{"a": 1}\n', mtime=0), Reading(format="jsonl", packing="gzip")),
        (zstd(TEXT.encode()), Reading(packing="zstd")),
        (zipped({"x": TEXT.encode()}), Reading(packing="zip")),
        (xlsx({"A": [["a"]]}), Reading(format="xlsx", sheet="A", sheets=("A",))),
    ],
    ids=["csv", "bom", "utf16", "utf16-no-bom", "latin1", "marks", "cr", "jsonl", "jsonl-gzip", "zstd", "zip", "xlsx"],
)
def test_sniff_tells_what_the_file_is(content, found):
    assert reading.sniff(BytesSource(content))[0] == found


def test_reading_is_plain_only_where_the_bytes_stay():
    assert Reading().is_plain()
    assert not any(
        other.is_plain()
        for other in (
            Reading(format="jsonl"), Reading(packing="zip"), Reading(encoding="cp1252"), Reading(has_bare_cr=True)
        )
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_sniff_with_the_encoding_chosen_reads_it_so(encoding):
    assert read_all(TEXT.encode(encoding), encoding=encoding) == TEXT


def test_sniff_utf8_that_was_chosen_and_is_none_refused():
    assert refusal_of(TEXT.encode("latin-1"), encoding="utf-8").startswith("The file is not UTF-8, which was chosen")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7", "a PDF"),
        (b"SQLite format 3\0", "a database"),
        (b"ARROW1\0\0\xff", "an Arrow (Feather) file"),
        (b"\xd0\xcf\x11\xe0\xa1", "an old Excel workbook, or one that is locked by a password"),
        (b"\n<html><table>", "a web page"),
        (gzip.compress(b"Rar!\x1a\x07\x01", mtime=0), "a RAR archive"),
        (zipped({"mimetype": b"application/x", "content.xml": b"<x/>"}), "an OpenDocument spreadsheet"),
    ],
)
def test_sniff_file_of_another_kind_refused_by_its_name(content, kind):
    assert refusal_of(content) == f"The file is {kind}, not CSV. Save it as CSV, JSON Lines, Parquet or XLSX."


@given(
    begin=st.sampled_from([b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06", b"\xff\xfe", b"{"]),
    rest=st.binary(max_size=300),
)
def test_sniff_of_any_junk_is_an_answer_or_a_refusal(begin, rest):
    file = BytesSource(begin + rest)

    with contextlib.suppress(BatchRefused, NotUtf8):
        found, _ = reading.sniff(file)
        assert isinstance(b"".join(reading.read(file, found)), bytes)


@given(
    place=st.integers(0, 400),
    byte=st.integers(0, 255),
    pack=st.sampled_from([gzip.compress, zstd, lambda content: zipped({"a": content})]),
)
def test_sniff_of_an_archive_with_one_byte_changed_is_an_answer_or_a_refusal(place, byte, pack):
    content = bytearray(pack(TEXT.encode() * 40))
    content[place % len(content)] = byte

    with contextlib.suppress(BatchRefused):
        reading.sniff(BytesSource(bytes(content)))
