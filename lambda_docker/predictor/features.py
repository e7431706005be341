"""What a model takes and gives: Feature and Output, as the manifest writes them.

Source: docs/contract.md §5
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

Choice = str | float | int | bool


class _FeatureFields(NamedTuple):
    name: str
    kind: str = "number"
    choices: tuple[Choice, ...] | None = None
    default: Choice | None = None
    accepts_missing: bool = False


class Feature(_FeatureFields):
    """One input of a model. `choices` is filled for kind "choice" only."""

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Feature":
        choices = entry.get("choices")
        return cls(
            name=entry["name"],
            kind=entry["kind"],
            choices=None if choices is None else tuple(choices),
            default=entry.get("default"),
            accepts_missing=bool(entry.get("accepts_missing")),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "choices": None if self.choices is None else list(self.choices),
            "default": self.default,
            "accepts_missing": self.accepts_missing,
        }

    @property
    def is_numeric(self) -> bool:
        """Whether every value reaches the model as a float."""
        if self.kind == "choice":
            return all(
                isinstance(choice, int | float) and not isinstance(choice, bool) for choice in self.choices or ()
            )
        return self.kind != "text"

    @cached_property
    def lookup(self) -> dict[str, Choice]:
        """The choices by every way in which a file or a form may write them."""
        written: dict[str, Choice] = {}
        for choice in self.choices or ():
            for text in _spellings(choice):
                written.setdefault(text, choice)
        return written


class Output(NamedTuple):
    """What comes out: type is binary, multiclass, regression or labels."""

    type: str
    classes: tuple[Choice, ...] | None = None
    probabilities: bool = False

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> "Output":
        classes = entry.get("classes")
        return cls(
            type=entry["type"],
            classes=None if classes is None else tuple(classes),
            probabilities=bool(entry.get("probabilities")),
        )

    def to_json(self) -> dict[str, Any]:
        classes = None if self.classes is None else list(self.classes)
        return {"type": self.type, "classes": classes, "probabilities": self.probabilities}


def _spellings(choice: Choice) -> list[str]:
    if isinstance(choice, str):
        return [choice]
    if isinstance(choice, bool):
        return [str(choice), str(choice).lower(), str(choice).upper(), str(int(choice))]
    if float(choice).is_integer():
        return [str(choice), str(int(choice)), f"{int(choice)}.0"]
    return [str(choice)]
