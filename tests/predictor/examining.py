"""A model described and tried as verify does it, but in this process: there are other tests for the walls."""

import pickle
from typing import Any

from predictor.compiled.parity import NotCompiled
from predictor.description import describe
from predictor.errors import Fault
from predictor.loading import load, versions
from predictor.manifest_shape import read_manifest
from predictor.trials import try_out


def examine(model: Any, *, rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The manifest of a model, or of the bytes of one. Raises: Fault."""
    loaded = load(model if isinstance(model, bytes) else pickle.dumps(model), format="pickle")
    description = describe(loaded.estimator)
    found = try_out(description, rows=rows or [])
    return read_manifest(
        {
            "versions": versions(loaded.fitted_with),
            **description.to_json(),
            "warnings": [*loaded.warnings, *found.warnings],
            "golden": found.golden,
            "trials": found.trials,
            "flags": found.flags,
            "memory_bytes": 0,
            "load_milliseconds": 0.0,
            "compiled": NotCompiled("nobody asked").to_json(),
        }
    )


def refusal(model: Any) -> str:
    """Why a model is refused."""
    try:
        examine(model)
    except Fault as fault:
        return fault.message
    raise AssertionError("It was not refused.")
