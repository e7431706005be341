"""Golden rows that are answered otherwise than at the check, as a table shows them.

Source: docs/contract.md section 3, replay
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.registry.models import ModelVersion


@dataclass(frozen=True)
class Difference:
    """One thing that was otherwise: what, at the check, and now."""

    what: str
    before: Any
    now: Any


@dataclass(frozen=True)
class MovedRow:
    """A row and what became of its answer. `error` says why there is none now, or that nothing can be compared."""

    inputs: dict[str, Any]
    differences: list[Difference]
    error: str


def read_moves(version: ModelVersion, moved: Sequence[Mapping[str, Any]]) -> list[MovedRow]:
    """The rows of a replay in words. Numbers keep all their digits: they may differ in the tenth."""
    return [
        MovedRow(dict(row["row"]), _differences(version, row["before"], row.get("now")), str(row.get("error") or ""))
        for row in moved
    ]


def _differences(version: ModelVersion, before: Mapping[str, Any], now: Mapping[str, Any] | None) -> list[Difference]:
    told, told_now = _tell(version, before), _tell(version, now or {})
    if now is None:
        return [Difference(*next(iter(told.items())), None)] if told else []
    names = dict.fromkeys([*told, *told_now])
    return [
        Difference(name, told.get(name), told_now.get(name)) for name in names if told.get(name) != told_now.get(name)
    ]


def _tell(version: ModelVersion, prediction: Mapping[str, Any]) -> dict[str, Any]:
    """Every part of a prediction by its name, the answer itself first."""
    told: dict[str, Any] = {}
    if prediction.get("label") is not None:
        told["Answer"] = version.class_word(prediction["label"])
    if prediction.get("value") is not None:
        told["Value"] = prediction["value"]
    words = [word for _, word in version.class_rows]
    told |= _by_class("Probability", prediction.get("probabilities"), words)
    scores = prediction.get("scores")
    return told | _by_class("Score", scores if scores is None or isinstance(scores, list) else [scores], words)


def _by_class(what: str, numbers: Sequence[float] | None, words: Sequence[str]) -> dict[str, float]:
    """One number a class; a single one (the score of two classes) stands for itself."""
    if not numbers:
        return {}
    if len(numbers) != len(words):
        return {f"{what} {i}" if len(numbers) > 1 else what: number for i, number in enumerate(numbers, start=1)}
    return {f"{what} of {word}": number for word, number in zip(words, numbers, strict=True)}
