"""What the person who starts a batch may choose, checked: how to read the file, what to make of it.

Source: docs/contract.md §4 (the job)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from predictor.coercion import quoted
from predictor.errors import BadRequest

ENCODINGS = ("utf-8", "utf-16", "cp1252")
DECIMALS = (".", ",")
RESULTS = ("csv", "parquet")

_NULLS_AT_MOST = 100
_NULL_CHARACTERS = 100
_NO_DELIMITERS = frozenset("\"\r\n\0 .-+'_")


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of answers with a name of its own: those up to `upper`; the last one has no end."""

    upper: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """The optional entries of a job. None, or nothing in it: found out from the file, or the default.

    columns: the file's column for some features; give_up_share: of bad rows in a part, from 0 to 1
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    nulls: tuple[str, ...] | None = None
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()
    give_up_share: float | None = None
    result: str = "csv"
    file_name: str = ""

    @classmethod
    def from_job(cls, job: Mapping[str, Any]) -> "Wishes":
        """Raises: BadRequest: an entry that is none of those that the contract allows."""
        reading = job.get("reading") or {}
        if not isinstance(reading, Mapping):
            raise BadRequest("The batch's reading must be an object of settings, or be left out.")
        return cls(
            encoding=_one_of(ENCODINGS, reading.get("encoding"), what="encoding"),
            delimiter=_read_delimiter(reading.get("delimiter")),
            decimal=_one_of(DECIMALS, reading.get("decimal"), what="decimal mark"),
            nulls=_read_nulls(reading.get("nulls")),
            sheet=_read_text(reading.get("sheet"), what="sheet") or None,
            columns=_read_columns(job.get("columns")),
            bands=_read_bands(job.get("bands")),
            give_up_share=_read_share(job.get("give_up_share")),
            result=_one_of(RESULTS, job.get("result"), what="result") or RESULTS[0],
            file_name=_read_text(job.get("file_name"), what="file's name"),
        )


def _one_of(allowed: tuple[str, ...], value: object, *, what: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in allowed:
        raise BadRequest(f"The batch's {what} {quoted(value)} is unknown. Choose one of {', '.join(allowed)}.")
    return value


def _read_text(value: object, *, what: str) -> str:
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"The batch's {what} must be a text.")
    return value or ""


def _read_delimiter(value: object) -> str | None:
    if value is None:
        return None
    # Records are split on bytes, so that the delimiter must be one; and it must never be a part of a number.
    is_one = isinstance(value, str) and len(value) == 1 and value.isascii() and not value.isalnum()
    if not is_one or value in _NO_DELIMITERS:
        raise BadRequest(f"Cells cannot be separated by {quoted(value)}. Choose a comma, a semicolon, a tab or a bar.")
    return str(value)


def _read_nulls(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    tokens = value if isinstance(value, list) else [value]
    texts = [token for token in tokens if isinstance(token, str) and len(token) <= _NULL_CHARACTERS]
    if not isinstance(value, list) or len(texts) < len(tokens) or len(tokens) > _NULLS_AT_MOST:
        raise BadRequest(
            f"The words for a missing value must be a list of at most {_NULLS_AT_MOST} texts "
            f"of at most {_NULL_CHARACTERS} characters."
        )
    # Cells are stripped before they are compared; an empty cell is missing in any case.
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _read_columns(value: object) -> dict[str, str]:
    columns = {} if value is None else value
    if not isinstance(columns, Mapping) or not all(isinstance(name, str) for name in columns.values()):
        raise BadRequest("The batch's columns must be an object of features and the file's columns.")
    return dict(columns)


def _read_bands(value: object) -> tuple[Band, ...]:
    entries = [] if value is None else value
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise BadRequest("The batch's bands must be a list of objects.")
    bands = tuple(Band(upper=entry.get("upper"), label=entry.get("label") or "") for entry in entries)
    uppers = [band.upper for band in bands]
    numbers = [float(upper) for upper in uppers[:-1] if _is_number(upper)]
    is_ascending = all(low < high for low, high in zip(numbers, numbers[1:], strict=False))
    if bands and (uppers[-1] is not None or len(numbers) != len(bands) - 1 or not is_ascending):
        raise BadRequest("The batch's bands must ascend, each with its upper end but the last, which has none.")
    if not all(isinstance(band.label, str) and band.label.strip() for band in bands):
        raise BadRequest("Each of the batch's bands needs a label.")
    return bands


def _read_share(value: object) -> float | None:
    if value is None:
        return None
    if not _is_number(value) or not 0 < float(value) <= 1:
        raise BadRequest("The share of bad rows that ends a batch must be a number above 0 and at most 1.")
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
