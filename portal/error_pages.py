"""What a person sees where there is no page to be had: what happened, what to do next, and the request's reference.

Django calls the first five (portal/urls.py, CSRF_FAILURE_VIEW), the middleware the other two; allauth finds `429.html`
by that name. Programs (/api/) are told as docs/contract.md section 7 has it, scripts of our pages by the `message`
that they show.
"""

import logging
import sys
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.middleware.csrf import REASON_BAD_ORIGIN, REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
from django.template.loader import render_to_string

from portal import request_ids

log = logging.getLogger(__name__)

TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
DATABASE_AWAY = (OperationalError, InterfaceError)
CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "wrong_method",
    413: "too_large",
    500: "broken",
    503: "away",
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400; what is too large is a 413."""
    if isinstance(exception, TOO_LARGE):
        return _answer(request, 413, "More was sent than Portico takes at once.")
    context = {"is_other_host": isinstance(exception, DisallowedHost)}
    return _answer(request, 400, "Portico does not understand this request.", context)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, "This is not allowed.")


def unsafe_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that may be another site's, or is one of before signing in or out."""
    context = {
        "lacks_cookie": reason in (REASON_NO_CSRF_COOKIE, REASON_NO_REFERER),
        "is_other_origin": reason.startswith(REASON_BAD_ORIGIN.partition("%")[0]),
    }
    return _answer(request, 403, "Load the page again: its form can no longer be sent.", context, page="403_csrf.html")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 404, "Nothing is here.")


def broken(request: HttpRequest) -> HttpResponse:
    """500, and the only place that logs why; without the database a 503. Neither page asks who is signed in: that may
    be what is broken.
    """
    error = sys.exc_info()[1]
    log.error("%s while answering", type(error).__name__, exc_info=error)
    if isinstance(error, DATABASE_AWAY):
        message = (
            "Portico’s database does not answer just now. What you sent was perhaps not kept: go back and try again."
        )
        return _answer(request, 503, message, {"message": message}, is_alone=True)
    return _answer(request, 500, "Something broke. This is a fault of Portico.", is_alone=True)


def wrong_method(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    """405, where there are no words yet."""
    answer = _answer(request, 405, "This address does not take what was asked of it.")
    answer["Allow"] = refused["Allow"]
    return answer


def away(request: HttpRequest, message: str, *, can_retry: bool) -> HttpResponse:
    """503: the cloud side."""
    return _answer(request, 503, message, {"message": message, "can_retry": can_retry})


def _answer(
    request: HttpRequest,
    status: int,
    said: str,
    context: dict[str, Any] | None = None,
    *,
    page: str = "",
    is_alone: bool = False,
) -> HttpResponse:
    """The page of this status (or another), with context; for programs and for scripts of a page, what is said.

    Args: is_alone: the page is made without the request, and so without session and database
    """
    message = f"{said} Reference: {request_ids.current_id()}."
    if request.path.startswith("/api/"):
        return JsonResponse({"error": {"code": CODES[status], "message": message}}, status=status)
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"message": message}, status=status)
    content = render_to_string(page or f"{status}.html", context, None if is_alone else request)
    return HttpResponse(content, status=status)
