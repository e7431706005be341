"""The public API: the original tool's two calls, answered as its clients expect them and for any model, and jobs.

    POST …/[{model}/]singlePrediction    POST …/[{model}/]batchPrediction    GET, DELETE …/batchPrediction/{job}

Only the last path segment names the call; the one before it, where it has the form of a slug, names the model. What
batches need is imported by the first call for one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from predictor import handing_over, keys, model_store
from predictor.errors import BadInput, BatchRefused, CallRefused, Fault
from predictor.events import ApiRequest, Reply
from predictor.loaded_model import LoadedModel
from predictor.operations import predict_one

AWAY_SECONDS = "5"

# singlePrediction keeps the original's.
_BATCH_CORS = {
    "Access-Control-Allow-Headers": "Content-Type, Authorization, Prefer, Idempotency-Key",
    "Access-Control-Allow-Methods": "OPTIONS, POST, GET, DELETE",
    "Access-Control-Expose-Headers": "X-Request-Id, X-Model-Version, Location, Retry-After, Preference-Applied",
}


def answer(request: ApiRequest) -> Reply:
    """Answer a call; expected faults become statuses with a message."""
    call, methods = _find_call(request.segments)
    reply = _answer(request, call, methods)
    if "batchPrediction" in request.segments:
        reply.headers = {**_BATCH_CORS, **reply.headers}
    return reply


def _answer(request: ApiRequest, call: str, methods: Mapping[str, Callable[[ApiRequest], Reply]]) -> Reply:
    if request.method == "OPTIONS":
        return Reply(status=204, body=None, call="options")
    if request.claims is not None and request.claims.get("token_use", "id") != "id":
        # API Gateway refuses an access token, which names no person; an emulator of it may let one through.
        body = {"message": "Send the ID token of your sign-in; this is another of its tokens."}
        return Reply(status=401, body=body, call=call, error="not_an_id_token")
    if not methods:
        return Reply(status=404, body={"message": "Unknown API call"}, error="unknown_call")
    ask = methods.get(request.method)
    if ask is None:
        body = {"message": f"Use {' or '.join(methods)} for {call}."}
        return Reply(status=405, body=body, headers={"Allow": ", ".join(methods)}, call=call, error="bad_method")
    if ask is not _predict_one:
        handing_over.require_large("operation")
    try:
        reply = ask(request)
    except (Fault, BatchRefused, CallRefused) as problem:
        reply = refuse(problem)
    reply.call = call
    return reply


def _find_call(segments: tuple[str, ...]) -> tuple[str, Mapping[str, Callable[[ApiRequest], Reply]]]:
    """A call's name, and what answers it by method; nothing where there is no such call."""
    name = segments[-1] if segments else ""
    if name not in _CALLS and segments[-2:-1] == ("batchPrediction",):
        name = "batchPrediction/{job}"
    return name, _CALLS.get(name, {})


def refuse(problem: Exception) -> Reply:
    """What a caller is told of an expected fault. Raises: any other problem."""
    if isinstance(problem, BatchRefused):
        return Reply(status=400, body={"message": str(problem)}, error="refused")
    if not isinstance(problem, Fault | CallRefused):
        raise problem
    headers = {"Retry-After": AWAY_SECONDS} if problem.status == 503 else {}
    body = {"message": problem.message}
    return Reply(status=problem.status, body=body, headers=headers, error=problem.code)


def excuse(request_id: str) -> Reply:
    """What a caller is told of a bug: a reference to what the log says of it."""
    message = f"Something went wrong on our side. Please try again; the reference is {request_id}."
    return Reply(status=500, body={"message": message}, error="bug")


def _ask_model(request: ApiRequest, ask: Callable[[ApiRequest, LoadedModel, Mapping[str, Any]], Reply]) -> Reply:
    """Answer a call that has a body and is about a model: whatever becomes of it, the answer names that model."""
    body = request.json_body()
    model = _find_model(request)
    try:
        reply = ask(request, model, body)
    except (Fault, BatchRefused, CallRefused) as problem:
        reply = refuse(problem)
    reply.model_tag = model.tag()
    return reply


def _find_model(request: ApiRequest) -> LoadedModel:
    """The model in the path, else the drop-in one, else the default one. Raises: Fault."""
    named = request.segments[-2] if len(request.segments) > 1 else ""
    return model_store.store.find(named if keys.is_slug(named) else "")


def _predict_one(request: ApiRequest) -> Reply:
    return _ask_model(request, lambda _, model, body: Reply(status=200, body=_predict_row(model, body)))


def _predict_row(model: LoadedModel, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values = model.read_row(body)
    except BadInput as fault:
        raise _as_original(fault, body) from fault
    prediction = predict_one(model, values)
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


def _predict_file(request: ApiRequest) -> Reply:
    return _ask_model(request, _score_or_start)


def _score_or_start(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any]) -> Reply:
    from predictor import api_batches
    from predictor.batch.inline import score_file

    key = keys.read_file_key(body.get("fileKey"), claims=request.claims)
    if api_batches.is_job(request, model, body, file_key=key):
        return api_batches.start(request, model, body, file_key=key)
    bucket_name, link = score_file(key, model)
    return Reply(status=200, body={"bucket": bucket_name, "downloadLink": link})


def _show_job(request: ApiRequest) -> Reply:
    from predictor import api_batches

    return api_batches.show(request)


def _cancel_job(request: ApiRequest) -> Reply:
    from predictor import api_batches

    return api_batches.cancel(request)


_CALLS: dict[str, dict[str, Callable[[ApiRequest], Reply]]] = {
    "singlePrediction": {"POST": _predict_one},
    "batchPrediction": {"POST": _predict_file},
    "batchPrediction/{job}": {"GET": _show_job, "DELETE": _cancel_job},
}
