"""The history as a CSV file: the same rows as on the page, with exact values, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from portal.predictions.models import PORTAL, Batch, Prediction
from portal.registry.models import Model

COLUMNS = [
    "when", "kind", "id", "user", "source", "model", "version", "state", "outcome", "in words", "band", "probabilities",
    "milliseconds", "file", "rows", "scored", "failed", "error",
]  # fmt: skip
PIECE_ROWS = 200
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(rows: Iterable[Prediction | Batch], model: Model | None) -> Iterator[str]:
    """CSV with a header, some hundred lines at a time. Of one model, features have columns; else `inputs` is JSON."""
    features = _feature_names(model) if model else None
    writer = csv.writer(_Echo())
    # Spreadsheets take a file without the mark for Latin-1.
    piece = ["\ufeff", writer.writerow([*COLUMNS, *(features if features is not None else ["inputs"])])]
    for row in rows:
        cells = _prediction(row, features) if isinstance(row, Prediction) else _batch(row, features)
        piece.append(writer.writerow([_safe(cell) for cell in cells]))
        if len(piece) >= PIECE_ROWS:  # each piece is a write to the socket
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


def _prediction(row: Prediction, features: list[str] | None) -> list[Any]:
    chances = "; ".join(f"{name}={share!r}" for name, share in row.probabilities or [])
    inputs = [json.dumps(row.inputs)] if features is None else [row.inputs.get(name) for name in features]
    return [
        *_common(row), row.state, row.outcome, row.outcome_words, row.band_label, chances, row.milliseconds,
        "", "", "", "", row.error, *inputs,
    ]  # fmt: skip


def _batch(row: Batch, features: list[str] | None) -> list[Any]:
    return [
        *_common(row), row.state, "", "", "", "", "", row.file_name, row.rows, row.scored, row.failed, row.error,
        *[""] * (1 if features is None else len(features)),
    ]  # fmt: skip


def _common(row: Prediction | Batch) -> list[Any]:
    kind, version = "batch" if row.is_batch else "prediction", row.version
    source = row.source or PORTAL
    return [row.created_at.isoformat(), kind, row.id, row.user.username, source, version.model.slug, version.number]


def _feature_names(model: Model) -> list[str]:
    versions = model.versions.order_by("-live_at", "-number").prefetch_related("features")
    return list(dict.fromkeys(feature.name for version in versions for feature in version.features.all()))


def _safe(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _is_number(cell):
        return f"'{cell}"
    return "" if cell is None else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
