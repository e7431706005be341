"""Added cells as text: exact floats, CSV quoting, and no formulas for a spreadsheet to run."""

import functools
from collections.abc import Iterable
from typing import Any

from predictor.batch.layout import Layout
from predictor.coercion import BadValue, read_number
from predictor.engines import Answers

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def added_cells(answers: Answers, layout: Layout) -> list[tuple[str, ...]]:
    """For each row what is written behind it, quoted and in the order of `layout.contents`."""
    count = len(answers.labels if answers.labels is not None else answers.values or [])
    columns: list[list[str]] = []
    for contents in layout.contents:
        kind, _, place = contents.partition(" ")
        if kind == "probability":
            index = int(place)
            columns.append(_write_floats((row[index] for row in answers.probabilities or ()), layout))
        elif kind == "error":
            columns.append([""] * count)
        elif answers.values is not None:
            columns.append(_write_floats(answers.values, layout))
        else:
            columns.append(_write_labels(answers.labels or [], layout))
    return list(zip(*columns, strict=True))


def label_text(label: Any) -> str:
    """A label as text; an int stays 1, a float 1.0, a bool True."""
    return label if isinstance(label, str) else repr(label)


def write_row(cells: Iterable[str], delimiter: str) -> str:
    return delimiter.join(write_cell(cell, delimiter) for cell in cells)


def write_cell(text: str, delimiter: str) -> str:
    """A cell of our own making or written anew: quoted where CSV needs it, never a formula."""
    guarded = _guard_formula(text)
    if any(mark in guarded for mark in ('"', delimiter, "\n", "\r")):
        return '"' + guarded.replace('"', '""') + '"'
    return guarded


def _write_floats(numbers: Iterable[float], layout: Layout) -> list[str]:
    # repr() gives the shortest text that reads back as the same float, bit for bit.
    texts = map(repr, numbers)
    return [text.replace(".", ",") for text in texts] if layout.decimal == "," else list(texts)


def _write_labels(labels: list[Any], layout: Layout) -> list[str]:
    if labels and isinstance(labels[0], float):
        return _write_floats(labels, layout)
    write = functools.lru_cache(maxsize=1024)(lambda label: write_cell(label_text(label), layout.delimiter))
    return [write(label) for label in labels]


def _guard_formula(text: str) -> str:
    """A text that a spreadsheet would run as a formula, with an apostrophe before it; numbers stay as they are."""
    if not text.startswith(_FORMULA_STARTS):
        return text
    try:
        read_number(text)
    except BadValue:
        return "'" + text
    return text
