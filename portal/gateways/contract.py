"""The wire format as the portal reads it: dataclasses from JSON. Source: docs/contract.md sections 3 to 5."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Output:
    """What kind of answer a model gives: `binary`, `multiclass`, `regression` or `labels`."""

    type: str
    classes: tuple[Scalar, ...]
    has_probabilities: bool

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Output":
        return cls(content["type"], tuple(content.get("classes") or ()), bool(content.get("probabilities")))


@dataclass(frozen=True)
class Answer:
    """One prediction. `probabilities` are in the order of `output.classes`; floats carry all their digits."""

    output: Output
    label: Scalar
    value: float | None
    probabilities: tuple[float, ...] | None
    scores: tuple[float, ...] | None
    is_cold: bool
    milliseconds: float
    request_id: str

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Answer":
        prediction = content["prediction"]
        scores = prediction.get("scores")
        if scores is not None and not isinstance(scores, list):
            scores = [scores]
        return cls(
            output=Output.from_json(content["output"]),
            label=prediction.get("label"),
            value=prediction.get("value"),
            probabilities=None if prediction.get("probabilities") is None else tuple(prediction["probabilities"]),
            scores=None if scores is None else tuple(scores),
            is_cold=content["start"] == "cold",
            milliseconds=float(content["milliseconds"]),
            request_id=str(content.get("request_id") or ""),
        )


@dataclass(frozen=True)
class BatchStatus:
    """How far a batch is. `summary` is there once it has ended, in either way."""

    state: str  # running, done, failed
    parts_total: int
    parts_done: int
    summary: dict[str, Any] | None
    error: str


@dataclass(frozen=True)
class Replay:
    """How a version answered its golden rows once more. `moved` holds those whose answers differ, before and now."""

    rows: int
    moved: list[dict[str, Any]]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Replay":
        return cls(int(content["rows"]), list(content["moved"]))
