"""predict and describe: what the portal asks the predict function directly.

Source: docs/contract.md §3
"""

import time
from collections.abc import Mapping
from typing import Any

from predictor import keys, model_store
from predictor.coercion import read_row
from predictor.engines import Answers
from predictor.engines.sklearn_engine import first_not_finite
from predictor.errors import BadRequest, PredictionFailed
from predictor.features import Choice
from predictor.model_store import LoadedModel


def predict(request: Mapping[str, Any], *, request_id: str) -> dict[str, Any]:
    """One row's prediction. Raises: any Fault but Rejected."""
    began = time.perf_counter()
    slug, version = keys.read_slug(request.get("model")), keys.read_version(request.get("version"))
    row = request.get("row")
    if not isinstance(row, dict):
        raise BadRequest("The row must be an object of feature names and values.")
    model, start = model_store.store.get(slug, version, keys.read_sha256(request.get("sha256")))
    answers = predict_values(model, read_row(model.features, row))
    return {
        "ok": True,
        "model": model.ref(),
        "output": model.output.to_json(),
        "prediction": answers.one(),
        "start": start,
        "milliseconds": round((time.perf_counter() - began) * 1000, 3),
        "request_id": request_id,
    }


def describe(request: Mapping[str, Any]) -> dict[str, Any]:
    """A version's manifest. Raises: BadRequest, UnknownModel, UnknownVersion."""
    slug, version = keys.read_slug(request.get("model")), keys.read_version(request.get("version"))
    manifest = model_store.store.manifest(slug, version)
    number = manifest.pop("version")
    return {
        "ok": True,
        "model": {"slug": slug, "version": number, "sha256": manifest.get("sha256")},
        "manifest": manifest,
    }


def predict_values(model: LoadedModel, values: list[Choice | None]) -> Answers:
    """Answers for one row of model values. Raises: PredictionFailed: the model raised, or gave no finite number."""
    try:
        answers = model.engine.predict([[value] for value in values])
    except Exception as problem:  # a model may raise anything at all
        raise PredictionFailed(explain_failure(problem)) from problem
    if first_not_finite(answers) is not None:
        raise PredictionFailed("The model gave no finite number for these values.")
    return answers


def explain_failure(problem: Exception) -> str:
    """Why a model refused values, in one sentence."""
    lines = str(problem).strip().splitlines()
    reason = lines[0][:200] if lines else type(problem).__name__
    return f"The model cannot answer for these values: {reason.rstrip('.')}."
