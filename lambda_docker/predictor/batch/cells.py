"""Columns of CSV cells → columns of model values, whole columns at once; what is odd is looked at by itself.

A number is read by polars where polars finds one: it takes less than `float` does, and gives the same bits for what it
takes. All else (padded, missing, wrong) goes through `read_cell`, once for each spelling.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from predictor.coercion import BadValue, quoted, read_number, read_value
from predictor.features import Feature

if TYPE_CHECKING:
    import polars as pl

NULLS = frozenset({"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", ".", "?"})

Column = npt.NDArray[Any]
_Read = Callable[[str], Any]
# A column of free text has as many spellings as rows; remembering them all would only take memory.
_SPELLINGS_KEPT = 10_000


class Cells(Protocol):
    """The cells of some rows, by feature."""

    def texts(self, feature: int) -> "pl.Series":
        """As they are, without quotes."""
        ...

    def numbers(self, feature: int) -> npt.NDArray[np.float64] | None:
        """As floats, not to be written to, anything but finite where they are none; None where not read so."""
        ...


def read_columns(
    features: Sequence[Feature], cells: Cells, *, decimal: str, nulls: Collection[str] = NULLS
) -> tuple[list[Column], dict[int, list[str]]]:
    """Model values for each feature, and what is wrong, by row.

    Args:    decimal: "." or ","; nulls: what is missing beside an empty cell
    Returns: one array a feature, float64 with NaN or object with None where missing or wrong;
             {row index: ["<feature>: <message>", …]}
    """
    values: list[Column] = []
    problems: dict[int, list[str]] = {}
    for place, feature in enumerate(features):
        read = _reader(feature, decimal, nulls)
        if feature.kind in ("number", "integer"):
            column, wrong = _read_numbers(feature, cells, place, decimal, read)
        else:
            column, wrong = _read_others(feature, cells.texts(place), read)
        values.append(column)
        for row, message in wrong.items():
            problems.setdefault(row, []).append(f"{feature.name}: {message}")
    return values, problems


def read_cell(feature: Feature, cell: str, *, decimal: str = ".", nulls: Collection[str] = NULLS) -> Any:
    """The model value of one cell; None where it is missing. Raises: BadValue."""
    stripped = cell.strip()
    # A category may be called "NA" or "None"; in a text only nothing at all is missing.
    if cell not in feature.lookup and stripped not in feature.lookup:
        is_missing = not stripped if feature.kind == "text" else not stripped or stripped in nulls
        if is_missing:
            return read_value(feature, None)
    if decimal == "," and feature.is_numeric and feature.kind != "boolean":
        stripped = _with_point(feature, stripped)
        cell = stripped
    return read_value(feature, cell if feature.kind == "text" else stripped)


def _with_point(feature: Feature, cell: str) -> str:
    if "." in cell and cell not in feature.lookup:
        # "1.500" would be 1500 to one reader and 1.5 to another.
        raise BadValue(f"{quoted(cell)} is not a number with a decimal comma")
    pointed = cell.replace(",", ".")
    try:
        read_number(pointed)
    except BadValue as problem:
        raise BadValue(str(problem).replace(quoted(pointed), quoted(cell))) from None
    return pointed


def _reader(feature: Feature, decimal: str, nulls: Collection[str]) -> _Read:
    """read_cell, for each spelling once; what is wrong comes back as a BadValue instead of being raised."""
    known: dict[str, Any] = {}

    def read(cell: str) -> Any:
        if cell not in known:
            if len(known) > _SPELLINGS_KEPT:
                known.clear()
            try:
                known[cell] = read_cell(feature, cell, decimal=decimal, nulls=nulls)
            except BadValue as problem:
                known[cell] = problem
        return known[cell]

    return read


def _read_numbers(
    feature: Feature, cells: Cells, place: int, decimal: str, read: _Read
) -> tuple[Column, dict[int, BadValue]]:
    numbers = cells.numbers(place)
    column = _to_numbers(cells.texts(place), decimal) if numbers is None else numbers
    odd = ~np.isfinite(column)
    if feature.kind == "integer":
        odd |= column != np.floor(column)
    wrong: dict[int, BadValue] = {}
    if odd.any():
        rows, column = np.flatnonzero(odd), column.copy()
        for row, cell in zip(rows.tolist(), cells.texts(place).gather(rows).to_list(), strict=True):
            value = read(cell)
            if isinstance(value, BadValue):
                wrong[row] = value
            column[row] = np.nan if value is None or isinstance(value, BadValue) else value
    return column, wrong


def _to_numbers(cells: "pl.Series", decimal: str) -> Column:
    import polars as pl

    written = cells
    if decimal == ",":
        # A cell with a point is made unreadable here, so that it is looked at by itself.
        written = cells.str.replace_all(".", "?", literal=True).str.replace_all(",", ".", literal=True)
    return written.cast(pl.Float64, strict=False).to_numpy()


def _read_others(feature: Feature, cells: "pl.Series", read: _Read) -> tuple[Column, dict[int, BadValue]]:
    """Choices, booleans and texts: each spelling is read once, and its value goes to all rows that have it."""
    spellings = cells.unique()
    if len(spellings) * 4 > len(cells):
        values = [read(cell) for cell in cells.to_list()]
        return _gather(feature, values, np.arange(len(values)))
    import polars as pl

    known = spellings.to_list()
    codes = cells.replace_strict(spellings, np.arange(len(known)), return_dtype=pl.Int64).to_numpy()
    return _gather(feature, [read(cell) for cell in known], codes)


def _gather(feature: Feature, values: list[Any], codes: Column) -> tuple[Column, dict[int, BadValue]]:
    """The values that the codes point at, as a column, and the rows whose value is wrong."""
    is_wrong = np.fromiter((isinstance(value, BadValue) for value in values), np.bool_, len(values))
    kept = [None if isinstance(value, BadValue) else value for value in values]
    if feature.kind == "boolean":
        table = np.array([np.nan if value is None else value for value in kept], dtype=np.float64)
    else:
        table = np.empty(len(kept), dtype=object)
        table[:] = kept
    wrong = {row: values[codes[row]] for row in np.flatnonzero(is_wrong[codes]).tolist()} if is_wrong.any() else {}
    return table[codes], wrong
