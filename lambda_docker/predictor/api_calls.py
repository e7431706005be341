"""The original tool's two calls, answered as its clients expect them, and for any model.

    POST …/[{model}/]singlePrediction    POST …/[{model}/]batchPrediction

Only the last path segment names the call; the one before it, where it has the form of a slug, names the model.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from predictor import keys, model_store
from predictor.batch.inline import score_file
from predictor.coercion import read_row
from predictor.errors import BadInput, BadRequest, BatchRefused, Fault, UnknownModel
from predictor.events import ApiRequest
from predictor.model_store import LoadedModel
from predictor.operations import predict_values

NO_MODEL = "none"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to an API call; body None is an empty one."""

    status: int
    body: Mapping[str, Any] | None
    model_tag: str = NO_MODEL
    call: str | None = None
    error: str | None = None


def answer(request: ApiRequest) -> Reply:
    """Answer a call; expected faults become statuses with a message."""
    if request.method == "OPTIONS":
        return Reply(status=204, body=None, call="options")
    name = request.segments[-1] if request.segments else ""
    call = _CALLS.get(name)
    if call is None:
        return Reply(status=404, body={"message": "Unknown API call"}, error="unknown_call")
    if request.method != "POST":
        return Reply(status=405, body={"message": f"Use POST for {name}."}, call=name, error="bad_method")
    tag = NO_MODEL
    try:
        body = request.json_body()
        model = _find_model(request)
        tag = model.tag()
        return Reply(status=200, body=call(request, model, body), model_tag=tag, call=name)
    except Fault as fault:
        return Reply(status=fault.status, body={"message": fault.message}, model_tag=tag, call=name, error=fault.code)
    except BatchRefused as refusal:
        return Reply(status=400, body={"message": str(refusal)}, model_tag=tag, call=name, error="refused")


def _find_model(request: ApiRequest) -> LoadedModel:
    """The model in the path, else the drop-in one, else the default one. Raises: Fault."""
    named = request.segments[-2] if len(request.segments) > 1 else ""
    if keys.is_slug(named):
        return model_store.store.get(named)[0]
    drop_in = model_store.store.get_drop_in()
    if drop_in is not None:
        return drop_in[0]
    default = os.environ.get("PORTICO_DEFAULT_MODEL", "")
    if not keys.is_slug(default):
        raise UnknownModel("No model is named in the path, and none is set as the default one.")
    return model_store.store.get(default)[0]


def _predict_one(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values = read_row(model.features, body)
    except BadInput as fault:
        raise _as_original(fault, body) from fault
    prediction = predict_values(model, values).one()
    probabilities = prediction["probabilities"]
    # The original page reads result.body.pred_proba, its Lambda wrote result.pred_proba: both are there.
    rounded = {} if probabilities is None else {"pred_proba": round(probabilities[-1], 3)}
    if model.output.type == "binary" and rounded:
        return {**rounded, "body": rounded}
    reply: dict[str, Any] = {"prediction": prediction["value"] if prediction["label"] is None else prediction["label"]}
    if probabilities is not None:
        names = [str(name) for name in model.output.classes or ()]
        reply["probabilities"] = dict(zip(names, probabilities, strict=True))
    return {**reply, **rounded, "body": {**reply, **rounded}}


def _as_original(fault: BadInput, body: Mapping[str, Any]) -> BadInput:
    """The original's message names the features; what is wrong with a value that is there is added."""
    message = f"Error-Bad input values in: {list(fault.fields)}"
    wrong = [f"{name}: {reason}" for name, reason in fault.fields.items() if body.get(name) is not None]
    return BadInput("; ".join([message, *wrong]), fault.fields)


def _predict_file(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any]) -> dict[str, Any]:
    key = _read_file_key(body.get("fileKey"), claims=request.claims)
    bucket_name, link = score_file(key, model)
    return {"bucket": bucket_name, "downloadLink": link}


def _read_file_key(value: object, *, claims: Mapping[str, str] | None) -> str:
    """A key inside the caller's own prefix. Raises: BadRequest, without saying what the bucket holds."""
    if not isinstance(value, str) or not value:
        raise BadRequest("fileKey is missing: name the uploaded file, as <user>/<file>.csv.")
    segments = value.split("/")
    is_plain = value.isprintable() and "\\" not in value and len(value.encode()) <= 900
    if not is_plain or len(segments) < 2 or any(segment in ("", ".", "..") for segment in segments):
        raise BadRequest("fileKey must have the form <user>/<file>.csv.")
    if segments[0] in keys.RESERVED_PREFIXES:
        raise BadRequest("fileKey must lie inside your own folder.")
    if claims is not None:
        own = {claims.get("cognito:username"), claims.get("sub")} - {None, ""}
        if segments[0] not in own:
            raise BadRequest("fileKey must lie inside your own folder.")
    return value


_CALLS: dict[str, Callable[[ApiRequest, LoadedModel, Mapping[str, Any]], dict[str, Any]]] = {
    "singlePrediction": _predict_one,
    "batchPrediction": _predict_file,
}
