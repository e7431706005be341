"""What a version answers to a sample of its own training data: what the answers to a file are compared with."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from portal.errors import PorticoError
from portal.gateways import inference
from portal.gateways.contract import Scalar, telling_number
from portal.registry.models import ModelVersion

log = logging.getLogger(__name__)

CALL_ROWS = 100
DIGITS = 6  # it is for a picture


def keep_training_answers(version: ModelVersion, rows: Sequence[dict[str, Any]]) -> None:
    """Ask a version that has passed its check about these rows, and keep what it says. Never fails: it is a picture."""
    names = {row["name"] for row in version.manifest["features"]}
    asked = [{name: row[name] for name in names} for row in rows if names <= row.keys()]
    if not asked:
        return
    try:
        answers = [answer for start in range(0, len(asked), CALL_ROWS) for answer in _ask(version, asked[start:])]
    except PorticoError as error:
        log.warning(
            "%s was not asked about its training data: %s", version, getattr(error, "detail", type(error).__name__)
        )
        return
    version.training_answers = _sum_up(version, answers)
    version.save(update_fields=["training_answers"])


def _ask(version: ModelVersion, rows: list[dict[str, Scalar]]) -> list[dict[str, Any]]:
    return inference.answer_rows(
        slug=version.model.slug, number=version.number, sha256=version.sha256, rows=rows[:CALL_ROWS]
    )


def _sum_up(version: ModelVersion, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """rows: how many were answered; labels: [[label, count], …]; numbers: what histograms and bands look at."""
    output = version.output
    given = [answer["prediction"] for answer in answers if "prediction" in answer]
    if not given:
        return {}
    labels = Counter(_written(prediction["label"]) for prediction in given if prediction.get("label") is not None)
    numbers = [telling_number(output, prediction) for prediction in given]
    return {
        "rows": len(given),
        "labels": [list(pair) for pair in labels.most_common()],
        "numbers": [float(f"{number:.{DIGITS}g}") for number in numbers if number is not None],
    }


def _written(label: Scalar) -> str:
    """A label as the container's summaries write it."""
    return label if isinstance(label, str) else repr(label)
