"""What a CSV file looks like: its dialect, its columns, which of them the model wants, and what is added to them."""

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from predictor.batch.records import is_blank, is_open, split_records
from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.features import Feature, Output
from predictor.limits import RECORD_MAX_BYTES

_DELIMITERS = (",", ";", "\t", "|")
_BOM = b"\xef\xbb\xbf"
_NAMED_AT_MOST = 10
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_DECIMAL_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class Layout:
    """How to read a file's records and what to write behind them. JSON as it is, for plan.json.

    positions: for each feature, the index of its column; header_bytes: where the first data record begins;
    contents: what each added column holds: "prediction", "probability <class index>" or "error"
    """

    delimiter: str
    decimal: str
    newline: str
    columns: list[str]
    positions: list[int]
    added: list[str]
    contents: list[str]
    header_bytes: int
    notes: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Layout":
        return cls(**entry)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_layout(sample: bytes, *, features: Sequence[Feature], wanted: Sequence[tuple[str, str]]) -> Layout:
    """The layout of the file that begins with `sample`.

    Args:   sample: UTF-8; wanted: name and contents of each column to add
    Raises: BatchRefused: no usable header, or columns that are missing, double or ambiguous
    """
    delimiter = _find_delimiter(sample, features)
    header, header_bytes = _first_record(sample, delimiter)
    columns = _parse(header.removeprefix(_BOM), delimiter)
    positions, notes = _match(columns, features, sample)
    added, more = _name_added(columns, [name for name, _ in wanted])
    decimal = _find_decimal(sample[header_bytes:], delimiter, positions, features)
    if decimal == ",":
        notes.append("Numbers were read and written with a decimal comma.")
    return Layout(
        delimiter=delimiter,
        decimal=decimal,
        newline="\r\n" if header.endswith(b"\r") else "\n",
        columns=columns,
        positions=positions,
        added=added,
        contents=[contents for _, contents in wanted],
        header_bytes=header_bytes,
        notes=notes + more,
    )


def columns_of(output: Output) -> list[tuple[str, str]]:
    """Name and contents of the columns that docs/contract.md §4 adds."""
    probabilities: list[tuple[str, str]] = []
    if output.probabilities:
        probabilities = [
            (f"probability_{name}", f"probability {place}") for place, name in enumerate(output.classes or ())
        ]
    return [("prediction", "prediction"), *probabilities, ("error", "error")]


def _find_delimiter(sample: bytes, features: Sequence[Feature]) -> str:
    """The delimiter under which the header names most features; then the one that gives most columns."""
    wanted = {feature.name.strip().casefold() for feature in features}

    def merit(delimiter: str) -> tuple[int, int]:
        header, _ = _first_record(sample, delimiter)
        cells = _parse(header.removeprefix(_BOM), delimiter)
        return len(wanted & {cell.strip().casefold() for cell in cells}), len(cells)

    return max(_DELIMITERS, key=merit)


def _first_record(sample: bytes, delimiter: str) -> tuple[bytes, int]:
    """The first record that is no blank line, without its newline, and the offset after it."""
    records, rest = split_records(sample, delimiter.encode())
    offset = 0
    for record in records:
        offset += len(record) + 1
        if not is_blank(record.removeprefix(_BOM)):
            return record, offset
    return rest, offset + len(rest)


def _parse(record: bytes, delimiter: str) -> list[str]:
    if len(record) > RECORD_MAX_BYTES or is_open(record, delimiter.encode()):
        return []
    text = record.decode("utf-8", errors="replace").removesuffix("\r")
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _match(columns: list[str], features: Sequence[Feature], sample: bytes) -> tuple[list[int], list[str]]:
    """The column of each feature, and a note on each name that was matched loosely."""
    if not columns:
        raise BatchRefused(
            "The first row cannot be read as a header. It must hold the columns' names, separated by commas."
        )
    counts = Counter(columns)
    double = [feature.name for feature in features if counts[feature.name] > 1]
    if double:
        raise BatchRefused(f"The file has more than one column called {_enumerate(double)}. Keep one of each.")
    positions, notes, missing = [], [], []
    for feature in features:
        alike = [place for place, name in enumerate(columns) if _is_alike(name, feature.name)]
        exact = [place for place in alike if columns[place] == feature.name]
        if len(exact or alike) > 1:
            names = _enumerate([columns[place] for place in alike])
            raise BatchRefused(f"More than one column could be {quoted(feature.name)}: {names}. Keep one of them.")
        if not alike:
            missing.append(feature.name)
            continue
        positions += exact or alike
        if not exact:
            notes.append(f"The column {quoted(columns[alike[0]])} was taken for {quoted(feature.name)}.")
    if missing:
        raise BatchRefused(_explain_missing(missing, columns, features))
    return positions, notes


def _is_alike(name: str, wanted: str) -> bool:
    return name.strip().casefold() == wanted.strip().casefold()


def _explain_missing(missing: list[str], columns: list[str], features: Sequence[Feature]) -> str:
    words = "column" if len(missing) == 1 else "columns"
    message = f"The file lacks the {words} {_enumerate(missing)}."
    taken = {feature.name for feature in features}
    spare = {name.strip().casefold(): name for name in columns if name not in taken}
    hints = []
    for name in missing:
        close = difflib.get_close_matches(name.casefold(), list(spare), n=1, cutoff=0.7)
        if close:
            hints.append(f"{quoted(spare[close[0]])} for {quoted(name)}")
    if hints:
        message += f" Did you mean {', '.join(hints[:_NAMED_AT_MOST])}?"
    elif len(missing) == len(features):
        message += f" The first row must name the columns; it holds {_enumerate(columns)}."
    return message


def _name_added(columns: list[str], wanted: list[str]) -> tuple[list[str], list[str]]:
    """Names for the added columns that the file does not use yet, and a note on each that had to give way."""
    taken, names, notes = {name.strip() for name in columns}, [], []
    for name in wanted:
        free = name
        while free in taken:
            free += "_portico"
        if free != name:
            notes.append(f"The file has a column {quoted(name)} already; the new one is called {quoted(free)}.")
        taken.add(free)
        names.append(free)
    return names, notes


def _find_decimal(rows: bytes, delimiter: str, positions: list[int], features: Sequence[Feature]) -> str:
    """ "," where a file separated by semicolons writes its numbers so, in the first rows; else "."."""
    if delimiter != ";":
        return "."
    numeric = [place for place, feature in zip(positions, features, strict=True) if feature.is_numeric]
    commas = points = 0
    for record in split_records(rows, delimiter.encode())[0] or [rows]:
        cells = _parse(record, delimiter)
        numbers = [cells[place] for place in numeric if place < len(cells)]
        commas += sum(bool(_DECIMAL_COMMA.fullmatch(number)) for number in numbers)
        points += sum(bool(_DECIMAL_POINT.fullmatch(number)) for number in numbers)
        if commas + points > 1000:
            break
    return "," if commas > points else "."


def _enumerate(names: Sequence[str]) -> str:
    shown = ", ".join(quoted(name) for name in names[:_NAMED_AT_MOST])
    rest = len(names) - _NAMED_AT_MOST
    return f"{shown} and {rest} more" if rest > 0 else shown
