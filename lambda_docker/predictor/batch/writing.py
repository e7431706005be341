"""Answers as cells behind the rows: exact floats, CSV quoting, and no formulas for a spreadsheet to run."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from predictor import native
from predictor.batch.layout import Layout
from predictor.batch.regular import RegularRows
from predictor.batch.wishes import Band
from predictor.coercion import BadValue, read_number
from predictor.engines import TableAnswers
from predictor.native.rows import Added, Numbers, Words, write_rows

if TYPE_CHECKING:
    import polars as pl

# Memory that was made for it, and is not copied before all of a part is put together.
Written = bytes | memoryview

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def added_columns(
    answers: TableAnswers | None,
    layout: Layout,
    *,
    count: int,
    places: npt.NDArray[np.intp] | None,
    bands: npt.NDArray[np.intp] | None,
    band_words: Sequence[Band],
    errors: Mapping[int, str],
) -> list[Added]:
    """What is written behind `count` rows, in the order of `layout.contents`, texts quoted where CSV needs it.

    Args: places: which rows the answers are of, None for all; bands: (answers,) which band each answer falls into;
          errors: what is written into the rows that have no answer
    """
    columns: list[Added] = []
    for contents in layout.contents:
        kind, _, place = contents.partition(" ")
        if kind == "error":
            columns.append(_texts_at(errors, count, layout))
        elif answers is None:
            columns.append(Words([], np.full(count, -1, np.int32)))
        elif kind == "probability" and answers.probabilities is not None:
            columns.append(_numbers(answers.probabilities[:, int(place)], count, places))
        elif kind == "band" and bands is not None:
            columns.append(_words([band.label for band in band_words], bands, count, places, layout))
        elif answers.values is not None:
            columns.append(_numbers(answers.values, count, places))
        else:
            columns.append(_labels(answers, count, places, layout))
    return columns


def write_lines(added: Sequence[Added], layout: Layout, *, count: int, rows: RegularRows | None = None) -> Written:
    """The rows as they came, or nothing, and behind each a delimiter before every added cell."""
    if not native.kernels():
        return _write_with_polars(added, layout, count=count, rows=rows)
    nowhere = np.zeros(count, np.int64)
    begins, ends = (nowhere, nowhere) if rows is None or rows.spans is None else rows.spans
    return write_rows(
        b"" if rows is None else rows.run,
        begins,
        ends,
        added,
        delimiter=layout.delimiter,
        newline=layout.newline,
        decimal=layout.written_decimal,
    )


def _write_with_polars(added: Sequence[Added], layout: Layout, *, count: int, rows: RegularRows | None) -> bytes:
    import polars as pl

    empty = pl.Series([None], dtype=pl.String).new_from_index(0, count)
    columns = [empty if rows is None else rows.lines(), *map(_to_series, added)]
    stream = io.BytesIO()
    pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)]).write_csv(
        stream,
        include_header=False,
        separator=layout.delimiter,
        line_terminator=layout.newline,
        # Lines that came, and cells that are quoted already.
        quote_style="never",
        decimal_comma=layout.written_decimal == ",",
        batch_size=16_384,
    )
    return stream.getvalue()


def _to_series(column: Added) -> "pl.Series":
    import polars as pl

    if isinstance(column, Numbers):
        return pl.Series(column.values, nan_to_null=True)
    words = pl.Series([*column.words, None], dtype=pl.String)
    return words.gather(np.where(column.codes < 0, len(column.words), column.codes))


def label_text(label: Any) -> str:
    """A label as text; an int stays 1, a float 1.0, a bool True."""
    return label if isinstance(label, str) else repr(label)


def write_row(cells: Sequence[str], delimiter: str) -> str:
    return delimiter.join(write_cell(cell, delimiter) for cell in cells)


def write_cell(text: str, delimiter: str) -> str:
    """A cell of our own making or written anew: quoted where CSV needs it, never a formula."""
    guarded = _guard_formula(text)
    if any(mark in guarded for mark in ('"', delimiter, "\n", "\r")):
        return '"' + guarded.replace('"', '""') + '"'
    return guarded


def _numbers(numbers: npt.NDArray[np.float64], count: int, places: npt.NDArray[np.intp] | None) -> Numbers:
    if places is None:
        return Numbers(numbers)
    # Answers are finite: NaN stands for the rows without one.
    spread = np.full(count, np.nan)
    spread[places] = numbers
    return Numbers(spread)


def _labels(answers: TableAnswers, count: int, places: npt.NDArray[np.intp] | None, layout: Layout) -> Added:
    words = answers.label_words or []
    assert answers.label_codes is not None  # noqa: S101  # an answer is a value or a label
    if words and isinstance(words[0], float):
        return _numbers(np.array(words)[answers.label_codes], count, places)
    return _words([label_text(label) for label in words], answers.label_codes, count, places, layout)


def _words(
    words: Sequence[str],
    codes: npt.NDArray[np.intp],
    count: int,
    places: npt.NDArray[np.intp] | None,
    layout: Layout,
) -> Words:
    spread = np.full(count, -1, np.int32)
    spread[slice(None) if places is None else places] = codes
    return Words([write_cell(word, layout.delimiter) for word in words], spread)


def _texts_at(texts: Mapping[int, str], count: int, layout: Layout) -> Words:
    codes = np.full(count, -1, np.int32)
    codes[list(texts)] = np.arange(len(texts), dtype=np.int32)
    return Words([write_cell(text, layout.delimiter) for text in texts.values()], codes)


def _guard_formula(text: str) -> str:
    """A text that a spreadsheet would run as a formula, with an apostrophe before it; numbers stay as they are."""
    if not text.startswith(_FORMULA_STARTS):
        return text
    try:
        read_number(text)
    except BadValue:
        return "'" + text
    return text
