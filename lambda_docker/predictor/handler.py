"""The Lambda functions' entry points: event → operation → answer.

`handle` is the predict function's, `verify` the verify function's. Expected faults are answered, bugs raise; only API
callers get an answer for a bug too, since API Gateway's own has neither CORS headers nor a reference.

What is imported here every start waits for. Batches and the check, which need numpy and more, are imported by the first
request for them; a compiled model's prediction imports the standard library, and httptools to read what S3 answers.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from predictor import after_answers, api_calls, captures, handing_over, journal, operations, signatures, signed_get
from predictor.errors import BadRequest, BatchRefused, Fault, NeedsLarge
from predictor.events import ApiRequest, OperationRequest, read_event, read_ids, to_proxy_response

Answer = dict[str, Any]


def handle(event: Mapping[str, Any], context: Any) -> Answer:
    """The predict function: the operations below, the batch steps and the public API."""
    try:
        # Nearly all invokes, and the only ones that are over in microseconds.
        if isinstance(event, dict) and event.get("operation") == "predict":
            return _predict(event, context)
        return _handle(event, context)
    finally:
        # Of every invocation: the sandbox goes on to the next only when this one is over for the extension too.
        if after_answers.is_awaited:
            after_answers.has_returned(context)


def verify(event: Mapping[str, Any], context: Any) -> Answer:
    """The verify function: verify, and nothing else."""
    try:
        request = read_event(event, context)
    except BadRequest as fault:
        return fault.to_json()
    if isinstance(request, ApiRequest):
        return BadRequest("This function answers no API calls.").to_json()
    return _answer_operation(request, {"verify": _verify})


def _handle(event: Mapping[str, Any], context: Any) -> Answer:
    try:
        request = read_event(event, context)
    except BadRequest as fault:
        return fault.to_json()
    try:
        return _answer(request)
    except NeedsLarge as need:
        return handing_over.ask_large(event, request, need, context=context)


def _predict(event: Mapping[str, Any], context: Any) -> Answer:
    began = time.perf_counter()
    request_id, invocation = read_ids(event, context)
    try:
        answer, model = operations.predict(event, request_id=request_id, began=began)
    except Fault as fault:
        journal.write("predict", request_id=request_id, invocation=invocation, began=began, error=fault.code)
        return fault.to_json()
    except NeedsLarge as need:
        request = OperationRequest("predict", event, request_id, invocation)
        return handing_over.ask_large(event, request, need, context=context)
    journal.write_prediction(answer, request_id=request_id, invocation=invocation, model=model.quoted_tag)
    return answer


def _answer(request: ApiRequest | OperationRequest) -> Answer:
    if isinstance(request, ApiRequest):
        return _answer_api(request)
    handing_over.require_large("operation")
    if not request.operation.startswith("batch."):
        return _answer_operation(request, _OPERATIONS)
    from predictor.batch import BATCH_OPERATIONS, BATCH_STEPS

    if request.operation in BATCH_STEPS:
        return _run_batch_step(request, BATCH_STEPS[request.operation])
    return _answer_operation(request, {name: _of_body(operation) for name, operation in BATCH_OPERATIONS.items()})


def _answer_operation(request: OperationRequest, operations_by_name: Mapping[str, Any]) -> Answer:
    began = time.perf_counter()
    try:
        operation = operations_by_name.get(request.operation)
        if operation is None:
            raise BadRequest(f"There is no operation '{request.operation[:40]}' here.")
        answer = operation(request)
    except Fault as fault:
        answer = fault.to_json()
    journal.write(
        request.operation[:40],
        request_id=request.request_id,
        invocation=request.invocation,
        began=began,
        model=_tag_of(answer.get("model")),
        start=answer.get("start"),
        error=answer.get("error", {}).get("code"),
    )
    return answer


def _tag_of(ref: Mapping[str, Any] | None) -> str | None:
    return None if ref is None else f"{ref['slug']}/{ref['version']}"


def _run_batch_step(request: OperationRequest, step: Callable[[Mapping[str, Any]], Answer]) -> Answer:
    began = time.perf_counter()
    error = None
    try:
        return step(request.body)
    except BatchRefused as refusal:
        error = refusal.__cause__.code if isinstance(refusal.__cause__, Fault) else "refused"
        # Lambda logs what is raised, and the sentence may quote a cell. It lies in the bucket by now.
        raise BatchRefused("refusal.json says why.") from None
    finally:
        job = request.body.get("job")
        batch = job.get("batch") if isinstance(job, Mapping) else None
        journal.write(
            request.operation,
            request_id=request.request_id,
            invocation=request.invocation,
            began=began,
            batch=batch,
            error=error,
        )


def _answer_api(request: ApiRequest) -> Answer:
    began = time.perf_counter()
    try:
        reply = api_calls.answer(request)
    except NeedsLarge:
        raise
    except Exception as problem:  # the caller gets a reference, the log the traceback
        journal.write_exception(problem, request_id=request.request_id)
        reply = api_calls.excuse(request)
    journal.write(
        "api",
        request_id=request.request_id,
        invocation=request.invocation,
        began=began,
        call=reply.call,
        status=reply.status,
        model=reply.model_tag,
        error=reply.error,
    )
    captures.keep(request, reply, milliseconds=journal.milliseconds_since(began))
    return to_proxy_response(reply, request_id=request.request_id)


def _describe(request: OperationRequest) -> Answer:
    return operations.describe(request.body)


def _replay(request: OperationRequest) -> Answer:
    return operations.replay(request.body)


def _answer_rows(request: OperationRequest) -> Answer:
    return operations.answer_rows(request.body)


def _verify(request: OperationRequest) -> Answer:
    from predictor import verification

    return verification.verify(request.body)


def _of_body(operation: Any) -> Any:
    return lambda request: operation(request.body)


_OPERATIONS = {
    "describe": _describe,
    "replay": _replay,
    "answer_rows": _answer_rows,
}

if os.environ.get("AWS_LAMBDA_RUNTIME_API"):
    signed_get.connect_ahead()
# The verify function has no key, and answers nothing that is kept.
if os.environ.get("AWS_LAMBDA_FUNCTION_NAME") and signatures.has_key():
    after_answers.start()
