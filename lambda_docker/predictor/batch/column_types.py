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
    whole, numbers, filled = list(unknown), list(unknown), set[str]()
    for block in blocks:
        checks = [_is_whole(pl.col(name)).all().alias(f"whole {name}") for name in whole]
        checks += [_is_number(name, layout).all().alias(f"number {name}") for name in numbers]
        checks += [pl.col(name).is_not_null().any().alias(f"filled {name}") for name in numbers]
        found = block.select(checks).row(0, named=True) if checks else {}
        filled.update(name for name in numbers if found[f"filled {name}"])
        whole = [name for name in whole if found[f"whole {name}"]]
        numbers = [name for name in numbers if found[f"number {name}"]]
    for name in unknown:
        is_number = name in numbers and name in filled
        types[name] = pl.Int64 if is_number and name in whole else pl.Float64 if is_number else pl.String
    return {name: types[name] for name in names}


def typed(name: str, dtype: Any, *, layout: Layout, output: Output, is_prediction: bool) -> "pl.Expr":
    """The text of the column as values of its type."""
    import polars as pl

    column = pl.col(name)
    if dtype == pl.Boolean:
        return column == "True"
    if dtype != pl.String:
        return _with_point(name, layout).cast(dtype)
    if is_prediction:
        # An apostrophe keeps spreadsheets from running a label as a formula; here nothing would.
        labels = [label for label in output.classes or () if isinstance(label, str)]
        return column.replace({f"'{label}": label for label in labels if f"'{label}" in write_cell(label, "\0")})
    return column


def _with_point(name: str, layout: Layout) -> "pl.Expr":
    """The text of the column, numbers with a decimal point."""
    import polars as pl

    column = pl.col(name)
    return column.str.replace(",", ".", literal=True) if layout.decimal == "," else column


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


def _is_whole(column: "pl.Expr") -> "pl.Expr":
    """Whether the cell is empty, or written as the whole number that it is."""
    import polars as pl

    return column.is_null() | (column.cast(pl.Int64, strict=False).cast(pl.String) == column).fill_null(value=False)


def _is_number(name: str, layout: Layout) -> "pl.Expr":
    """Whether the cell is empty, or a number with no other digits than its float has."""
    import polars as pl

    column = _with_point(name, layout)
    number = column.cast(pl.Float64, strict=False)
    is_same = number.is_finite() & (_digits(number.cast(pl.String)) == _digits(column))
    is_number = column.str.contains(_NUMBER) & (is_same | _is_whole(column))
    if layout.decimal == ",":
        # "1.500" would be 1500 to one reader and 1.5 to another.
        is_number &= ~pl.col(name).str.contains(".", literal=True)
    return column.is_null() | is_number.fill_null(value=False)


def _digits(text: "pl.Expr") -> "pl.Expr":
    """A number's digits, without the zeros before and behind, which say nothing beside an exponent."""
    return text.str.replace(r"[eE].*$", "").str.replace_all(r"[-.]", "").str.strip_chars("0")
