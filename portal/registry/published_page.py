"""What the published page knows of the models: documents of JSON that the portal writes into the bucket.

Source: docs/contract.md section 9
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.registry.models import Band, Feature, ModelVersion

FORMAT = 1


def document_of(version: ModelVersion) -> dict[str, Any]:
    """pages/<slug>/page.json: the form of a version, and how its answers are shown."""
    model = version.model
    return {
        "v": FORMAT,
        "slug": model.slug,
        "version": version.number,
        "sha256": version.sha256,
        "name": model.name,
        "summary": model.summary,
        "result_label": model.result_label,
        "result_unit": model.target_unit,
        "capture": model.capture,
        "features": [_feature(feature) for feature in version.features.all()],
        "output": version.manifest["output"],
        "class_words": dict(version.class_rows),
        "bands": [_band(band) for band in version.bands.all()] if version.uses_bands else [],
        "examples": [{"name": example.name, "row": example.row} for example in version.examples.all()],
    }


def index_of(versions: Iterable[ModelVersion]) -> dict[str, Any]:
    """pages/index.json: the models of these versions, by name."""
    return {"v": FORMAT, "models": [_entry(version) for version in versions]}


def _feature(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "label": str(feature),
        "unit": feature.unit,
        "kind": feature.kind,
        "choices": [list(pair) for pair in feature.choice_pairs],
        "minimum": feature.minimum,
        "maximum": feature.maximum,
        "step": feature.step,
        "default": feature.default,
        "required": feature.is_required,
        "accepts_missing": feature.accepts_missing,
        "help": feature.hint,
    }


def _band(band: Band) -> dict[str, Any]:
    return {"upper": band.upper, "label": band.label, "tone": band.tone}


def _entry(version: ModelVersion) -> dict[str, Any]:
    model = version.model
    return {
        "slug": model.slug,
        "name": model.name,
        "summary": model.summary,
        "result_label": model.result_label,
        "values": len(version.manifest["features"]),
        "version": version.number,
    }
