"""CSV rows read and written by the compiled kernels, beside Python's float, csv and repr, and beside polars."""

import csv
import io
import math
import shutil
import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from predictor import native
from predictor.native import build
from predictor.native.rows import Numbers, Words, count_lines, read_rows, write_rows

needs_kernels = pytest.mark.skipif(native.kernels() is None, reason="no C++ compiler is here")

FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("d", struct.pack("Q", bits))[0]).filter(math.isfinite),
    st.integers(-(10**18), 10**18).map(float),
    st.integers(-400, 400).map(lambda power: float(f"1e{power}")).filter(math.isfinite),
)


def _read(body: str, *, width: int = 2, columns=(0,), newline: str = "\n", delimiter: str = ","):
    run = body.encode()
    return read_rows(run, delimiter=delimiter, newline=newline, width=width, columns=columns, count=run.count(b"\n"))


def test_kernels_are_there_where_a_compiler_is():
    if any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        assert native.kernels() is not None
        assert build.build() == native.library_path()


@needs_kernels
@settings(max_examples=500, deadline=None)
@given(number=FLOATS)
@example(number=5e-324)
@example(number=1.7976931348623157e308)
@example(number=9007199254740993.0)
@example(number=-0.0)
def test_number_is_read_as_python_and_written_as_polars_does(number):
    found = _read(f"{number!r},x\n{number:.17g},x\n")
    written = _write([number])

    assert [math.copysign(1, read) for read in found.numbers[0]] == [math.copysign(1, number)] * 2
    assert found.numbers[0].tolist() == [number, number]
    assert written == _write_with_polars([number])
    assert struct.pack("d", float(written)) == struct.pack("d", number)


@needs_kernels
def test_many_numbers_of_each_size_are_written_as_polars_does():
    rng = np.random.default_rng(0)
    numbers = rng.random(200_000) * 10.0 ** rng.integers(-30, 30, 200_000)
    numbers[::3] = rng.random(len(numbers[::3]))
    numbers[1::7] = np.round(numbers[1::7], 2)

    assert _write(numbers) == _write_with_polars(numbers)


@needs_kernels
@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="0123456789+-.eEinfaNx_ \t", max_size=24))
@example(text="1e400")
@example(text="0x10")
@example(text="1e-400")
@example(text="infinity")
def test_text_is_taken_for_a_number_only_where_python_takes_it_for_the_same(text):
    found = _read(f"{text},x\n")

    number = found.numbers[0][0]
    assert math.isnan(number) or number == float(text)


@needs_kernels
@pytest.mark.parametrize(
    "body",
    ["1\n", "1,2,3\n", "1,2\n\n1,2\n", "\n", '1,"2"\n', "1,2\r\n", "1,2\r3\n", '"1",2\n', "1,2\n1\n"],
)
def test_run_that_is_not_made_of_regular_records_is_left_to_others(body):
    assert _read(body) is None


@needs_kernels
@pytest.mark.parametrize("body", ["1\n\n", " \n", "1\n \n", "\r\n"])
def test_blank_line_of_one_column_is_left_to_others(body):
    assert _read(body, width=1) is None


@needs_kernels
@pytest.mark.parametrize("body", ["1,2\n", "1,2\r\n1,2\n", "1\r,2\r\n", "1,2\r\r\n"])
def test_line_end_that_is_not_the_headers_is_left_to_others(body):
    assert _read(body, newline="\r\n") is None


@needs_kernels
@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.lists(st.text(alphabet="ab1.-é; ", max_size=6), min_size=3, max_size=3), min_size=1, max_size=20),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_records_are_found_as_the_csv_module_finds_them(rows, newline):
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter="\t", lineterminator=newline, quoting=csv.QUOTE_NONE).writerows(rows)

    found = _read(stream.getvalue(), width=3, columns=(2, 0), newline=newline, delimiter="\t")

    run = stream.getvalue().encode()
    texts = [run[begin:end].decode().split("\t") for begin, end in zip(found.begins, found.ends, strict=True)]
    assert texts == rows
    for place, column in enumerate((2, 0)):
        for row, number in zip(rows, found.numbers[place], strict=True):
            assert math.isnan(number) or number == float(row[column])


@needs_kernels
@settings(max_examples=200, deadline=None)
@given(junk=st.binary(max_size=80))
def test_bytes_of_any_kind_are_read_within_their_bounds(junk):
    newlines = junk.count(b"\n")
    for width in (1, 2, 5):
        found = read_rows(junk, delimiter=",", newline="\n", width=width, columns=[0], count=newlines)
        if found is not None:
            assert len(found.ends) == newlines
            assert (found.begins <= found.ends).all()
            assert not newlines or found.ends[-1] == len(junk) - 1


@needs_kernels
def test_cells_are_written_behind_their_records():
    run = "a;1\r\nö;2\r\n".encode()
    added = [Numbers(np.array([0.5, np.nan])), Words(["no", '"y;s"'], np.array([1, -1], np.int32))]

    written = write_rows(run, np.array([0, 5]), np.array([3, 9]), added, delimiter=";", newline="\r\n", decimal=",")

    assert bytes(written).decode() == 'a;1;0,5;"y;s"\r\nö;2;;\r\n'


def _write(numbers) -> str:
    nowhere = np.zeros(len(numbers), np.int64)
    column = Numbers(np.asarray(numbers, np.float64))
    written = write_rows(b"", nowhere, nowhere, [column], delimiter=",", newline="\n", decimal=".")
    return "".join(line.removeprefix(",") + "\n" for line in bytes(written).decode().splitlines())


def _write_with_polars(numbers) -> str:
    stream = io.BytesIO()
    pl.DataFrame({"a": np.asarray(numbers, np.float64)}).write_csv(stream, include_header=False)
    return stream.getvalue().decode()


@needs_kernels
@pytest.mark.parametrize(
    "block", [b"", b"\n", b"a", b"\n" * 255, b"\n" * 256, b"a\n" * 999 + b"b", bytes(range(256)) * 9]
)
def test_lines_are_counted(block):
    assert count_lines(block) == count_lines(memoryview(block)) == block.count(b"\n")
