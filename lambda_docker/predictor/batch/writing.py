"""Answers as cells behind the rows: exact floats, CSV quoting, and no formulas for a spreadsheet to run."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from predictor.batch.layout import Layout
from predictor.batch.wishes import Band
from predictor.coercion import BadValue, read_number
from predictor.engines import TableAnswers

if TYPE_CHECKING:
    import polars as pl

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
) -> "pl.DataFrame":
    """What is written behind `count` rows, in the order of `layout.contents`, texts quoted where CSV needs it.

    Args: places: which rows the answers are of, None for all; bands: (answers,) which band each answer falls into;
          errors: what is written into the rows that have no answer
    """
    import polars as pl

    columns: list[pl.Series] = []
    for contents in layout.contents:
        kind, _, place = contents.partition(" ")
        if kind == "error":
            columns.append(_texts_at(errors, count, layout))
        elif answers is None:
            columns.append(pl.Series([None], dtype=pl.String).new_from_index(0, count))
        elif kind == "probability" and answers.probabilities is not None:
            columns.append(_numbers(answers.probabilities[:, int(place)], count, places))
        elif kind == "band" and bands is not None:
            columns.append(_words([band.label for band in band_words], bands, count, places, layout))
        elif answers.values is not None:
            columns.append(_numbers(answers.values, count, places))
        else:
            columns.append(_labels(answers, count, places, layout))
    return pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)])


def write_lines(table: "pl.DataFrame", layout: Layout) -> bytes:
    """The columns as lines, each text as it is: lines that came, and cells that are quoted already."""
    stream = io.BytesIO()
    table.write_csv(
        stream,
        include_header=False,
        separator=layout.delimiter,
        line_terminator=layout.newline,
        quote_style="never",
        # Floats are written with the fewest digits that read back as the same float.
        decimal_comma=layout.written_decimal == ",",
        batch_size=16_384,
    )
    return stream.getvalue()


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


def _numbers(numbers: npt.NDArray[np.float64], count: int, places: npt.NDArray[np.intp] | None) -> "pl.Series":
    import polars as pl

    if places is None:
        return pl.Series(numbers)
    spread = np.full(count, np.nan)
    spread[places] = numbers
    # Answers are finite: NaN stands for the rows without one.
    return pl.Series(spread, nan_to_null=True)


def _labels(answers: TableAnswers, count: int, places: npt.NDArray[np.intp] | None, layout: Layout) -> "pl.Series":
    words = answers.label_words or []
    if words and isinstance(words[0], float):
        numbers = np.array(words)[answers.label_codes]
        return _numbers(numbers, count, places)
    assert answers.label_codes is not None  # noqa: S101  # an answer is a value or a label
    return _words([label_text(label) for label in words], answers.label_codes, count, places, layout)


def _words(
    words: Sequence[str],
    codes: npt.NDArray[np.intp],
    count: int,
    places: npt.NDArray[np.intp] | None,
    layout: Layout,
) -> "pl.Series":
    import polars as pl

    written = pl.Series([write_cell(word, layout.delimiter) for word in words] + [None], dtype=pl.String)
    spread = codes
    if places is not None:
        spread = np.full(count, len(words), np.intp)
        spread[places] = codes
    return written.gather(spread)


def _texts_at(texts: Mapping[int, str], count: int, layout: Layout) -> "pl.Series":
    import polars as pl

    empty = pl.Series([None], dtype=pl.String).new_from_index(0, count)
    if not texts:
        return empty
    rows = sorted(texts)
    return empty.scatter(rows, [write_cell(texts[row], layout.delimiter) for row in rows])


def _guard_formula(text: str) -> str:
    """A text that a spreadsheet would run as a formula, with an apostrophe before it; numbers stay as they are."""
    if not text.startswith(_FORMULA_STARTS):
        return text
    try:
        read_number(text)
    except BadValue:
        return "'" + text
    return text
