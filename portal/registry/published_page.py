"""What a predict page is made from, as JSON: the published page's page.json. Source: docs/contract.md section 9"""

from __future__ import annotations

from typing import Any

from portal.registry.models import Feature, ModelVersion


def document_of(version: ModelVersion) -> dict[str, Any]:
    """The page.json of a version."""
    model, output = version.model, version.output
    return {
        "v": 1,
        "slug": model.slug,
        "version": version.number,
        "sha256": version.sha256,
        "name": model.name,
        "summary": model.summary,
        "result_label": model.result_label,
        "result_unit": model.target_unit,
        "capture": "all",
        "features": [_feature(feature) for feature in version.features.all()],
        "output": {
            "type": output.type,
            "classes": list(output.classes) or None,
            "probabilities": output.has_probabilities,
        },
        "class_words": {str(name): version.class_word(name) for name in output.classes},
        "bands": [{"upper": band.upper, "label": band.label, "tone": band.tone} for band in version.bands.all()]
        if version.uses_bands
        else [],
        "examples": [{"name": example.name, "row": example.row} for example in version.examples.all()],
    }


def _feature(feature: Feature) -> dict[str, Any]:
    plain = ("name", "unit", "kind", "choices", "minimum", "maximum", "step", "default", "accepts_missing")
    return {name: getattr(feature, name) for name in plain} | {
        "label": str(feature),
        "required": feature.is_required,
        "help": _help(feature),
    }


def _help(feature: Feature) -> str:
    span = ""
    if feature.is_numeric and feature.minimum is not None and feature.maximum is not None:
        span = f"{feature.minimum:g} to {feature.maximum:g}"
    return " · ".join(part for part in (span, feature.help) if part)
