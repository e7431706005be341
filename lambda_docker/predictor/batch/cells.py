"""Columns of CSV cells → columns of model values: in bulk where a column is clean, cell by cell where it is not."""

import math
from collections.abc import Sequence
from typing import Any

from predictor.coercion import BadValue, quoted, read_number, read_value
from predictor.features import Feature

NULLS = frozenset({"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", ".", "?"})


def read_columns(
    features: Sequence[Feature], columns: Sequence[Sequence[str]], *, decimal: str
) -> tuple[list[list[Any]], dict[int, list[str]]]:
    """Model values for each feature, and what is wrong, by row.

    Args:    columns: the cells of each feature, in the features' order; decimal: "." or ","
    Returns: one list a feature, None where missing or wrong; {row index: ["<feature>: <message>", …]}
    """
    values: list[list[Any]] = []
    problems: dict[int, list[str]] = {}
    for feature, cells in zip(features, columns, strict=True):
        clean = _read_in_bulk(feature, cells, decimal)
        values.append(_read_each(feature, cells, decimal, problems) if clean is None else clean)
    return values, problems


def read_cell(feature: Feature, cell: str, *, decimal: str = ".") -> Any:
    """The model value of one cell; None where it is missing. Raises: BadValue."""
    stripped = cell.strip()
    # A category may be called "NA" or "None"; in a text only nothing at all is missing.
    if cell not in feature.lookup and stripped not in feature.lookup:
        is_missing = not stripped if feature.kind == "text" else stripped in NULLS
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


def _read_each(feature: Feature, cells: Sequence[str], decimal: str, problems: dict[int, list[str]]) -> list[Any]:
    values: list[Any] = []
    for row, cell in enumerate(cells):
        try:
            values.append(read_cell(feature, cell, decimal=decimal))
        except BadValue as problem:
            problems.setdefault(row, []).append(f"{feature.name}: {problem}")
            values.append(None)
    return values


def _read_in_bulk(feature: Feature, cells: Sequence[str], decimal: str) -> list[Any] | None:
    """All the values, or None where some cell needs a closer look."""
    if feature.kind == "number":
        return _read_numbers(feature, cells, decimal)
    if feature.kind == "choice":
        found = [feature.lookup.get(cell) for cell in cells]
        return None if None in found else found
    return None


def _read_numbers(feature: Feature, cells: Sequence[str], decimal: str) -> list[float] | None:
    joined = "".join(cells)
    # float() takes "1_000"; with a decimal comma a point needs the closer look.
    if "_" in joined or (decimal == "," and "." in joined):
        return None
    written = [cell.replace(",", ".") for cell in cells] if decimal == "," else cells
    nulls = 0
    try:
        numbers = [float(cell) for cell in written]
    except ValueError:
        if not feature.accepts_missing:
            return None
        nulls = sum(cell in NULLS for cell in written)
        try:
            numbers = [math.nan if cell in NULLS else float(cell) for cell in written]
        except ValueError:
            return None
    return numbers if sum(map(math.isfinite, numbers)) == len(numbers) - nulls else None
