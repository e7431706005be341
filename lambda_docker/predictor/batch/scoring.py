"""CSV records in, the same records with predictions behind them out.

A record is passed through byte for byte. One that does not have the header's number of cells is written anew, so that
what is added stands in its own columns.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from predictor.batch.cells import read_columns
from predictor.batch.layout import Layout
from predictor.batch.records import is_blank, is_open
from predictor.batch.tally import SHOWN_ERRORS, SHOWN_ROWS, Tally
from predictor.batch.writing import added_cells, label_text, write_cell, write_row
from predictor.coercion import quoted
from predictor.engines import Answers
from predictor.engines.sklearn_engine import first_not_finite
from predictor.features import Output
from predictor.limits import RECORD_MAX_BYTES
from predictor.model_store import LoadedModel
from predictor.operations import explain_failure

# Blocks keep memory flat. BLAS computes the last few rows of a table by another route than the rest, with a last digit
# that may differ; full multiples of 64 rows make a block's rows come out as they do in one table of the whole file.
BLOCK_ROWS = 16_384
_ALIGNED_ROWS = 64

# Up to a whole record may be one cell; the csv module stops at 128 KiB otherwise.
csv.field_size_limit(RECORD_MAX_BYTES)


@dataclass
class _Block:
    """Data rows on their way. `errors` and `added` are by row: a row has one or the other in the end."""

    records: list[bytes]
    cells: list[list[str]]
    malformed: set[int] = field(default_factory=set)
    errors: dict[int, str] = field(default_factory=dict)
    added: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def good(self) -> list[int]:
        return [row for row in range(len(self.records)) if row not in self.errors]


def score_records(
    records: Sequence[bytes], *, model: LoadedModel, layout: Layout, tally: Tally, is_last: bool
) -> Iterator[bytes]:
    """Output lines for the records, blank lines included, each with its line end; `tally` counts along.

    Args:   records: UTF-8, without their newline; is_last: whether the file ends with them
    """
    tally.histogram_of = tally.histogram_of or _histogram_of(model.output)
    for begin in range(0, len(records), BLOCK_ROWS):
        part = records[begin : begin + BLOCK_ROWS]
        ends_file = is_last and begin + BLOCK_ROWS >= len(records)
        kept = [record for record in part if not is_blank(record)]
        block = _Block(records=kept, cells=_parse(kept, layout.delimiter))
        counted = _score_block(block, model=model, layout=layout, pad=not ends_file)
        counted.blank_lines = len(part) - len(kept)
        tally.merge(counted)
        lines = iter(_write_lines(block, layout))
        yield b"".join([record + b"\n" if is_blank(record) else next(lines) for record in part])


def header_line(head: bytes, layout: Layout) -> bytes:
    """The file's beginning up to its header, with the added columns' names behind it."""
    names = "".join(layout.delimiter + write_cell(name, layout.delimiter) for name in layout.added)
    return head.removesuffix(b"\n").removesuffix(b"\r") + names.encode() + layout.newline.encode()


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


def _score_block(block: _Block, *, model: LoadedModel, layout: Layout, pad: bool) -> Tally:
    """Fill in the block's answers and errors, and count them."""
    _find_malformed(block, layout)
    rows = block.good()
    columns = [[block.cells[row][place] for row in rows] for place in layout.positions]
    values, problems = read_columns(model.features, columns, decimal=layout.decimal)
    if problems:
        block.errors.update((rows[place], "; ".join(messages)) for place, messages in problems.items())
        kept = [place for place in range(len(rows)) if place not in problems]
        rows, values = [rows[place] for place in kept], [[column[place] for place in kept] for column in values]
    tally = Tally(histogram_of=_histogram_of(model.output), rows=len(block.records))
    if rows:
        _predict(block, rows, values, model=model, layout=layout, tally=tally, pad=pad)
    tally.scored = len(block.added)
    tally.preview = [_preview(block, row, layout) for row in range(min(SHOWN_ROWS, len(block.records)))]
    shown = sorted(block.errors)[:SHOWN_ERRORS]
    tally.errors = [{"row": row + 1, "error": block.errors[row]} for row in shown]
    return tally


