"""Parquet files and workbooks become CSV: exact numbers, text as it is, and memory that is bounded."""

import csv
import datetime
import decimal
import io
import os
import subprocess
import sys
import tempfile
import zipfile

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor import reading
from predictor.errors import BatchRefused
from predictor.reading import BytesSource, tables
from tests.predictor.files import Date, DateTime, Raw, Time, Wrong, xlsx, zipped
from tests.predictor.reading.reading_files import read_all, refusal_of

DAY = datetime.date(2024, 1, 2)
MOMENT = datetime.datetime(2024, 1, 2, 3, 4, 5)


def _parquet(columns: dict, **options: object) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(columns, strict=False).write_parquet(stream, **options)
    return stream.getvalue()


COLUMNS = {
    "float": (pl.Series([0.30000000000000004, 1e22, None]), ["0.30000000000000004", "1e+22", ""]),
    "float that is whole": (pl.Series([3.0, -0.0, None]), ["3.0", "-0.0", ""]),
    "float of 32 bits": (pl.Series([0.1, 0.5, None], dtype=pl.Float32), ["0.10000000149011612", "0.5", ""]),
    "integer": (pl.Series([2**63 - 1, -1, None]), ["9223372036854775807", "-1", ""]),
    "unsigned": (pl.Series([2**64 - 1, 0, None], dtype=pl.UInt64), ["18446744073709551615", "0", ""]),
    "text": (pl.Series(["007", " x ", None]), ["007", " x ", ""]),
    "quoted": (pl.Series(["a,b", 'q"', "two\nlines\r"]), ["a,b", 'q"', "two\nlines\r"]),
    "category": (pl.Series(["a", "b", None], dtype=pl.Categorical), ["a", "b", ""]),
    "boolean": (pl.Series([True, False, None]), ["true", "false", ""]),
    "date": (pl.Series([DAY, None, None]), ["2024-01-02", "", ""]),
    "moment": (pl.Series([MOMENT, None, None]), ["2024-01-02 03:04:05.000000", "", ""]),
    "duration": (pl.Series([datetime.timedelta(hours=1), None, None]), ["PT1H", "", ""]),
    "decimal": (pl.Series([decimal.Decimal("1.50"), None, None]), ["1.50", "", ""]),
    "list": (pl.Series([[1, 2], [], None]), ["[1, 2]", "[]", ""]),
    "struct": (pl.Series([{"x": 1.5, "é": "é"}, None, None]), ['{"x": 1.5, "é": "é"}', "", ""]),
    "bytes": (pl.Series([b"text", b"", None]), ["text", "", ""]),
    "nothing": (pl.Series([None, None, None], dtype=pl.Null), ["", "", ""]),
    'a name, "quoted"': (pl.Series([1, 2, 3]), ["1", "2", "3"]),
}


@pytest.fixture(scope="module")
def cells_read() -> dict[str, tuple[str, ...]]:
    """The cells by column, of a Parquet file of all kinds of columns."""
    text = read_all(_parquet({name: values for name, (values, _) in COLUMNS.items()}))
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return dict(zip(header, zip(*rows, strict=True), strict=True))


@pytest.mark.parametrize("name", COLUMNS)
def test_read_parquet_value_stands_in_its_cell_exactly(cells_read, name):
    assert list(cells_read[name]) == COLUMNS[name][1]


def test_read_parquet_of_one_column_keeps_rows_without_a_value():
    assert read_all(_parquet({"a": ["x", None, "", "y"]})) == 'a\nx\n""\n""\ny\n'


# Few examples, each of many numbers: each starts a process.
@settings(max_examples=3, deadline=None)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=50))
def test_read_table_of_any_floats_gives_the_same_floats(numbers):
    of_parquet = read_all(_parquet({"a": numbers})).split()[1:]
    of_workbook = read_all(xlsx({"A": [["a"], *([number] for number in numbers)]})).split()[1:]

    assert [float(cell) for cell in of_parquet] == numbers
    assert [float(cell) for cell in of_workbook] == numbers


