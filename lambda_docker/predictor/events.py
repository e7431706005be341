"""Events → Requests, and answers → what API Gateway wants back.

Three kinds of event come in: direct invokes (docs/contract.md §3 and §4), REST API proxy events (payload 1.0) and HTTP
API proxy events (payload 2.0).
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from predictor.errors import BadRequest
from predictor.limits import in_megabytes, limit

if TYPE_CHECKING:
    from predictor.captures import Asked

Event = Mapping[str, Any]

NO_MODEL = "none"

_ID_MAX_CHARACTERS = 64


class OperationRequest(NamedTuple):
    """A direct invoke.

    request_id: whoever asks may name one; invocation: Lambda's own, where it is another
    """

    operation: str
    body: Mapping[str, Any]
    request_id: str
    invocation: str | None = None


class ApiRequest(NamedTuple):
    """A call through API Gateway.

    segments: the path without the stage; headers: by their names in small letters; url: where the caller called,
    without the query; claims: who calls, if anyone checked; invocation: as of an OperationRequest
    """

    method: str
    segments: tuple[str, ...]
    request_id: str
    event: Event
    headers: Mapping[str, str] = MappingProxyType({})
    url: str = ""
    claims: Mapping[str, str] | None = None
    invocation: str | None = None

    def __repr__(self) -> str:
        # Without what somebody sent.
        return f"ApiRequest({self.method} /{'/'.join(self.segments)}, {self.request_id})"

    def json_body(self) -> dict[str, Any]:
        """The body's object. Raises: BadRequest: too large, not JSON, or no object."""
        return _read_body(self.event)


class Reply:
    """An answer to an API call; body None is an empty one. `headers` go before those that every answer has.

    fields: what is wrong with which value; prediction: a single row's, as a direct invoke is told it; asked: the live
    model that the call was about, for what is kept of it
    """

    def __init__(
        self,
        *,
        status: int,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None = None,
        model_tag: str = NO_MODEL,
        call: str | None = None,
        error: str | None = None,
        fields: Mapping[str, str] = MappingProxyType({}),
        prediction: Mapping[str, Any] | None = None,
    ) -> None:
        self.status, self.body, self.headers = status, body, headers or {}
        self.model_tag, self.call, self.error = model_tag, call, error
        self.fields, self.prediction = fields, prediction
        self.asked: Asked | None = None


def read_event(event: Event, context: Any) -> OperationRequest | ApiRequest:
    """The request in an event. Raises: BadRequest: it is none of the three kinds."""
    if not isinstance(event, dict):
        raise BadRequest("The event must be an object.")
    operation = event.get("operation")
    if isinstance(operation, str):
        return _read_operation(operation, event, context)
    invocation = _id_of(context)
    gateway = event.get("requestContext")
    if not isinstance(gateway, Mapping):
        raise BadRequest("The event names no operation and comes from no API.")
    http = gateway.get("http")
    is_http_api = isinstance(http, Mapping)
    method = (http.get("method") if isinstance(http, Mapping) else event.get("httpMethod")) or "GET"
    path = event.get("rawPath" if is_http_api else "path") or ""
    segments = _segments(str(path), stage=gateway.get("stage"))
    called = (http if isinstance(http, Mapping) else gateway).get("path") or path
    return ApiRequest(
        method=str(method).upper(),
        segments=segments,
        request_id=str(gateway.get("requestId") or invocation),
        event=event,
        headers=_read_headers(event),
        url=_url_of(gateway, path=str(called), segments=segments),
        claims=_read_claims(gateway.get("authorizer")),
        invocation=invocation if gateway.get("requestId") else None,
    )


def _read_operation(operation: str, event: Event, context: Any) -> OperationRequest:
    if event.get("request_id") is None and operation.startswith("batch."):
        # Step Functions passes the job on, and nothing else.
        job = event.get("job")
        return OperationRequest(operation, event, *read_ids(job if isinstance(job, dict) else {}, context))
    return OperationRequest(operation, event, *read_ids(event, context))


