"""Categories: one column each, or a number.

A category is found by its value: 1, 1.0 and True are the same, as numpy has it; None and NaN are one, "missing".
"""

from collections.abc import Iterable, Mapping
from typing import Any

from predictor.compiled.operations.imputing import is_missing
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Read, Row, Transform, Write

_MODULE = "sklearn.preprocessing._encoders"


def _write_one_hot(encoder: Any, write: Write) -> Entry:
    if getattr(encoder, "_infrequent_enabled", False):
        raise CannotCompile("a OneHotEncoder puts infrequent categories together")
    dropped = encoder.drop_idx_ if encoder.drop_idx_ is not None else [None] * len(encoder.categories_)
    return {
        "categories": [write_categories(categories) for categories in encoder.categories_],
        "dropped": [None if place is None else int(place) for place in dropped],
        "unknown": _unknown(encoder.handle_unknown),
    }


def _unknown(handling: str) -> str:
    # "infrequent_if_exist" without infrequent ones, and "warn", give noughts as "ignore" does.
    return "refused" if handling == "error" else "noughts"


def _read_one_hot(entry: Mapping[str, Any], read: Read) -> Transform:
    known: list[tuple[dict[Any, int | None], int]] = []
    width = 0
    for categories, dropped in zip(entry["categories"], entry["dropped"], strict=True):
        kept = [place for place in range(len(categories)) if place != dropped]
        places: dict[Any, int | None] = {categories[place]: width + at for at, place in enumerate(kept)}
        if dropped is not None:
            places[categories[dropped]] = None
        known.append((places, len(kept)))
        width += len(kept)
    columns = [places for places, _ in known]
    is_refused = entry["unknown"] == "refused"
    noughts = [0.0] * width
    if len(columns) == 1:
        return _one_hot_of(columns[0], noughts, is_refused=is_refused)

    def encode(row: Row) -> Row:
        encoded = noughts[:]
        for value, places in zip(row, columns, strict=True):
            place = places.get(value, -1) if value == value else places.get(None, -1)
            if place is None:
                continue
            if place >= 0:
                encoded[place] = 1.0
            elif is_refused:
                raise HandOver
        return encoded

    return encode


def _one_hot_of(places: Mapping[Any, int | None], noughts: Row, *, is_refused: bool) -> Transform:
    """The same for a single column, as column transformers often have it."""
    ready: dict[Any, Row] = {}
    for category, place in places.items():
        ready[category] = noughts[:]
        if place is not None:
            ready[category][place] = 1.0

    def encode(row: Row) -> Row:
        (value,) = row
        encoded = ready.get(value if value == value else None)
        if encoded is None:
            if is_refused:
                raise HandOver
            return noughts
        return encoded

    return encode


def _write_ordinal(encoder: Any, write: Write) -> Entry:
    if getattr(encoder, "_infrequent_enabled", False):
        raise CannotCompile("an OrdinalEncoder puts infrequent categories together")
    unknown = float(encoder.unknown_value) if encoder.handle_unknown == "use_encoded_value" else None
    missing = float(encoder.encoded_missing_value)
    return {
        "categories": [write_categories(categories) for categories in encoder.categories_],
        "unknown": "refused" if unknown is None else None if is_missing(unknown) else unknown,
        "missing": None if is_missing(missing) else missing,
    }


def _read_ordinal(entry: Mapping[str, Any], read: Read) -> Transform:
    nan = float("nan")
    missing = nan if entry["missing"] is None else float(entry["missing"])
    columns = [
        {category: missing if category is None else float(place) for place, category in enumerate(categories)}
        for categories in entry["categories"]
    ]
    unknown = {"refused": None, None: nan}.get(entry["unknown"], entry["unknown"])

    def encode(row: Row) -> Row:
        encoded = []
        for value, codes in zip(row, columns, strict=True):
            code = codes.get(value if value == value else None, unknown)
            if code is None:
                raise HandOver
            encoded.append(code)
        return encoded

    return encode


def write_categories(categories: Iterable[Any]) -> list[Any]:
    """Categories as JSON has them. Raises: CannotCompile: two of them are one there, or one is no JSON value."""
    plain = [value.item() if hasattr(value, "item") else value for value in categories]
    written = [None if is_missing(value) else value for value in plain]
    if not all(value is None or isinstance(value, str | int | float | bool) for value in written):
        raise CannotCompile("a category is neither text nor number")
    if len(set(written)) < len(written):
        raise CannotCompile("an encoder tells None from NaN")
    return written


OPERATIONS = (
    Operation("one_hot", (f"{_MODULE}.OneHotEncoder",), _write_one_hot, _read_one_hot),
    Operation("ordinal", (f"{_MODULE}.OrdinalEncoder",), _write_ordinal, _read_ordinal),
)
