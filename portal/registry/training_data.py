"""What a CSV of training data tells about the features: ranges, choices, usual values, a few real rows.

Standard library only: the portal holds no pandas.
"""

import csv
import io
import math
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import IO, Any, Self

from portal.errors import BadInput

MAX_ROWS = 50_000
MAX_CHOICES = 20
EXAMPLES = 3
SAMPLE_ROWS = 500
SAMPLE_CELLS = 50_000  # of a model with a thousand features fewer rows are kept
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "."}


@dataclass(frozen=True)
class Column:
    """One column's cells, in one look. `numbers` is empty where any cell is text."""

    is_numeric: bool
    is_integer: bool
    has_missing: bool
    minimum: float | None
    maximum: float | None
    median: float | None
    values: tuple[str, ...]  # distinct values, the most frequent first; at most MAX_CHOICES + 1

    @property
    def is_choice(self) -> bool:
        return not self.is_numeric and 0 < len(self.values) <= MAX_CHOICES


@dataclass(frozen=True)
class TrainingData:
    """The columns by name, some complete rows as they were written, and a sample of all rows, missing cells None."""

    columns: dict[str, Column]
    examples: list[dict[str, str]]
    sample: list[dict[str, str | None]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        columns = {
            name: Column(**{**facts, "values": tuple(facts["values"])}) for name, facts in content["columns"].items()
        }
        return cls(columns, content["examples"], content.get("sample") or [])


def read(file: IO[bytes]) -> TrainingData:
    """Read a CSV with a header; at most MAX_ROWS rows are looked at.

    Raises: BadInput: no text, no header or no rows
    """
    text = _text(file)
    try:
        rows = list(_rows(text))
    except csv.Error as error:
        raise BadInput(
            "The training data cannot be read as a CSV file.", {"training": "This is not a CSV file."}
        ) from error
    if len(rows) < 2:
        raise BadInput("The training data has no rows.", {"training": "A header and at least one row are needed."})
    header = [name.strip() for name in rows[0]]
    body = [row for row in rows[1:] if len(row) == len(header)]
    columns = {name: _column(row[i] for row in body) for i, name in enumerate(header)}
    complete = [row for row in body if not any(_is_missing(cell) for cell in row)]
    spread = complete[:: max(1, len(complete) // EXAMPLES)][:EXAMPLES]
    return TrainingData(columns, [dict(zip(header, row, strict=True)) for row in spread], _sample(header, body))


def _sample(header: list[str], body: list[list[str]]) -> list[dict[str, str | None]]:
    """Rows from all over the file, at most as many as is worth keeping."""
    wanted = min(SAMPLE_ROWS, SAMPLE_CELLS // len(header))
    spread = body[:: max(1, -(-len(body) // max(1, wanted)))][:wanted]
    return [
        {name: None if _is_missing(cell) else cell.strip() for name, cell in zip(header, row, strict=True)}
        for row in spread
    ]


def _text(file: IO[bytes]) -> str:
    content = file.read()
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 decodes every byte")


def _rows(text: str) -> Iterable[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter)):
        if number > MAX_ROWS:
            return
        if row:
            yield row


def _column(cells: Iterable[str]) -> Column:
    given = [cell.strip() for cell in cells]
    present = [cell for cell in given if not _is_missing(cell)]
    numbers = _numbers(present)
    common = Counter(present).most_common(MAX_CHOICES + 1)
    return Column(
        is_numeric=bool(numbers),
        is_integer=bool(numbers) and all(number.is_integer() for number in numbers),
        has_missing=len(present) < len(given),
        minimum=min(numbers, default=None),
        maximum=max(numbers, default=None),
        median=statistics.median(numbers) if numbers else None,
        values=tuple(value for value, _ in common),
    )


def _numbers(cells: list[str]) -> list[float]:
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return []
    return numbers if all(math.isfinite(number) for number in numbers) else []


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING
