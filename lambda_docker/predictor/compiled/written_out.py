"""Logistic models of few columns as one expression, in a third of the time that a walk from list to list takes.

It answers usual rows: nothing is missing, all categories are known, and the decision is not near nought nor enormous.
The walk answers all others. Operations and their order are the walk's own, but that a one-hot encoder's noughts are not
added; where Python's sum() makes up for roundings, as of 3.12, it adds them up plainly. So the last digit may differ.

Of a document only floats and whole numbers become text of the expression, and these as repr() writes them. What may be
anybody's text, categories and names, is looked up in dictionaries that the expression is given.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from predictor.compiled.numbers import unpack
from predictor.features import Choice

Answer = Callable[[Sequence[Choice | None]], tuple[int, list[float]] | None]

# An expression of so many columns takes Python a millisecond to compile, once. The document may be anybody's.
_COLUMNS_MAX, _CHARACTERS_MAX = 64, 500
# Nearer to nought rounding may decide, and `certain` looks closely; farther away floats end.
_NEAR, _FAR = 1e-3, 700.0
_SIGNS = {"subtract": "-", "divide": "/", "multiply": "*", "add": "+"}
# How values that are not usual make themselves felt; a decision that is no number does as well.
_UNUSUAL = (TypeError, LookupError, ArithmeticError)


class _TooInvolved(Exception):
    """There is something in the document that is not written out."""


class _OneHot(NamedTuple):
    """The columns that an encoder makes of one.

    of: that one's text; places: of the categories, None for a dropped one
    """

    of: str
    places: dict[Any, int | None]
    width: int


# A number's text, or a group of columns of which at most one is 1.
_Column = str | _OneHot


def write_out(entry: Mapping[str, Any], *, inputs: int) -> Answer | None:
    """What answers usual rows of model values, as a Predictor's answer does, and gives None for others.

    None where the entry is no such model.
    """
    try:
        *before, last = _steps_of(entry)
        if last["op"] != "logistic" or last["link"] != "expit" or inputs > _COLUMNS_MAX:
            return None
        columns: list[_Column] = [f"row[{place}]" for place in range(inputs)]
        for step in before:
            columns = _write(step, columns)
        ((weights,), (intercept,)) = last["weights"], unpack(last["intercepts"])
        decide = _sum(columns, unpack(weights), intercept)
    except (_TooInvolved, LookupError, TypeError, ValueError, SyntaxError, RecursionError):
        return None

    def answer(row: Sequence[Choice | None]) -> tuple[int, list[float]] | None:
        try:
            decision = decide(row)
        except _UNUSUAL:
            return None
        if _NEAR <= decision <= _FAR or -_FAR <= decision <= -_NEAR:
            probability = 1.0 / (1.0 + math.exp(-decision))
            return 1 if decision > 0.0 else 0, [1.0 - probability, probability]
        return None

    return answer


def _steps_of(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entry's operations one after the other, pipelines within it taken apart."""
    if entry["op"] not in ("pipeline", "search"):
        return [entry]
    return [step for part in entry["steps"] for step in _steps_of(part)]


def _sum(columns: list[_Column], weights: list[float], intercept: float) -> Callable[[Sequence[Any]], float]:
    terms: list[str] = []
    known: dict[str, Any] = {}
    place = 0
    for column in columns:
        if isinstance(column, str):
            terms.append(f"{column} * {_float(weights[place])}")
            place += 1
            continue
        name = f"known_{len(known)}"
        known[name] = {category: 0.0 if at is None else weights[place + at] for category, at in column.places.items()}
        terms.append(f"{name}[{column.of}]")
        place += column.width
    if place != len(weights):
        raise _TooInvolved
    text = " + ".join([*terms, _float(intercept)])
    decide: Callable[[Sequence[Any]], float] = eval(f"lambda row: {text}", known)  # noqa: S307  # numbers and our names
    return decide


def _float(number: Any) -> str:
    if type(number) is not float or number - number != 0.0:
        raise _TooInvolved
    return repr(number)


def _write(entry: Mapping[str, Any], columns: list[_Column]) -> list[_Column]:
    """What a transform makes of the columns."""
    written = _WRITERS[entry["op"]](entry, columns)
    if len(written) > _COLUMNS_MAX or any(len(_text_of(column)) > _CHARACTERS_MAX for column in written):
        raise _TooInvolved
    return written


def _write_scale(entry: Mapping[str, Any], columns: list[_Column]) -> list[_Column]:
    if "clip" in entry:
        raise _TooInvolved
    texts = _texts(columns)
    for name, sign in _SIGNS.items():
        if name in entry:
            texts = [f"({text} {sign} {_float(by)})" for text, by in zip(texts, unpack(entry[name]), strict=True)]
    return list(texts)


def _write_imputer(entry: Mapping[str, Any], columns: list[_Column]) -> list[_Column]:
    # Of a usual row nothing is missing.
    if entry["marker"] is not None or "told" in entry:
        raise _TooInvolved
    texts = _texts(columns)
    return [texts[place] for place in entry["columns"]]


def _write_one_hot(entry: Mapping[str, Any], columns: list[_Column]) -> list[_Column]:
    encoded: list[_Column] = []
    for text, categories, dropped in zip(_texts(columns), entry["categories"], entry["dropped"], strict=True):
        kept = [place for place in range(len(categories)) if place != dropped]
        places: dict[Any, int | None] = {categories[place]: at for at, place in enumerate(kept)}
        if dropped is not None:
            places[categories[dropped]] = None
        # One that is missing may have been put in before, unseen here.
        places.pop(None, None)
        encoded.append(_OneHot(text, places, len(kept)))
    return encoded


def _write_parts(entry: Mapping[str, Any], columns: list[_Column]) -> list[_Column]:
    written: list[_Column] = []
    for part in entry["parts"]:
        if "weight" in part:
            raise _TooInvolved
        dealt = [_texts(columns)[place] for place in part["columns"]] if "columns" in part else columns
        for step in _steps_of(part["of"]):
            dealt = _write(step, dealt)
        written += dealt
    return written


def _text_of(column: _Column) -> str:
    return column if isinstance(column, str) else column.of


def _texts(columns: list[_Column]) -> list[str]:
    texts = [column for column in columns if isinstance(column, str)]
    if len(texts) < len(columns):
        raise _TooInvolved
    return texts


_WRITERS: dict[str, Callable[[Mapping[str, Any], list[_Column]], list[_Column]]] = {
    **dict.fromkeys(("scale", "scale_robust", "scale_max_abs", "scale_min_max"), _write_scale),
    "impute": _write_imputer,
    "one_hot": _write_one_hot,
    **dict.fromkeys(("columns", "union"), _write_parts),
    "pass": lambda entry, columns: columns,
}
