"""Models as scikit-learn has them: fetched, their checksum checked, only then loaded.

Imported by those that need it alone: a compiled model answers single rows without.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from predictor import bucket, keys
from predictor.description import Description, describe
from predictor.discovery import inspect, to_json_value
from predictor.engines import Engine
from predictor.engines.sklearn_engine import SklearnEngine
from predictor.errors import ChecksumMismatch, ModelBroken, ObjectMissing, ObjectTooLarge, Rejected
from predictor.features import Choice, Feature, Output
from predictor.limits import in_megabytes, limit
from predictor.loading import Loaded, load, versions


@dataclass(frozen=True, slots=True)
class Full:
    """A loaded estimator. classes: those that it has itself, where the output has classes"""

    engine: Engine
    classes: tuple[Choice, ...] | None


@dataclass(frozen=True, slots=True)
class Described:
    """A model that comes without a manifest, and so describes itself."""

    manifest: dict[str, Any]
    features: tuple[Feature, ...]
    output: Output
    full: Full
    description: Description


def load_version(slug: str, version: int, manifest: Mapping[str, Any]) -> Full:
    """The model that a checked manifest names. Raises: ModelBroken, ChecksumMismatch."""
    key = keys.model_file(slug, version, manifest.get("file"))
    if key is None:
        raise ModelBroken(f"The manifest of '{slug}' version {version} names no model file.")
    body = _fetch_body(key).body
    # Before loading: unpickling runs what is in the file.
    if hashlib.sha256(body).hexdigest() != manifest["sha256"]:
        raise ChecksumMismatch(f"The file of '{slug}' version {version} is not the one that was verified.")
    loaded = load(
        body,
        format=manifest.get("format", "pickle"),
        member=manifest.get("member"),
        member_format=manifest.get("member_format"),
        trusted=manifest.get("trusted") or (),
    )
    inputs = inspect(loaded.estimator)
    features = tuple(Feature.from_json(entry) for entry in manifest["features"])
    if inputs is None or len(inputs.names) != len(features):
        raise ModelBroken(f"The manifest of '{slug}' version {version} does not describe its model.")
    output = Output.from_json(manifest["output"])
    return Full(
        engine=SklearnEngine(loaded.estimator, inputs=inputs, features=features, output=output),
        classes=_classes_of(loaded.estimator) if output.classes is not None else None,
    )


def load_drop_in() -> tuple[str, Described]:
    """The ETag of the drop-in model's bytes, and the model. Raises: ModelBroken.

    It carries no checksum to compare with: as in the original tool, who may write the key chooses the model.
    """
    stored = _fetch_body(keys.DROP_IN_KEY)
    return stored.etag, describe_body(stored.body, format="pickle")


def describe_body(body: bytes, *, format: str) -> Described:
    """A model from its file's bytes. Raises: ModelBroken."""
    loaded: Loaded = load(body, format=format)
    try:
        found = describe(loaded.estimator)
    except Rejected as problem:
        raise ModelBroken(problem.message) from problem
    manifest = {
        "format": format,
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "versions": versions(loaded.fitted_with),
        **found.to_json(),
        "warnings": loaded.warnings,
    }
    full = Full(engine=found.engine, classes=found.output.classes)
    return Described(manifest=manifest, features=found.features, output=found.output, full=full, description=found)


def _classes_of(estimator: Any) -> tuple[Choice, ...] | None:
    classes = getattr(estimator, "classes_", None)
    return None if classes is None else tuple(to_json_value(label) for label in np.asarray(classes).tolist())


def _fetch_body(key: str) -> bucket.Stored:
    allowed = limit("PORTICO_MODEL_MAX_BYTES")
    try:
        return bucket.read(key, limit_bytes=allowed)
    except ObjectMissing:
        raise ModelBroken("The model's file is no longer in the bucket.") from None
    except ObjectTooLarge as problem:
        raise ModelBroken(
            f"The model's file has {in_megabytes(problem.size_bytes)}; up to {in_megabytes(allowed)} can be loaded."
        ) from None