def test_read_workbook_cells_are_exact():
    rows = [
        ["n", "text", "date", "moment", "time", "is"],
        [Raw("1"), "007", Date(45000), DateTime(45000), Time(0.25), True],
        [Raw("0.30000000000000004"), " x ", Date(45001), DateTime(45000.5), Time(0.5), False],
        [Raw("123456789012345"), "0.10", None, None, None, None],
        [Raw("1.0"), 'a,"b"', Wrong("#N/A"), None, None, None],
        [5e-324, "nan", None, None, None, None],
        [3.5, "1e5", None, None, None, None],
    ]

    assert read_all(xlsx({"A": rows})).splitlines() == [
        "n,text,date,moment,time,is",
        "1,007,2023-03-15,2023-03-15 00:00:00,06:00:00,true",
        "0.30000000000000004, x ,2023-03-16,2023-03-15 12:00:00,12:00:00,false",
        "123456789012345,0.10,,,,",
        '1,"a,""b""",,,,',
        "5e-324,nan,,,,",
        "3.5,1e5,,,,",
    ]


def test_read_workbook_empty_rows_become_empty_lines():
    rows = [["a", "b"], [1, 2], [None, None], [3, None], [None, 4]]

    assert read_all(xlsx({"A": rows})) == "a,b\n1,2\n\n3,\n,4\n"


def test_read_workbook_sheet_can_be_chosen():
    content = xlsx({"First": [["a"], [1]], "Second & last": [["b"], [2]]})

    assert read_all(content) == "a\n1\n"
    assert read_all(content, sheet="Second & last") == "b\n2\n"
    assert reading.recognise(BytesSource(content)).sheets == ("First", "Second & last")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1rest", "The Parquet file is damaged and cannot be opened."),
        (_parquet({"a": list(range(1000))})[:-100] + b"PAR1", "The Parquet file is damaged"),
        (_parquet({"a": [b"\xff\xfe"]}), "The Parquet file holds bytes that are no text, in 'a'. Leave them out."),
        (_parquet({}), "The file is empty"),
        (zipped({"xl/workbook.xml": b"<junk"}), "The Excel workbook is damaged and cannot be opened."),
        (xlsx({"A": []}), "The file is empty"),
    ],
)
def test_read_broken_table_refused_in_one_clear_sentence(content, message):
    assert message in refusal_of(content)


def test_read_sheet_that_is_not_there_refused_with_the_sheets_that_are():
    refusal = refusal_of(xlsx({"First": [["a"]], "Second": [["a"]]}), sheet="Third")

    assert refusal == "The workbook has no sheet 'Third'. It has 'First', 'Second'."


def test_read_workbook_over_its_limit_refused(monkeypatch):
    content = xlsx({"A": [["a"], *([n] for n in range(10_000))]})
    monkeypatch.setenv("PORTICO_WORKBOOK_MAX_BYTES", str(len(content) * 2))

    assert "unpacked; up to" in refusal_of(content)

    monkeypatch.setenv("PORTICO_WORKBOOK_MAX_BYTES", str(len(content) - 1))

    assert "Save the sheet as CSV." in refusal_of(content)


def test_read_workbook_with_a_cell_at_the_far_end_refused_and_not_opened(monkeypatch):
    far = xlsx({"A": [["a"], [1]]})
    # Seventeen thousand million cells, all but two of them empty.
    with_far_cell = _replace_in_zip(far, b'r="A2"', b'r="XFD1048576"')

    assert "takes more memory to be opened than there is" in refusal_of(with_far_cell)


def test_read_parquet_that_unpacks_to_more_than_the_memory_refused(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "400")
    content = _parquet({"a": pl.Series([0.5]).new_from_index(0, 50_000_000)}, row_group_size=50_000_000)
    assert len(content) < 1_000_000

    assert "takes more memory to be opened than there is" in refusal_of(content)


def test_read_table_leaves_nothing_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = BytesSource(_parquet({"a": range(1_000_000)}))

    chunks = reading.read(file, reading.recognise(file))
    next(chunks)
    assert len(os.listdir(tmp_path)) == 1
    chunks.close()

    assert os.listdir(tmp_path) == []


def test_read_table_with_the_disk_full_refused(monkeypatch):
    class Full(BytesSource):
        def chunks(self):
            yield self.range(0, 10)
            raise OSError(28, "No space left on device")

    file = Full(_parquet({"a": [1]}))

    with pytest.raises(BatchRefused, match="too large for the disk"):
        list(tables.read_table(file, "parquet", sheet=None))


def test_table_process_knows_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PORTICO_MANIFEST_KEY", "secret")

    assert "secret" not in tables._environment().values()


def test_start_of_a_function_imports_none_of_the_libraries_for_files():
    source = "import sys, predictor.handler; print({'polars', 'fastexcel', 'zstandard'} & set(sys.modules))"

    said = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, cwd="lambda_docker"
    )

    assert said.stdout.strip() == "set()"


def _replace_in_zip(content: bytes, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return zipped({name: archive.read(name).replace(old, new) for name in archive.namelist()})