def _find_malformed(block: _Block, layout: Layout) -> None:
    width, delimiter = len(layout.columns), layout.delimiter.encode()
    for row, cells in enumerate(block.cells):
        if len(cells) != width:
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            block.errors[row] = f"the row has {count}, the header has {width}"
            block.malformed.add(row)
        if len(cells) > width:
            block.errors[row] += f"; left out: {', '.join(map(quoted, cells[width : width + 5]))}"
    # Only the file's last record can be open: the others end where their quotes are closed.
    if block.records and is_open(block.records[-1], delimiter):
        block.errors[len(block.records) - 1] = 'a quote (") opens a cell and is never closed'
        block.malformed.add(len(block.records) - 1)


def _predict(
    block: _Block,
    rows: list[int],
    values: list[list[Any]],
    *,
    model: LoadedModel,
    layout: Layout,
    tally: Tally,
    pad: bool,
) -> None:
    """Answer these rows; where the model raises, halve them until only the row that makes it raise is left."""
    try:
        answers = _ask(model, values, count=len(rows), pad=pad)
    except Exception as problem:  # a model may raise anything at all
        if len(rows) == 1:
            block.errors[rows[0]] = explain_failure(problem)
            return
        middle = len(rows) // 2
        for half in (slice(None, middle), slice(middle, None)):
            _predict(
                block, rows[half], [column[half] for column in values], model=model, layout=layout, tally=tally, pad=pad
            )
        return
    added = added_cells(answers, layout)
    block.added.update(zip(rows, added, strict=True))
    _count(answers, model.output, tally)


class _NotFinite(ValueError):
    """The model gave NaN or an infinity."""


def _ask(model: LoadedModel, values: list[list[Any]], *, count: int, pad: bool) -> Answers:
    lacking = -count % _ALIGNED_ROWS if pad else 0
    padded = [[*column, *column[-1:] * lacking] for column in values] if lacking else values
    answers = model.engine.predict(padded).first(count)
    if first_not_finite(answers) is not None:
        raise _NotFinite("it gave no finite number")
    return answers


def _count(answers: Answers, output: Output, tally: Tally) -> None:
    if answers.values is not None:
        tally.values.add(answers.values)
    if answers.labels is not None:
        tally.labels.update(map(label_text, answers.labels))
    if answers.probabilities is not None:
        pick = max if output.type == "multiclass" else _last
        tally.add_probabilities([pick(row) for row in answers.probabilities])


def _last(row: list[float]) -> float:
    return row[-1]


def _histogram_of(output: Output) -> str | None:
    if output.type == "regression":
        return "prediction"
    if not output.probabilities or not output.classes:
        return None
    return (
        "probability of the predicted class" if output.type == "multiclass" else f"probability of {output.classes[-1]}"
    )


def _added_to(block: _Block, row: int, layout: Layout) -> tuple[str, ...]:
    error = block.errors.get(row)
    if error is None:
        return block.added[row]
    return tuple(error if contents == "error" else "" for contents in layout.contents)


def _preview(block: _Block, row: int, layout: Layout) -> list[str]:
    return _fit(block.cells[row], len(layout.columns)) + list(_added_to(block, row, layout))


def _fit(cells: list[str], width: int) -> list[str]:
    return (cells + [""] * width)[:width]


def _write_lines(block: _Block, layout: Layout) -> Iterator[bytes]:
    delimiter, width = layout.delimiter, len(layout.columns)
    for row, record in enumerate(block.records):
        if row in block.errors:
            added = write_row(_added_to(block, row, layout), delimiter)
        else:
            # Answers are written without another look: added_cells() gives them quoted.
            added = delimiter.join(block.added[row])
        body, end = (record[:-1], b"\r\n") if record.endswith(b"\r") else (record, b"\n")
        if row in block.malformed:
            body = write_row(_fit(block.cells[row], width), delimiter).encode()
        yield body + (delimiter + added).encode() + end
