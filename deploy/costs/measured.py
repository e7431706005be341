"""Milliseconds, memory and requests that were measured (docs/figures/), as AWS bills them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.costs.batches import Line, Steps
from deploy.errors import DeployError

FIGURES = Path(__file__).parent.parent.parent / "docs" / "figures"
# One request in a hundred meets a function that has to start: colleagues who ask now and then.
COLD_SHARE = 0.01
# The model that the figures are quoted of: logistic regression, 4 columns.
MODEL = "logreg"
SMALL_MB = 128


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function: milliseconds as billed, rounded up, warm and when it has to start first."""

    memory_mb: int
    warm_ms: int
    cold_ms: int | None

    @property
    def mean_ms(self) -> float:
        share = 0.0 if self.cold_ms is None else COLD_SHARE
        return (1 - share) * self.warm_ms + share * (self.cold_ms or 0)

    @property
    def gb_seconds(self) -> float:
        return self.mean_ms / 1000 * self.memory_mb / 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """What the bill is made of.

    Attributes:
        prediction: one answered by the small function
        steps: of a batch
        day: when the call was measured, as 2026-11-28
    """

    prediction: Call
    steps: Steps
    day: str


def read_measured(figures: Path = FIGURES) -> Measured:
    """Raises: DeployError: the figures are not here"""
    try:
        cold = json.loads((figures / "cold-shares.json").read_text("utf-8"))
        steps = read_steps((figures / "batch-steps.json").read_text("utf-8"))
    except FileNotFoundError as error:
        raise DeployError(
            f"The bill needs the measured figures, and {error.filename} is not there. Is this a complete checkout?"
        ) from error
    return Measured(read_call(cold, "Portico, compiled", SMALL_MB), steps, cold["machine"]["date"][:10])


def read_call(cold: Mapping[str, Any], variant: str, memory_mb: int) -> Call:
    """A variant's call by the times that were measured with the processor's share of that much memory.

    Args:    cold: cold-shares.json
    """
    title = f"With the processor's share of a function of {memory_mb:,} MB"
    rows = next(part["rows"] for part in cold["parts"] if part["title"] == title)
    found = next(row for row in rows if row["model"] == MODEL and row["variant"] == variant)
    return Call(memory_mb, math.ceil(found["warm ms"]), math.ceil(found["median ms"]))


def read_steps(text: str) -> Steps:
    """batch-steps.json"""
    entry = json.loads(text)
    lines = {name: Line(**entry[name]) for name in ("part_s", "part_peak_bytes", "finish_s")}
    return Steps(**{**entry, **lines})
