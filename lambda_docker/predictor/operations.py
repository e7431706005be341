"""predict, describe, replay and answer_rows: what the portal asks the predict function directly.

Source: docs/contract.md §3
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from predictor import golden, journal, keys, model_store
from predictor.compiled.terms import HandOver
from predictor.errors import BadInput, BadRequest, PredictionFailed
from predictor.features import Choice
from predictor.loaded_model import LoadedModel

ANSWERED_ROWS = 100

_NOT_FINITE = "The model gave no finite number for these values."


def predict(request: Mapping[str, Any], *, request_id: str, began: float) -> tuple[dict[str, Any], LoadedModel]:
    """One row's prediction, and the model that made it.

    Args:   began: a time.perf_counter()
    Raises: any Fault but Rejected; NeedsLarge
    """
    row = request.get("row")
    if not isinstance(row, dict):
        raise BadRequest("The row must be an object of feature names and values.")
    model, start = _find_model(request)
    read_row = model.read_row_again if start == model_store.WARM else model.read_row
    prediction = predict_one(model, read_row(row))
    answer = {
        "ok": True,
        "model": model.ref,
        "output": model.output_json,
        "prediction": prediction,
        "start": start,
        "milliseconds": journal.milliseconds_since(began),
        "request_id": request_id,
    }
    return answer, model


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


def replay(request: Mapping[str, Any]) -> dict[str, Any]:
    """The golden rows of a version, answered once more, and those whose answers moved. Raises: as predict."""
    began = time.perf_counter()
    model, _ = _find_model(request)
    rows = model.manifest.get("golden") or []
    answers = answer_each(model, [entry["row"] for entry in rows])
    return {
        "ok": True,
        "model": model.ref,
        "rows": len(rows),
        "milliseconds": journal.milliseconds_since(began),
        "moved": golden.find_moved(rows, answers, error=_explain_classes(model)),
    }


def answer_rows(request: Mapping[str, Any]) -> dict[str, Any]:
    """Each row's prediction, or why it has none. Raises: as predict, but for what is wrong with a single row."""
    began = time.perf_counter()
    rows = request.get("rows")
    if not isinstance(rows, list) or len(rows) > ANSWERED_ROWS:
        raise BadRequest(f"The rows must be a list of at most {ANSWERED_ROWS} objects.")
    model, _ = _find_model(request)
    answers = answer_each(model, rows)
    return {
        "ok": True,
        "model": model.ref,
        "output": model.output_json,
        "milliseconds": journal.milliseconds_since(began),
        "answers": answers,
    }


def answer_each(model: LoadedModel, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """{"prediction": …} or {"error": sentence} for each row; all good rows are predicted in one go where that works."""
    answers: list[dict[str, Any]] = [{} for _ in rows]
    readable: dict[int, list[Choice | None]] = {}
    for place, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise BadInput("A row must be an object of feature names and values.")
            readable[place] = model.read_row(row)
        except BadInput as fault:
            answers[place] = {"error": fault.message}
    if readable:
        predicted = _predict_together(model, list(readable.values()))
        for place, answer in zip(readable, predicted, strict=True):
            answers[place] = answer
    return answers


def predict_one(model: LoadedModel, values: list[Choice | None]) -> dict[str, Any]:
    """One row's prediction, of model values. Raises: PredictionFailed: the model raised, or gave no finite number."""
    if model.tables is not None:
        try:
            return model.tables.answer(values)
        except HandOver:
            pass
    return _predict_in_full(model, values)


def _predict_in_full(model: LoadedModel, values: list[Choice | None]) -> dict[str, Any]:
    # Only here: it imports numpy, which a compiled model does without.
    engine = model.engine
    from predictor.engines.sklearn_engine import first_not_finite

    try:
        answers = engine.predict([[value] for value in values])
    except Exception as problem:  # a model may raise anything at all
        raise PredictionFailed(explain_failure(problem)) from problem
    if first_not_finite(answers) is not None:
        raise PredictionFailed(_NOT_FINITE)
    return answers.one()


def _predict_together(model: LoadedModel, rows: list[list[Choice | None]]) -> list[dict[str, Any]]:
    engine = model.engine
    from predictor.engines.sklearn_engine import first_not_finite

    try:
        answers = engine.predict(list(zip(*rows, strict=True)))
        if first_not_finite(answers) is None:
            return [{"prediction": answers.one(place)} for place in range(len(rows))]
    except Exception:  # noqa: S110  # a model may raise anything at all; below it is found out for which row
        pass
    return [_predict_alone(model, values) for values in rows]


def _predict_alone(model: LoadedModel, values: list[Choice | None]) -> dict[str, Any]:
    try:
        return {"prediction": _predict_in_full(model, values)}
    except PredictionFailed as fault:
        return {"error": fault.message}


def _find_model(request: Mapping[str, Any]) -> tuple[LoadedModel, str]:
    slug, version, sha256 = request.get("model"), request.get("version"), request.get("sha256")
    model = model_store.store.get_again(slug, version, sha256)
    if model is not None:
        return model, model_store.WARM
    return model_store.store.get(keys.read_slug(slug), keys.read_version(version), keys.read_sha256(sha256))


def _explain_classes(model: LoadedModel) -> str | None:
    """What is wrong where the estimator's classes are no longer those of the manifest, and all answers with them."""
    if model.classes == model.output.classes:
        return None
    return f"The model's classes are now {', '.join(map(str, model.classes or ())) or 'none'}."


def explain_failure(problem: Exception) -> str:
    """Why a model refused values, in one sentence."""
    lines = str(problem).strip().splitlines()
    reason = lines[0][:200] if lines else type(problem).__name__
    return f"The model cannot answer for these values: {reason.rstrip('.')}."
