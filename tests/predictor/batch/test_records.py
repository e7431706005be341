"""Where records end: cutting a file anywhere must be the same as not cutting it."""

import csv
import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.batch.records import RangeCutter, is_open, split_records
from predictor.errors import BatchRefused

CELLS = st.text(alphabet='ab1 ,;"\n\r\té', max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=12)


def _write(rows: list[list[str]], newline: str = "\n") -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(rows)
    return stream.getvalue().encode()


def _cutter(part_bytes: int, **changes: int) -> RangeCutter:
    return RangeCutter(**{"delimiter": b",", "start": 0, "part_bytes": part_bytes, "max_bytes": 10**9, **changes})


@given(rows=ROWS, newline=st.sampled_from(["\n", "\r\n"]), part=st.integers(1, 60), chunk=st.integers(1, 40))
def test_cut_at_any_part_size_gives_the_same_records(rows, newline, part, chunk):
    content = _write(rows, newline)
    chunks = [content[begin : begin + chunk] for begin in range(0, len(content), chunk)]

    ranges = _cutter(part).cut(chunks)

    pieces = [content[cut.start : cut.end] for cut in ranges]
    cut = [record for piece in pieces for record in split_records(piece, b",")[0]]
    assert b"".join(pieces) == content
    assert cut == split_records(content, b",")[0]
    assert [part.crc32 for part in ranges] == [zlib.crc32(piece) for piece in pieces]
    assert [part.line for part in ranges] == [content.count(b"\n", 0, part.start) + 1 for part in ranges]


@given(rows=ROWS)
def test_split_gives_one_record_for_each_row_that_was_written(rows):
    records, rest = split_records(_write(rows), b",")

    parsed = [next(csv.reader(io.StringIO(record.decode(), newline=""))) for record in records]
    assert parsed == rows
    assert rest == b""


@given(text=st.text(alphabet='ab,"\n', max_size=40))
def test_split_of_any_junk_agrees_with_the_csv_module(text):
    expected = [row for row in csv.reader(io.StringIO(text, newline="")) if row]

    records, rest = split_records(text.encode(), b",")

    found = [next(csv.reader(io.StringIO(r.decode(), newline=""))) for r in [*records, rest] if r.strip(b"\n")]
    assert found == expected


def test_split_inch_mark_inside_a_cell_swallows_nothing():
    records, _ = split_records(b'5" pipe,1\n6" pipe,2\n', b",")

    assert records == [b'5" pipe,1', b'6" pipe,2']


def test_cut_ranges_are_not_smaller_than_asked_for_but_the_last():
    content = b"12345\n" * 100

    ranges = _cutter(20).cut([content])

    assert {cut.end - cut.start for cut in ranges[:-1]} == {24}


def test_cut_quote_that_is_never_closed_refused():
    with pytest.raises(BatchRefused, match="never closed"):
        _cutter(100).cut([b'1,"2\n' + b"3,4\n" * 100_000, b"3,4\n" * 200_000])


def test_cut_file_over_the_limit_refused():
    with pytest.raises(BatchRefused, match="Split it"):
        _cutter(100, max_bytes=10).cut([b"1,2\n" * 10])


@pytest.mark.parametrize(("content", "expected"), [(b"", False), (b"\n\r\n \n", False), (b"1", True), (b"\n1\n", True)])
def test_cut_tells_whether_there_are_rows(content, expected):
    cutter = _cutter(100)

    cutter.cut([content])

    assert cutter.has_rows is expected


@pytest.mark.parametrize(
    ("record", "expected"), [(b'1,"a', True), (b'1,"a""', True), (b'1,"a"', False), (b'1,a"', False), (b"1", False)]
)
def test_is_open_follows_the_rules_of_the_csv_module(record, expected):
    assert is_open(record, b",") is expected
