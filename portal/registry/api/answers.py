"""Who is asking, and the form of every answer: JSON, and of every refusal: {"error": {"code", "message"}}."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from portal.accounts import tokens
from portal.errors import BadInput, GatewayError, Refused
from portal.middleware import explain
from portal.registry.actions import BeingChecked, RowsMoved

log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
SAY_WHO = "Send a token of the portal: Authorization: Bearer portico_…. Its page, “Tokens for programs”, makes one."
SAY_AGAIN = (
    "This token is not valid: mistyped, taken back, past its last day, or of somebody who may no longer sign in. "
    "Make a new one in the portal."
)


class Problem(Exception):
    """The call cannot be done as it is."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.answer = error(status, code, message, **more)


def error(status: int, code: str, message: str, **more: Any) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message, **more}}, status=status)


def call(*methods: str) -> Callable[[View], View]:
    """A view of the API. `request.user` is whose token it is; cookies count for nothing, so there is no CSRF either."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            made = _authenticate(request) or _check_method(request, methods) or _run(view, request, args, kwargs)
            made["Cache-Control"] = "no-store"
            return made

        return answer

    return decorate


def read_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent; an empty one where nothing was.

    Raises: Problem: something else was sent
    """
    try:
        content = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as fault:
        raise Problem(400, "bad_request", "The body must be JSON.") from fault
    except RequestDataTooBig as fault:
        raise Problem(413, "too_large", "The body is too large. Files are posted to the bucket, not here.") from fault
    if not isinstance(content, dict):
        raise Problem(400, "bad_request", "The body must be a JSON object.")
    return content


def read_text(body: dict[str, Any], name: str, *, most: int) -> str:
    """A text of the body, empty where there is none.

    Raises: Problem: it is no text, or too long
    """
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise Problem(400, "bad_request", f"“{name}” must be text.")
    if len(value) > most:
        raise Problem(400, "bad_request", f"“{name}” is longer than {most:,} characters.")
    return value


def require(request: HttpRequest, permission: str, doing: str) -> None:
    """Raises: Problem: the person may not"""
    if not request.user.has_perm(permission):
        raise Problem(403, "forbidden", f"{request.user} may not {doing}.")


def _authenticate(request: HttpRequest) -> JsonResponse | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    try:
        user = tokens.find_user(secret.strip()) if scheme.lower() == "bearer" else None
    except GatewayError as away:
        return _away(away)
    if user is None:
        refused = error(401, "unauthorized", SAY_AGAIN if secret else SAY_WHO)
        refused["WWW-Authenticate"] = 'Bearer realm="Portico"'
        return refused
    request.user = user
    return None


def _check_method(request: HttpRequest, methods: tuple[str, ...]) -> JsonResponse | None:
    if request.method in methods:
        return None
    refused = error(405, "wrong_method", f"This address takes {' and '.join(methods)}.")
    refused["Allow"] = ", ".join(methods)
    return refused


def _run(view: View, request: HttpRequest, args: Any, kwargs: Any) -> HttpResponse:
    try:
        return view(request, *args, **kwargs)
    except Problem as problem:
        return problem.answer
    except Http404:
        return error(404, "not_found", "There is no such model or version, or you may not see it.")
    except RowsMoved as moved:
        return error(409, "rows_moved", moved.user_message, moved=moved.moved)
    except BeingChecked as busy:
        return error(409, "being_checked", busy.user_message)
    except Refused as refusal:
        return error(409, "refused", refusal.user_message)
    except BadInput as bad:
        return error(422, "bad_input", bad.user_message)
    except GatewayError as away:
        return _away(away)


def _away(away: GatewayError) -> JsonResponse:
    return error(503, "away" if away.retryable else "fault", explain(away))
