"""What a file looks like to the model, before anything is scored: how it is read, which column is what, what is wrong.

Source: docs/contract.md §4 (batch.preview)
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from predictor import reading
from predictor.batch.cells import read_cell
from predictor.batch.dialect import parse_record
from predictor.batch.job import Job
from predictor.batch.layout import DEFAULT_NULLS, Outline, columns_of, read_layout, read_outline
from predictor.batch.planning import HEADER_ONLY
from predictor.batch.records import is_blank, split_records
from predictor.batch.wishes import Wishes
from predictor.coercion import BadValue
from predictor.errors import FILE_GONE, BatchRefused, ObjectMissing
from predictor.features import Feature
from predictor.limits import in_megabytes, limit
from predictor.loaded_model import LoadedModel
from predictor.reading import ObjectSource, Reading

_SHOWN_ROWS = 20
_TRIED_ROWS = 200
_SHOWN_PROBLEMS = 20


@dataclass
class _Found:
    """What is known so far; a refusal ends the search, and all of this is told beside it."""

    reading: Reading = field(default_factory=Reading)
    size_bytes: int = 0
    outline: Outline | None = None
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def preview(event: Mapping[str, Any]) -> dict[str, Any]:
    """What the job would find; an unusable file is told in `refusal`.

    Raises: BadRequest: the job is none; Fault: the model cannot be used
    """
    job = Job.from_event(event)
    model = job.load_model()
    found = _Found()
    refusal = None
    try:
        _look(ObjectSource(job.input_key), found, model=model, wishes=job.wishes)
    except BatchRefused as refused:
        refusal = str(refused)
    except ObjectMissing:
        refusal = FILE_GONE
    outline = found.outline
    places = outline.match.positions if outline else [None] * len(model.features)
    columns = outline.header.columns if outline else []
    return {
        "ok": True,
        "reading": _describe(found.reading, outline, job.wishes),
        "columns": columns,
        "mapping": {
            feature.name: None if place is None else columns[place]
            for feature, place in zip(model.features, places, strict=True)
        },
        "near": outline.match.near if outline else {},
        "rows": found.rows[:_SHOWN_ROWS],
        "problems": list(itertools.islice(_problems(found, model.features, job.wishes), _SHOWN_PROBLEMS)),
        "refusal": refusal,
        "notes": found.notes,
        "size_bytes": found.size_bytes,
    }


def _look(file: ObjectSource, found: _Found, *, model: LoadedModel, wishes: Wishes) -> None:
    """Find out as much as there is. Raises: BatchRefused: the file cannot be scored; ObjectMissing."""
    found.size_bytes = file.size_bytes
    found.reading = reading.recognise(file, encoding=wishes.encoding, sheet=wishes.sheet)
    found.reading, sample = reading.sample_of(file, found.reading)
    found.notes = found.reading.notes()
    outline = read_outline(sample, features=model.features, wishes=wishes, reading=found.reading)
    found.outline = outline
    found.rows = _first_rows(sample[outline.header.size_bytes :], outline.header.delimiter)
    wanted = columns_of(model.output, bands=wishes.bands)
    layout = read_layout(sample, features=model.features, wanted=wanted, wishes=wishes, reading=found.reading)
    found.notes += layout.notes
    if not found.rows:
        raise BatchRefused(HEADER_ONLY)
    allowed = limit("PORTICO_BATCH_MAX_BYTES")
    if found.size_bytes > allowed:
        raise BatchRefused(
            f"The file has {in_megabytes(found.size_bytes)}, and {in_megabytes(allowed)} is the most that is scored at "
            "once. Split it."
        )


def _first_rows(content: bytes, delimiter: str) -> list[list[str]]:
    records, rest = split_records(content, delimiter.encode())
    # The sample may end in the midst of a record, which is not one then; a lone one is all there is.
    records += [] if records else [rest]
    kept = itertools.islice((record for record in records if not is_blank(record)), _TRIED_ROWS)
    return [parse_record(record, delimiter) for record in kept]


def _describe(read_as: Reading, outline: Outline | None, wishes: Wishes) -> dict[str, Any]:
    return {
        "format": read_as.format,
        "packing": read_as.packing,
        "encoding": read_as.encoding,
        "delimiter": outline.header.delimiter if outline and read_as.format == "csv" else None,
        "decimal": outline.decimal if outline else wishes.decimal or ".",
        "nulls": list(DEFAULT_NULLS if wishes.nulls is None else wishes.nulls),
        "sheet": read_as.sheet,
        "sheets": None if read_as.sheets is None else list(read_as.sheets),
    }


def _problems(found: _Found, features: Sequence[Feature], wishes: Wishes) -> Iterator[dict[str, Any]]:
    """What is wrong with the first rows, cell by cell; rows count from 1."""
    outline = found.outline
    if outline is None:
        return
    nulls = DEFAULT_NULLS if wishes.nulls is None else wishes.nulls
    width = len(outline.header.columns)
    mapped = [
        (feature, place) for feature, place in zip(features, outline.match.positions, strict=True) if place is not None
    ]
    for number, cells in enumerate(found.rows, start=1):
        if len(cells) != width:
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            message = f"the row has {count}, the header has {width}"
            yield {"row": number, "feature": None, "message": message}
            continue
        for feature, place in mapped:
            try:
                read_cell(feature, cells[place], decimal=outline.decimal, nulls=nulls)
            except BadValue as problem:
                yield {"row": number, "feature": feature.name, "message": str(problem)}