def read_ids(event: Event, context: Any) -> tuple[str, str | None]:
    """A direct invoke's request_id and invocation, as an OperationRequest has them."""
    invocation = _id_of(context)
    named = event.get("request_id")
    if named.__class__ is str and 0 < len(named) <= _ID_MAX_CHARACTERS:
        return named, invocation
    return invocation, None


def _id_of(context: Any) -> str:
    named = getattr(context, "aws_request_id", None)
    if named:
        return str(named)
    # Lambda gives every invocation an id; who calls without one does not wait for this at each start.
    import uuid

    return str(uuid.uuid4())


def to_proxy_response(reply: Reply, *, request_id: str) -> dict[str, Any]:
    """An answer as both kinds of API take it."""
    return {
        "statusCode": reply.status,
        "headers": {
            "Content-Type": "application/json",
            "X-Request-Id": request_id,
            "X-Model-Version": reply.model_tag,
            "Access-Control-Allow-Origin": os.environ.get("PORTICO_CORS_ORIGIN") or "*",
            "Access-Control-Allow-Headers": "Content-Type, Authorization",
            "Access-Control-Allow-Methods": "OPTIONS, POST, GET",
            "Access-Control-Expose-Headers": "X-Request-Id, X-Model-Version",
            **reply.headers,
        },
        "body": "" if reply.body is None else json.dumps(reply.body, allow_nan=False),
        "isBase64Encoded": False,
    }


def _segments(path: str, *, stage: object) -> tuple[str, ...]:
    segments = tuple(segment for segment in path.split("/") if segment)
    # HTTP APIs, and REST APIs behind some emulators, leave the stage in the path.
    return segments[1:] if segments and segments[0] == stage else segments


def _read_headers(event: Event) -> dict[str, str]:
    single, several = event.get("headers"), event.get("multiValueHeaders")
    headers = {name.lower(): str(value) for name, value in single.items()} if isinstance(single, Mapping) else {}
    # Of a header that was sent twice, REST APIs keep only the last value in `headers`.
    for name, values in several.items() if isinstance(several, Mapping) else ():
        headers[name.lower()] = ", ".join(map(str, values))
    return headers


def _url_of(gateway: Mapping[str, Any], *, path: str, segments: tuple[str, ...]) -> str:
    """Where the caller called: absolute, or the path alone where the event does not name the domain."""
    endpoint = os.environ.get("PORTICO_API_ENDPOINT")
    if endpoint:
        return "/".join((endpoint, str(gateway.get("apiId")), str(gateway.get("stage")), *segments))
    domain = gateway.get("domainName")
    # This path has what a domain of one's own has mapped to the API, and the stage where that belongs to the address.
    return f"https://{domain}{path.rstrip('/')}" if domain else path.rstrip("/")


def _read_claims(authorizer: object) -> Mapping[str, str] | None:
    if not isinstance(authorizer, Mapping):
        return None
    jwt = authorizer.get("jwt")
    claims = jwt.get("claims") if isinstance(jwt, Mapping) else authorizer.get("claims")
    return claims if isinstance(claims, Mapping) else None


def _read_body(event: Event) -> dict[str, Any]:
    body = event.get("body")
    if body is None or body == "":
        raise BadRequest("The request has no body. Send a JSON object.")
    allowed = limit("PORTICO_BODY_MAX_BYTES")
    if len(body) > allowed * (4 / 3 if event.get("isBase64Encoded") else 1):
        raise BadRequest(f"The request's body is too large: up to {in_megabytes(allowed)} are read.")
    try:
        text = base64.b64decode(body, validate=True).decode("utf-8") if event.get("isBase64Encoded") else body
        value = json.loads(text)
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequest("The request's body cannot be decoded: it must be base64 of UTF-8 text.") from None
    except (ValueError, TypeError, RecursionError):
        raise BadRequest("The request's body is not JSON.") from None
    if not isinstance(value, dict):
        raise BadRequest("The request's body must be a JSON object.")
    return value
