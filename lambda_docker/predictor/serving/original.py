"""The original tool's two calls, answered by the same code as behind API Gateway (predictor.api_calls)."""

import os

from predictor import api_calls
from predictor.events import ApiRequest, Reply, to_proxy_response
from predictor.serving.calls import Answer, Call, Refusal

CALLS = ("singlePrediction", "batchPrediction")
# The stage of the original's API, which its clients have in their address.
_STAGE = "prod"
_NO_BUCKET = (
    "This container reads no files: it was started without a bucket (PORTICO_BUCKET). "
    "Send the rows themselves to /invocations, as text/csv."
)


def answer(call: Call) -> Answer:
    """Answer a call. Raises: Refusal: it needs a bucket, and there is none."""
    segments = tuple(filter(None, call.path.split("/")))
    segments = segments[1:] if segments[0] == _STAGE else segments
    if "batchPrediction" in segments and call.method != "OPTIONS" and not os.environ.get("PORTICO_BUCKET"):
        raise Refusal(400, _NO_BUCKET)
    try:
        text = call.body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, "The request's body is not UTF-8.") from None
    request = ApiRequest(
        method=call.method,
        segments=segments,
        request_id=call.request_id,
        event={"body": text, "isBase64Encoded": False},
        headers=call.headers,
        url=call.path.rstrip("/"),
    )
    return _to_answer(api_calls.answer(request), call)


def word(refusal: Refusal) -> Answer:
    """A refusal in the original's form, readable by browser pages of any origin that is allowed."""
    return _to_answer(Reply(status=refusal.status, body={"message": refusal.message}))


def _to_answer(reply: Reply, call: Call | None = None) -> Answer:
    request_id = ""
    if call is not None:
        call.model_tag, request_id = reply.model_tag, call.request_id
    written = to_proxy_response(reply, request_id=request_id)
    headers = dict(written["headers"])
    # The server sets these for all protocols alike.
    for name in ("X-Request-Id", "X-Model-Version"):
        headers.pop(name)
    return Answer(reply.status, str(written["body"]).encode(), headers.pop("Content-Type"), headers)
