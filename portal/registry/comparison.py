"""What changes for people and callers when one version takes the place of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.registry.models import ModelVersion


@dataclass(frozen=True)
class Comparison:
    """Sentences-to-be: names of features, and (what, before, after) where facts differ."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    facts: list[tuple[str, str, str]]

    @property
    def changes_inputs(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def compare(before: ModelVersion, after: ModelVersion) -> Comparison:
    """Both must be ready. `changed` holds features of the same name that the model takes differently."""
    old = {row["name"]: row for row in before.manifest["features"]}
    new = {row["name"]: row for row in after.manifest["features"]}
    return Comparison(
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        changed=[name for name in new if name in old and _taken(new[name]) != _taken(old[name])],
        facts=[
            (what, old_fact, new_fact)
            for (what, old_fact), (_, new_fact) in zip(_facts(before), _facts(after), strict=True)
            if old_fact != new_fact
        ],
    )


def _taken(feature: dict[str, Any]) -> tuple[Any, ...]:
    return feature["kind"], feature.get("choices"), bool(feature.get("accepts_missing"))


def _facts(version: ModelVersion) -> list[tuple[str, str]]:
    output = version.output
    return [
        ("Estimator", str(version.manifest.get("estimator") or "unknown")),
        ("Fitted with", f"scikit-learn {version.fitted_with}" if version.fitted_with else "unknown"),
        ("Answer", output.type),
        ("Classes", ", ".join(str(label) for label in output.classes) or "none"),
        ("Probabilities", "yes" if output.has_probabilities else "no"),
    ]
