"""What a CSV file looks like: its dialect, its columns, which of them the model wants, and what is added to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from predictor.batch.cells import NULLS
from predictor.batch.dialect import Header, find_decimal, read_header
from predictor.batch.matching import Match, match_columns
from predictor.batch.wishes import Band, Wishes
from predictor.coercion import quoted
from predictor.errors import BatchRefused
from predictor.features import Feature, Output
from predictor.reading import Reading

# What means missing where nobody said otherwise, beside an empty cell.
DEFAULT_NULLS = sorted(NULLS - {""})

_NO_WISHES = Wishes()
_PLAIN = Reading()


@dataclass(frozen=True)
class Layout:
    """How to read a file's records and what to write behind them. JSON as it is, for plan.json.

    positions: for each feature, the index of its column; header_bytes: where the first data record begins;
    contents: what each added column holds: "prediction", "probability <class index>", "band" or "error";
    nulls: what means missing beside an empty cell
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
    nulls: list[str] = field(default_factory=DEFAULT_NULLS.copy)

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Layout":
        return cls(**entry)

    @property
    def written_decimal(self) -> str:
        """The decimal mark of the numbers that we write: the file's own, where it separates no cells."""
        return "." if self.delimiter == "," else self.decimal


@dataclass(frozen=True)
class Outline:
    """What could be found out about a file, whether or not it can be scored."""

    header: Header
    match: Match
    decimal: str


def read_layout(
    sample: bytes,
    *,
    features: Sequence[Feature],
    wanted: Sequence[tuple[str, str]],
    wishes: Wishes = _NO_WISHES,
    reading: Reading = _PLAIN,
) -> Layout:
    """The layout of the file that begins with `sample`.

    Args:   sample: UTF-8 CSV; wanted: name and contents of each column to add; reading: how the sample was read
    Raises: BatchRefused: no usable header, or columns that are missing, double or ambiguous
    """
    outline = read_outline(sample, features=features, wishes=wishes, reading=reading)
    header, match = outline.header, outline.match
    if match.refusals:
        raise BatchRefused(match.refusals[0])
    added, more = _name_added(header.columns, [name for name, _ in wanted])
    notes = list(match.notes)
    if outline.decimal == ",":
        written = " and written" if header.delimiter != "," else ""
        notes.append(f"Numbers were read{written} with a decimal comma.")
    return Layout(
        delimiter=header.delimiter,
        decimal=outline.decimal,
        newline=header.newline,
        columns=header.columns,
        positions=[place for place in match.positions if place is not None],
        added=added,
        contents=[contents for _, contents in wanted],
        header_bytes=header.size_bytes,
        notes=notes + more,
        nulls=DEFAULT_NULLS.copy() if wishes.nulls is None else list(wishes.nulls),
    )


def read_outline(sample: bytes, *, features: Sequence[Feature], wishes: Wishes, reading: Reading) -> Outline:
    """What can be found out about the file that begins with `sample`."""
    is_csv = reading.format == "csv"
    names = {feature.name for feature in features} | set(wishes.columns.values())
    header = read_header(sample, names=names, delimiter=wishes.delimiter if is_csv else ",")
    match = match_columns(header.columns, features, wishes.columns)
    rows = sample[header.size_bytes :]
    found = find_decimal(rows, header.delimiter, positions=match.positions, features=features)
    return Outline(header=header, match=match, decimal=wishes.decimal or found)


def columns_of(output: Output, *, bands: Sequence[Band] = ()) -> list[tuple[str, str]]:
    """Name and contents of the columns that docs/contract.md §4 adds."""
    probabilities: list[tuple[str, str]] = []
    if output.probabilities:
        probabilities = [
            (f"probability_{name}", f"probability {place}") for place, name in enumerate(output.classes or ())
        ]
    has_number = bool(probabilities) or output.type == "regression"
    band = [("band", "band")] if bands and has_number else []
    return [("prediction", "prediction"), *probabilities, *band, ("error", "error")]


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
