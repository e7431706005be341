"""The settings of a version's page, put together from what is known, the best source first.

1. settings given with the upload (the samples bring theirs),
2. the settings of the version before it, for features of the same name,
3. MLflow's signature and input example, where the file is such a model,
4. a CSV of training data,
5. the model itself (the manifest).

Examples are rows of this version's own data where there are any, before those of the version before it.
"""

from __future__ import annotations

from typing import Any

from portal.registry import mlflow
from portal.registry.models import Band, Example, Feature, ModelVersion
from portal.registry.training_data import EXAMPLES, Column, TrainingData

MAX_DEFAULT = 200  # Feature.default

DEFAULT_BANDS = (
    {"upper": 0.5, "label": "Less likely", "tone": "neutral"},
    {"upper": None, "label": "Likely", "tone": "caution"},
)


def fill(
    version: ModelVersion,
    *,
    given: dict[str, Any],
    training: TrainingData | None,
    previous: ModelVersion | None,
    noted: mlflow.Described | None = None,
) -> None:
    """Write the Feature, Band and Example rows of a version that has none yet, and its class labels."""
    given_features = {row["name"]: row for row in given.get("features", [])}
    order = {row["name"]: i for i, row in enumerate(given.get("features", []))}
    old_features = {row.name: row for row in previous.features.all()} if previous else {}
    for position, described in enumerate(version.manifest["features"]):
        name = described["name"]
        feature = _from_manifest(version, described, order.get(name, position))
        if training and name in training.columns:
            _learn(feature, training.columns[name])
        if noted:
            _note(feature, noted)
        if name in old_features:
            for field in Feature.SETTINGS:
                setattr(feature, field, getattr(old_features[name], field))
        if name in given_features:
            _take(feature, given_features[name])
        feature.save()
    _fill_bands(version, given, previous)
    _fill_examples(version, _own_examples(version, given, training, noted), previous)
    version.class_labels = dict(given.get("classes") or (previous.class_labels if previous else {}) or {})
    version.save(update_fields=["class_labels"])


def _from_manifest(version: ModelVersion, described: dict[str, Any], position: int) -> Feature:
    default = described.get("default")
    return Feature(
        version=version,
        position=position,
        name=described["name"],
        kind=described["kind"],
        choices=[[str(value), str(value)] for value in described.get("choices") or []],
        default="" if default is None else _plain(default),
        accepts_missing=bool(described.get("accepts_missing")),
        is_required=not described.get("accepts_missing"),
    )


def _learn(feature: Feature, column: Column) -> None:
    if column.is_numeric and feature.is_numeric:
        feature.kind = Feature.INTEGER if column.is_integer else Feature.NUMBER
        feature.minimum, feature.maximum = column.minimum, column.maximum
        feature.default = _plain(column.median)
    elif column.is_choice and feature.kind in (Feature.TEXT, Feature.CHOICE):
        feature.kind = Feature.CHOICE
        feature.choices = feature.choices or [[value, value] for value in sorted(column.values)]
        feature.default = column.values[0]


def _note(feature: Feature, noted: mlflow.Described) -> None:
    """What MLflow wrote down, as far as the model bears it out: it may have been fitted on something else."""
    column = noted.inputs.get(feature.name)
    if column and feature.is_numeric and column.kind in (*Feature.NUMERIC, Feature.BOOLEAN):
        feature.kind = column.kind
        if column.kind == Feature.BOOLEAN:
            feature.minimum = feature.maximum = None
            feature.default = ""
    if column:
        feature.is_required = column.is_required or not feature.accepts_missing
    value = noted.rows[0].get(feature.name) if noted.rows else None
    if value is not None and _fits(value, feature):
        feature.default = _plain(value)


def _fits(value: mlflow.Scalar, feature: Feature) -> bool:
    """May this value stand in the feature's field?"""
    if feature.kind == Feature.CHOICE:
        return str(value) in [choice for choice, _ in feature.choices]
    if feature.kind == Feature.BOOLEAN or isinstance(value, bool):
        return feature.kind == Feature.BOOLEAN and isinstance(value, bool)
    if feature.kind == Feature.TEXT:
        return isinstance(value, str) and len(value) <= MAX_DEFAULT
    return isinstance(value, int | float) and (feature.kind == Feature.NUMBER or float(value).is_integer())


def _take(feature: Feature, row: dict[str, Any]) -> None:
    for field in ("label", "unit", "kind", "minimum", "maximum", "step", "help"):
        if row.get(field) is not None:
            setattr(feature, field, row[field])
    if row.get("choices"):
        feature.choices = row["choices"]
    if row.get("default") is not None:
        feature.default = _plain(row["default"])
    feature.is_required = bool(row.get("required", feature.is_required)) or not feature.accepts_missing


def _fill_bands(version: ModelVersion, given: dict[str, Any], previous: ModelVersion | None) -> None:
    rows: list[dict[str, Any]] = list(given.get("bands", []))
    if not rows and previous and previous.manifest.get("output", {}).get("type") == version.output.type:
        rows = [dict(row) for row in previous.bands.values("upper", "label", "tone")]
    if not rows and version.output.type == "binary" and version.output.has_probabilities:
        rows = list(DEFAULT_BANDS)
    for row in rows:
        Band.objects.create(version=version, upper=row["upper"], label=row["label"], tone=row["tone"])


def _own_examples(
    version: ModelVersion, given: dict[str, Any], training: TrainingData | None, noted: mlflow.Described | None
) -> list[dict[str, Any]]:
    """Rows that came with this version, from the best source that has whole ones."""
    names = {feature["name"] for feature in version.manifest["features"]}
    if given.get("examples"):
        return list(given["examples"])
    if noted and (whole := [row for row in noted.rows if names <= set(row)]):
        return [{"name": f"Input example {i}", "row": row} for i, row in enumerate(whole[:EXAMPLES], 1)]
    if training and names <= set(training.columns):
        return [{"name": f"Training row {i}", "row": row} for i, row in enumerate(training.examples, 1)]
    return []


def _fill_examples(version: ModelVersion, own: list[dict[str, Any]], previous: ModelVersion | None) -> None:
    names = [feature["name"] for feature in version.manifest["features"]]
    rows = own
    if not rows and previous:
        rows = [dict(row) for row in previous.examples.values("name", "row") if set(names) <= set(row["row"])]
    if not rows:
        rows = [{"name": "Usual values", "row": {f["name"]: f.get("default") for f in version.manifest["features"]}}]
    for row in rows:
        Example.objects.create(version=version, name=row["name"], row={name: row["row"].get(name) for name in names})


def _plain(value: Any) -> str:
    """A default as it would be typed: `3` rather than `3.0`, and yes or no for a truth value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
