"""Records one by one, by Python's csv module: for those that are blank, cut short, too long, or oddly quoted."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from predictor.batch.layout import Layout
from predictor.batch.records import is_blank, is_open
from predictor.batch.writing import write_row
from predictor.coercion import quoted

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Odd:
    """Records and what they hold.

    Attributes:
        records: all of them; rows: the places of those that are no blank lines
        columns: the cells of each feature, one a row; lines: of the file, one a row
        cells: of the rows that are written anew, since they have not the header's number of cells
        problems: what is wrong with a row as a whole
    """

    records: Sequence[bytes]
    rows: list[int]
    lines: list[int]
    columns: "list[pl.Series]"
    cells: dict[int, list[str]] = field(default_factory=dict)
    problems: dict[int, list[str]] = field(default_factory=dict)

    def texts(self, feature: int) -> "pl.Series":
        return self.columns[feature]

    def numbers(self, feature: int) -> None:
        """They come as text."""


def read(records: Sequence[bytes], *, layout: Layout, line: int) -> Odd:
    """The cells of records, UTF-8 without their newline; the first begins on `line`."""
    import polars as pl

    rows, lines = [], []
    for place, record in enumerate(records):
        if not is_blank(record):
            rows.append(place)
            lines.append(line)
        line += record.count(b"\n") + 1
    kept = [records[place] for place in rows]
    parsed = _parse(kept, layout.delimiter)
    odd = Odd(records=records, rows=rows, lines=lines, columns=[])
    _find_malformed(odd, kept, parsed, layout)
    width = len(layout.columns)
    for row in odd.cells:
        parsed[row] = (parsed[row] + [""] * width)[:width]
    odd.columns = [pl.Series([cells[place] for cells in parsed], dtype=pl.String) for place in layout.positions]
    return odd


def write(odd: Odd, added: bytes, layout: Layout) -> bytes:
    """The records with what is added behind them; `added` has one line a row, which begins with a delimiter."""
    behind = _split_lines(added, layout)
    lines = list(odd.records)
    for row, place in enumerate(odd.rows):
        record = odd.records[place]
        body, end = (record[:-1], b"\r") if record.endswith(b"\r") else (record, b"")
        if row in odd.cells:
            body = write_row(odd.cells[row], layout.delimiter).encode()
        lines[place] = body + behind[row] + end
    return b"".join(line + b"\n" for line in lines)


def _split_lines(added: bytes, layout: Layout) -> list[bytes]:
    """Messages and words may hold newlines of their own, within quotes."""
    text = added.decode()
    if '"' not in text:
        return added.split(layout.newline.encode())
    from predictor.batch.records import split_records

    records, _ = split_records(added, layout.delimiter.encode())
    return [record.removesuffix(b"\r") for record in records]


def _parse(records: Sequence[bytes], delimiter: str) -> list[list[str]]:
    """Each record's cells."""
    texts = [record.decode("utf-8").removesuffix("\r") for record in records]
    try:
        parsed = list(csv.reader(texts, delimiter=delimiter))
    except csv.Error:
        parsed = []
    # A quote that is never closed makes one row of many texts.
    return parsed if len(parsed) == len(texts) else [_parse_one(text, delimiter) for text in texts]


def _parse_one(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return [text]


def _find_malformed(odd: Odd, records: Sequence[bytes], parsed: Sequence[list[str]], layout: Layout) -> None:
    width, delimiter = len(layout.columns), layout.delimiter.encode()
    for row, cells in enumerate(parsed):
        if len(cells) != width:
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            message = f"the row has {count}, the header has {width}"
            if len(cells) > width:
                message += f"; left out: {', '.join(map(quoted, cells[width : width + 5]))}"
            odd.problems[row] = [message]
            odd.cells[row] = (cells + [""] * width)[:width]
    # Only the file's last record can be open: the others end where their quotes are closed.
    if records and is_open(records[-1], delimiter):
        last = len(records) - 1
        odd.problems[last] = ['a quote (") opens a cell and is never closed']
        odd.cells[last] = (list(parsed[last]) + [""] * width)[:width]
