"""`settings.json`: what the sample's features mean, in the shape of docs/contract.md section 6."""

import math
from typing import Any

import numpy as np
import pandas as pd

from model.quality import Split
from model.sample import Field, Row, Sample

MAX_DECIMALS = 6


def write_settings(
    sample: Sample, *, split: Split, estimator: Any, quality: str, pictures: list[dict[str, str]]
) -> dict[str, Any]:
    """The whole of settings.json. Ranges: all rows; defaults: the training rows; examples: the held-out rows."""
    everything = pd.concat([split.train, split.held_out])
    return {
        "name": sample.name,
        "slug": sample.slug,
        "summary": sample.summary,
        "notes": f"{sample.notes} {quality}",
        "features": [
            describe_feature(field, everything[field.name], split.train[field.name]) for field in sample.fields
        ],
        "bands": [{"upper": band.upper, "label": band.label, "tone": band.tone} for band in sample.bands],
        "classes": None if sample.classes is None else [list(pair) for pair in sample.classes],
        "target": {"label": sample.target_label, "unit": sample.target_unit},
        "examples": choose_examples(sample, estimator, split),
        "pictures": pictures,
    }


def describe_feature(field: Field, everything: pd.Series, train: pd.Series) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": field.name,
        "label": field.label,
        "unit": field.unit,
        "kind": field.kind,
        "required": field.required,
        "help": field.help,
    }
    if field.kind == "choice":
        most_frequent = plain(field, train.mode()[0])
        return described | {"default": most_frequent, "choices": [list(pair) for pair in field.choices]}
    decimals = count_decimals(everything)
    low, high = round_range(float(everything.min()), float(everything.max()))
    return described | {
        "minimum": low,
        "maximum": high,
        "step": 10**-decimals if decimals else 1,
        "default": plain(field, round(float(train.median()), decimals)),
    }


def choose_examples(sample: Sample, estimator: Any, split: Split) -> list[dict[str, Any]]:
    """Three or four held-out rows: an ordinary one of each class, or a low, a middle and a high prediction."""
    positions = typical_of_each(estimator, split) if sample.classes else low_middle_high(estimator, split)
    close_call = positions[len(sample.classes)] if sample.classes and len(positions) > len(sample.classes) else None
    examples = []
    for position in positions:
        cells = split.held_out.iloc[position]
        row: Row = {field.name: plain(field, cells[field.name]) for field in sample.fields}
        target = split.held_out_target.iloc[position]
        name = sample.name_example(row, target) + (", a close call" if position == close_call else "")
        examples.append({"name": name, "row": row})
    return examples


def typical_of_each(estimator: Any, split: Split) -> list[int]:
    """Of each class the row whose own probability is the median one, then the row with the closest call of all."""
    probabilities = estimator.predict_proba(split.held_out)
    target = split.held_out_target.to_numpy()
    chosen = []
    for column, label in enumerate(estimator.classes_):
        rows = np.flatnonzero(target == label)
        chosen.append(int(rows[np.argsort(probabilities[rows, column], kind="stable")[len(rows) // 2]]))
    gap = np.diff(np.sort(probabilities, axis=1)[:, -2:], axis=1)[:, 0]
    closest = int(np.argmin(gap))
    return chosen if closest in chosen else [*chosen, closest]


def low_middle_high(estimator: Any, split: Split) -> list[int]:
    order = np.argsort(estimator.predict(split.held_out), kind="stable")
    return [int(order[int(share * (len(order) - 1))]) for share in (0.1, 0.5, 0.9)]


def plain(field: Field, cell: Any) -> str | int | float | None:
    """A cell as JSON: choices by their written value, whole numbers without a point, missing as null."""
    if pd.isna(cell):
        return None
    if field.kind == "choice":
        return str(cell) if isinstance(cell, str) else f"{cell:g}"
    number = float(cell)
    return int(number) if number.is_integer() else number


def count_decimals(column: pd.Series) -> int:
    """The fewest decimals that write every value of the column exactly: a form's step must not refuse a real row."""
    values = column.dropna().to_numpy(dtype=float)
    return next(
        n for n in range(MAX_DECIMALS + 1) if n == MAX_DECIMALS or np.allclose(values, values.round(n), 0, 1e-9)
    )


def round_range(low: float, high: float) -> tuple[float, float]:
    """The range widened to round numbers: multiples of half the power of ten below its width."""
    unit = 10 ** math.floor(math.log10(high - low)) / 2
    digits = max(0, 1 - math.floor(math.log10(unit)))
    bottom, top = round(math.floor(low / unit) * unit, digits), round(math.ceil(high / unit) * unit, digits)
    return (int(bottom) if bottom.is_integer() else bottom), (int(top) if top.is_integer() else top)
