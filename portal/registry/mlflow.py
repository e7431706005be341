"""What MLflow says about a model's features: the signature in `MLmodel`, and the input example beside it.

Whoever wrote these files may have written anything: they are read with a size limit and without YAML's tags, and what
is not as MLflow writes it is left out, with a note.
Source: mlflow/types/schema.py (`ColSpec`), mlflow/models/utils.py (`_Example`) of MLflow 2.9 to 3.18
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

DESCRIPTION = "MLmodel"
EXAMPLES = ("serving_input_example.json", "input_example.json")
MAX_CHARACTERS = 256 * 1024
MAX_NESTING = 20
MAX_COLUMNS = 5000
MAX_ROWS = 20
MAX_TEXT = 1000
# MLflow's types → kinds of features. Others (datetime, binary, objects) are no values of a form.
KINDS = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "text",
}
Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Input:
    """One column of the signature."""

    name: str
    kind: str
    is_required: bool


@dataclass(frozen=True)
class Described:
    """What was understood. `rows` are those of the example, by column. `notes` say what was not, for the log."""

    inputs: dict[str, Input] = field(default_factory=dict)
    rows: list[dict[str, Scalar]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(attachments: Mapping[str, Any]) -> Described:
    """What the attachments of a scan report (file name → text) say. Never raises: what is odd is left out."""
    notes: list[str] = []
    inputs = _read_inputs(attachments.get(DESCRIPTION), notes)
    rows: list[dict[str, Scalar]] = []
    for name in EXAMPLES:
        rows = rows or _read_rows(name, attachments.get(name), notes)
    return Described({each.name: each for each in inputs}, rows, notes)


def _read_inputs(text: Any, notes: list[str]) -> list[Input]:
    if not isinstance(text, str):
        return []
    try:
        signature = _load_yaml(text).get("signature") or {}
        # MLflow writes the schema as JSON within the YAML.
        columns = json.loads(signature["inputs"]) if signature.get("inputs") else []
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        notes.append("The signature in MLmodel is not as MLflow writes it, and was left out.")
        return []
    if not isinstance(columns, list) or len(columns) > MAX_COLUMNS:
        notes.append("The signature in MLmodel is not as MLflow writes it, and was left out.")
        return []
    inputs = [_read_input(column) for column in columns]
    left_out = sum(each is None for each in inputs)
    if left_out:
        notes.append(f"{left_out} of {len(inputs)} inputs of the signature have no name or no plain type.")
    return [each for each in inputs if each is not None]


def _load_yaml(text: str) -> Any:
    """Plain YAML. MLflow uses no anchors, with which a small text can name a huge value."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError("too long")
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("an alias")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_NESTING:
            raise ValueError("too deep")
    return yaml.safe_load(text)


def _read_input(column: Any) -> Input | None:
    if not isinstance(column, dict):
        return None
    name, kind = column.get("name"), column.get("type")
    if not isinstance(name, str) or not name or not isinstance(kind, str) or kind not in KINDS:
        return None
    is_required = column.get("required", not column.get("optional", False))
    return Input(name=name, kind=KINDS[kind], is_required=is_required is not False)


def _read_rows(name: str, text: Any, notes: list[str]) -> list[dict[str, Scalar]]:
    """The rows of an example, written in any of MLflow's ways."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        return []
    try:
        content = json.loads(text, parse_constant=lambda word: None)
    except (ValueError, RecursionError):
        notes.append(f"{name} cannot be read, and was left out.")
        return []
    rows = _rows_of(content)
    if not rows:
        notes.append(f"{name} holds no table of named columns, and was left out.")
    return rows


def _rows_of(content: Any) -> list[dict[str, Scalar]]:
    if isinstance(content, dict):
        for wrapped in ("dataframe_split", "dataframe_records", "inputs"):
            if wrapped in content:
                return _rows_of(content[wrapped])
        if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
            return _rows_of_split(content["columns"], content["data"])
        content = [content]
    if not isinstance(content, list):
        return []
    return [row for row in map(_row_of, content[:MAX_ROWS]) if row]


def _rows_of_split(columns: list[Any], data: list[Any]) -> list[dict[str, Scalar]]:
    fitting = [cells for cells in data[:MAX_ROWS] if isinstance(cells, list) and len(cells) == len(columns)]
    return [row for row in (_row_of(dict(zip(map(str, columns), cells, strict=True))) for cells in fitting) if row]


def _row_of(row: Any) -> dict[str, Scalar]:
    """A row, if all of its values are plain ones."""
    if not isinstance(row, dict) or len(row) > MAX_COLUMNS or not all(map(_is_plain, row.values())):
        return {}
    return {str(name): value for name, value in row.items()}


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
