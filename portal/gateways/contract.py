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


def telling_number(output: Output, prediction: Mapping[str, Any]) -> float | None:
    """What bands and histograms look at: the value (regression), the last class's probability (binary), the answer's
    own (multiclass); None where an answer has no such number."""
    if output.type == "regression":
        return prediction.get("value")
    probabilities = prediction.get("probabilities")
    if not probabilities:
        return None
    return probabilities[-1] if output.type == "binary" else max(probabilities)


@dataclass(frozen=True)
class BatchStatus:
    """How an execution stands. `summary` is there once it is done, `error` once it has failed."""

    state: str  # running, done, failed
    summary: dict[str, Any] | None = None
    error: str = ""
    is_refused: bool = False  # by the file itself, not by a fault of ours
    is_stopped: bool = False  # by somebody
    is_unknown: bool = False  # to Step Functions, which may know it a moment later


@dataclass(frozen=True)
class Look:
    """What a look at a file recognised, before anything is scored.

    Attributes:
        reading: format, packing, encoding, delimiter, decimal, nulls, sheet, sheets
        mapping: a column or None for every feature
        near: for features without one the columns of similar names, the nearest first
        rows: the cells of the first rows
        problems: row (counted from 1), feature, message
        refusal: why it cannot be scored as it stands, empty if it can
    """

    reading: dict[str, Any]
    columns: list[str]
    mapping: dict[str, str | None]
    near: dict[str, list[str]]
    rows: list[list[Any]]
    problems: list[dict[str, Any]]
    refusal: str
    notes: list[str]
    size_bytes: int

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Look":
        return cls(
            reading=dict(content.get("reading") or {}),
            columns=list(content.get("columns") or []),
            mapping=dict(content.get("mapping") or {}),
            near=dict(content.get("near") or {}),
            rows=list(content.get("rows") or []),
            problems=list(content.get("problems") or []),
            refusal=str(content.get("refusal") or ""),
            notes=list(content.get("notes") or []),
            size_bytes=int(content.get("size_bytes") or 0),
        )


@dataclass(frozen=True)
class Replay:
    """How a version answered its golden rows once more. `moved` holds those whose answers differ, before and now."""

    rows: int
    moved: list[dict[str, Any]]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Replay":
        return cls(int(content["rows"]), list(content["moved"]))
