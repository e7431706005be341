"""The public API: the original tool's two calls, answered as its clients expect them and for any model, and jobs.

    POST …/[{model}/]singlePrediction    POST …/[{model}/]batchPrediction    GET, DELETE …/batchPrediction/{job}

Only the last path segment names the call; the one before it, where it has the form of a slug, names the model. What
batches need is imported by the first call for one.

A single row is answered as direct invokes are (docs/contract.md §9) where the caller accepts FULL_ANSWER.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from predictor import handing_over, journal, keys, model_store
from predictor.captures import Asked
from predictor.errors import BadInput, BadRequest, BatchRefused, CallRefused, Fault
from predictor.events import NO_MODEL, ApiRequest, Reply
from predictor.loaded_model import LoadedModel
from predictor.operations import predict_one

AWAY_SECONDS = "5"
FULL_ANSWER = "application/vnd.portico.prediction+json"

# singlePrediction keeps the original's.
_BATCH_CORS = {
    "Access-Control-Allow-Headers": "Content-Type, Authorization, Prefer, Idempotency-Key",
    "Access-Control-Allow-Methods": "OPTIONS, POST, GET, DELETE",
    "Access-Control-Expose-Headers": "X-Request-Id, X-Model-Version, Location, Retry-After, Preference-Applied",
}


def answer(request: ApiRequest) -> Reply:
    """Answer a call; expected faults become statuses with a message."""
    began = time.perf_counter()
    call, methods = _find_call(request.segments)
    reply = _answer(request, call, methods)
    if "batchPrediction" in request.segments:
        reply.headers = {**_BATCH_CORS, **reply.headers}
    return _in_full(request, reply, began=began)


def refuse_for_large(request: ApiRequest, fault: Fault) -> Reply:
    """What a caller is told where the large function does not answer."""
    return _of_failure(request, refuse(fault))


def excuse(request: ApiRequest) -> Reply:
    """What a caller is told of a bug: a reference to what the log says of it."""
    message = f"Something went wrong on our side. Please try again; the reference is {request.request_id}."
    return _of_failure(request, Reply(status=500, body={"message": message}, error="bug"))


def _of_failure(request: ApiRequest, reply: Reply) -> Reply:
    """An answer to a call whose own was lost on the way: what was known of the model is looked up once more."""
    reply.call, methods = _find_call(request.segments)
    recalled = model_store.store.recall(_named(request)) if request.method == "POST" and methods else None
    if recalled is not None:
        live, model = recalled
        reply.asked = Asked(live, _body_or_none(request), None if model is None else model.features)
        reply.model_tag = f"{live.slug}/{live.version}"
    return _in_full(request, reply, began=0.0)


def _in_full(request: ApiRequest, reply: Reply, *, began: float) -> Reply:
    """The answer in the form that its caller accepts."""
    if not _accepts_full(request) or reply.call != "singlePrediction" or reply.body is None:
        return reply
    if reply.prediction is not None:
        milliseconds = journal.milliseconds_since(began)
        reply.body = {"ok": True, **reply.prediction, "milliseconds": milliseconds, "request_id": request.request_id}
    else:
        error = {"code": reply.error, "message": reply.body["message"]}
        if reply.fields:
            error["fields"] = dict(reply.fields)
        reply.body = {"ok": False, "error": error, "message": reply.body["message"]}
    reply.headers = {**reply.headers, "Content-Type": FULL_ANSWER}
    return reply


def _accepts_full(request: ApiRequest) -> bool:
    accepted = request.headers.get("accept", "")
    return any(kind.partition(";")[0].strip().lower() == FULL_ANSWER for kind in accepted.split(","))


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
    body, fields = {"message": problem.message}, getattr(problem, "fields", {})
    return Reply(status=problem.status, body=body, headers=headers, error=problem.code, fields=fields)


def _ask_model(request: ApiRequest, ask: Callable[[ApiRequest, LoadedModel, Mapping[str, Any], str], Reply]) -> Reply:
    """Answer a call that has a body and is about a model: whatever becomes of it, the answer names that model."""
    body = _body_or_none(request)
    try:
        live = model_store.store.find_live(_named(request))
    except Exception:
        # What is wrong with the body is told first.
        request.json_body()
        raise
    asked = None if live is None else Asked(live, body)
    tag = NO_MODEL if live is None else f"{live.slug}/{live.version}"
    try:
        body = request.json_body() if body is None else body
        model, start = model_store.store.answering(_named(request), live)
        tag = model.tag()
        if asked is not None:
            asked = asked._replace(features=model.features, start=start)
        reply = ask(request, model, body, start)
    except (Fault, BatchRefused, CallRefused) as problem:
        reply = refuse(problem)
    reply.model_tag, reply.asked = tag, asked
    return reply


def _body_or_none(request: ApiRequest) -> dict[str, Any] | None:
    try:
        return request.json_body()
    except BadRequest:
        return None


def _named(request: ApiRequest) -> str:
    """The model in the path; nothing for the drop-in one, else the default one."""
    named = request.segments[-2] if len(request.segments) > 1 else ""
    return named if keys.is_slug(named) else ""


def _predict_one(request: ApiRequest) -> Reply:
    return _ask_model(request, _predict_row)


def _predict_row(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any], start: str) -> Reply:
    try:
        values = model.read_row(body)
    except BadInput as fault:
        if _accepts_full(request):
            raise
        raise _as_original(fault, body) from fault
    prediction = predict_one(model, values)
    told = {"model": model.ref, "output": model.output_json, "prediction": prediction, "start": start}
    return Reply(status=200, body=_to_original(model, prediction), prediction=told)


def _to_original(model: LoadedModel, prediction: Mapping[str, Any]) -> dict[str, Any]:
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


def _score_or_start(request: ApiRequest, model: LoadedModel, body: Mapping[str, Any], _start: str) -> Reply:
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
