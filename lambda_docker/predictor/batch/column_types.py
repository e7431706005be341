"""Which type a column of a result has where types count, and its text as values of that type; nothing is lost by it.

polars is imported where it is used: most results are CSV.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from predictor.batch.layout import Layout
from predictor.batch.writing import write_cell
from predictor.features import Output

if TYPE_CHECKING:
    import polars as pl

_NUMBER = r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$"
_LARGEST_WHOLE = 2**63 - 1


def find_types(
    blocks: Iterable["pl.DataFrame"], names: Sequence[str], *, layout: Layout, output: Output
) -> dict[str, Any]:
    """The type of each column, original and added, by name.

    Args: blocks: all the rows, as text; names: of the columns, in their order
    """
    import polars as pl

    added = zip(names[len(layout.columns) :], layout.contents, strict=True)
    types: dict[str, Any] = {name: _added_type(contents, output) for name, contents in added}
    unknown = [name for name in names if types.get(name) is None]
    whole, numbers, filled = set(unknown), set(unknown), set[str]()
    for block in blocks:
        for name in whole | numbers:
            cells = block[name].drop_nulls()
            if cells.is_empty():
                continue
            filled.add(name)
            if name in whole and not _are_whole(cells):
                whole.remove(name)
            if name in numbers and not _are_numbers(cells, layout):
                numbers.remove(name)
    found = {name: pl.Int64 if name in whole else pl.Float64 if name in numbers else pl.String for name in filled}
    types.update((name, found.get(name, pl.String)) for name in unknown)
    return {name: types[name] for name in names}


def typed(name: str, dtype: Any, *, layout: Layout, output: Output, is_prediction: bool) -> "pl.Expr":
    """The text of the column as values of its type."""
    import polars as pl

    column = pl.col(name)
    if dtype == pl.Boolean:
        return column == "True"
    if dtype != pl.String:
        return (column.str.replace(",", ".", literal=True) if layout.decimal == "," else column).cast(dtype)
    if is_prediction:
        # An apostrophe keeps spreadsheets from running a label as a formula; here nothing would.
        labels = [label for label in output.classes or () if isinstance(label, str)]
        return column.replace({f"'{label}": label for label in labels if f"'{label}" in write_cell(label, "\0")})
    return column


def _added_type(contents: str, output: Output) -> Any:
    """The type of an added column; None where only its cells tell it."""
    import polars as pl

    if contents.startswith("probability") or (contents == "prediction" and output.type == "regression"):
        return pl.Float64
    if contents != "prediction":
        return pl.String
    kinds = {type(label) for label in output.classes or ()}
    if kinds == {int}:
        fits = all(abs(int(label)) <= _LARGEST_WHOLE for label in output.classes or ())
        return pl.Int64 if fits else pl.String
    known: dict[type, Any] = {bool: pl.Boolean, float: pl.Float64}
    return known.get(kinds.pop(), pl.String) if len(kinds) == 1 else pl.String if kinds else None


def _are_whole(cells: "pl.Series") -> bool:
    """Whether each cell is written as the whole number that it is, of 64 bits at most."""
    import polars as pl

    numbers = cells.cast(pl.Int64, strict=False)
    return not numbers.has_nulls() and bool((numbers.cast(pl.String) == cells).all())


def _are_numbers(cells: "pl.Series", layout: Layout) -> bool:
    """Whether each cell is a number with no other digits than its float has."""
    import polars as pl

    if layout.decimal == ",":
        # "1.500" would be 1500 to one reader and 1.5 to another.
        if cells.str.contains(".", literal=True).any():
            return False
        cells = cells.str.replace(",", ".", literal=True)
    numbers = cells.cast(pl.Float64, strict=False)
    if numbers.has_nulls() or not numbers.is_finite().all():
        return False
    shortest = numbers.cast(pl.String)
    # Nearly all are written in the shortest way; the others are looked at closely.
    differs = cells != shortest
    cells, shortest = cells.filter(differs), shortest.filter(differs)
    return bool(cells.str.contains(_NUMBER).all()) and bool((_digits(cells) == _digits(shortest)).all())


def _digits(text: "pl.Series") -> "pl.Series":
    """A number's digits, without the zeros before and behind, which say nothing beside an exponent."""
    return text.str.replace(r"[eE].*$", "").str.replace_all(r"[-.]", "").str.strip_chars("0")
