"""What runs in the process of its own: a Parquet file or a workbook in, CSV on standard output.

It ends with REFUSED and a sentence on standard error where the file is to blame.
"""

import contextlib
import json
import os
import resource
import sys
import zipfile
from typing import TYPE_CHECKING, BinaryIO, Literal

from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.limits import in_megabytes, limit
from predictor.reading.tables import REFUSED

if TYPE_CHECKING:
    import polars as pl

_SLICE_ROWS = 20_000
_DAMAGED = "The {} is damaged and cannot be opened. Save it again, or save it as CSV."
_NAMED_AT_MOST = 5
_DATED = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_MIDNIGHT = r"^(\d{4}-\d\d-\d\d) 00:00:00$"
_DAY_NOUGHT = r"^1899-12-31 (\d\d:\d\d:\d\d.*)$"


def main() -> None:
    """Do what the command line says, and end the process."""
    what, path, sheet = sys.argv[1:4]
    memory_bytes = int(sys.argv[4])
    # The data segment, not all addresses: polars reserves many of these and uses few.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        if what == "sheets":
            sys.stdout.buffer.write(json.dumps(Workbook(path).sheets()).encode())
        elif what == "xlsx":
            Workbook(path).write(sheet, sys.stdout.buffer)
        else:
            write_parquet(path, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BatchRefused as refusal:
        _refuse(str(refusal))
    except MemoryError:
        os.abort()
    except BaseException as problem:  # whatever the libraries raise at a broken file, panics included
        print(repr(problem)[:2000], file=sys.stderr)
        _refuse(_DAMAGED.format("Parquet file" if what == "parquet" else "Excel workbook"))


def write_parquet(path: str, stream: BinaryIO) -> None:
    """The file as CSV, row group by row group.

    Numbers are written with all their digits, 32-bit floats as the 64-bit ones that they become; lists and structs as
    JSON text; dates and times in ISO 8601; what is null as an empty cell.
    """
    import polars as pl

    table = pl.scan_parquet(path, glob=False, hive_partitioning=False, low_memory=True, cache=False)
    schema = table.collect_schema()
    written = table.select(_as_written(name, dtype) for name, dtype in schema.items())
    # A lone empty cell is quoted: an empty line would be no row.
    null_value = '""' if len(schema) == 1 else None
    try:
        written.sink_csv(stream, null_value=null_value, batch_size=_SLICE_ROWS, engine="streaming")
    except pl.exceptions.ComputeError as problem:
        if "invalid utf8" in str(problem):
            names = ", ".join(quoted(name) for name, dtype in schema.items() if dtype == pl.Binary)
            raise BatchRefused(
                f"The Parquet file holds bytes that are no text, in {names}. Leave them out."
            ) from problem
        raise


def _as_written(name: str, dtype: "pl.DataType") -> "pl.Expr":
    import polars as pl

    column = pl.col(name)
    if dtype.is_nested():
        return column.map_batches(_to_json, return_dtype=pl.String, is_elementwise=True)
    if dtype == pl.Binary:
        return column.cast(pl.String)
    if dtype.is_float():
        return column.cast(pl.Float64)
    if dtype.is_temporal():
        return column.dt.to_string("iso")
    return column if dtype.is_numeric() or dtype == pl.Boolean else column.cast(pl.String)


def _to_json(series: "pl.Series") -> "pl.Series":
    import polars as pl

    texts = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in series.to_list()
    ]
    return pl.Series(series.name, texts, dtype=pl.String)


class Workbook:
    """An Excel workbook, opened if it is within the limit."""

    def __init__(self, path: str) -> None:
        import fastexcel

        allowed = limit("PORTICO_WORKBOOK_MAX_BYTES")
        with zipfile.ZipFile(path) as archive:
            size_bytes = sum(member.file_size for member in archive.infolist())
        if size_bytes > allowed:
            raise BatchRefused(
                f"The Excel workbook has {in_megabytes(size_bytes)}, unpacked; up to {in_megabytes(allowed)} are "
                "opened. Save the sheet as CSV."
            )
        self._reader = fastexcel.read_excel(path)

    def sheets(self) -> list[str]:
        return list(self._reader.sheet_names)

    def write(self, sheet: str, stream: BinaryIO) -> None:
        """The sheet as CSV; an empty row becomes an empty line."""
        import polars as pl

        if sheet not in self.sheets():
            known = ", ".join(quoted(name) for name in self.sheets()[:_NAMED_AT_MOST])
            raise BatchRefused(f"The workbook has no sheet {quoted(sheet)}. It has {known}.")
        cells = self._cells(sheet)
        is_empty = cells.select(pl.all_horizontal(pl.all().is_null())).to_series() if cells.width else pl.Series([])
        for run in is_empty.rle().struct.unnest().with_columns(end=pl.col("len").cum_sum()).rows(named=True):
            if run["value"]:
                stream.write(b"\n" * run["len"])
                continue
            for part in cells.slice(run["end"] - run["len"], run["len"]).iter_slices(_SLICE_ROWS):
                part.write_csv(stream, include_header=False, null_value='""' if cells.width == 1 else None)

    def _cells(self, sheet: str) -> "pl.DataFrame":
        """All cells as text, from the first row that is used: numbers with all their digits, dates in ISO 8601."""
        import polars as pl

        # As text, fastexcel rounds numbers to nine decimals; as floats, it gives them all, and no text.
        rounded = self._load(sheet, "string")
        exact = self._load(sheet, "float")
        return pl.DataFrame(
            [_tidy_dates(_with_all_digits(text, number)) for text, number in zip(rounded, exact, strict=True)]
        )

    def _load(self, sheet: str, dtype: Literal["string", "float"]) -> "pl.DataFrame":
        return self._reader.load_sheet(sheet, header_row=None, skip_rows=0, dtypes=dtype).to_polars()


def _with_all_digits(text: "pl.Series", number: "pl.Series") -> "pl.Series":
    """`text`, but for numbers that say something else than `number` does. A text cell that reads as a number stays."""
    import polars as pl

    says = text.cast(pl.Float64, strict=False)
    return text.zip_with(~(number.is_finite() & (says != number)).fill_null(value=False), number.cast(pl.String))


def _tidy_dates(text: "pl.Series") -> "pl.Series":
    """Dates without a time of day, where no cell of the column has one; times without Excel's date of nought."""
    dated = text.filter(text.str.contains(_DATED)).drop_nulls()
    if dated.is_empty():
        return text
    for part in (_MIDNIGHT, _DAY_NOUGHT):
        if dated.str.contains(part).all():
            return text.str.replace(part, "$1")
    return text


def _refuse(sentence: str) -> None:
    sys.stdout.flush()
    print(sentence, file=sys.stderr)
    sys.stderr.flush()
    os._exit(REFUSED)
