"""Around the views: where an unhandled gateway error becomes a page, and which pages may post to the bucket."""

import logging
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.errors import GatewayError
from portal.gateways import storage

log = logging.getLogger(__name__)


class GatewayErrorMiddleware:
    """503 with a reference id, which is in the log beside the cause."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, GatewayError):
            return None
        reference = log_reference(error)
        context = {"message": error.user_message, "reference": reference, "can_retry": error.retryable}
        return render(request, "503.html", context, status=503)


def log_reference(error: GatewayError) -> str:
    """Log the error's cause under a short id to show to the user. Returns the id."""
    reference = uuid.uuid4().hex[:8]
    log.error("reference=%s %s: %s", reference, type(error).__name__, error.detail)
    return reference


def explain(error: GatewayError, next_step: str = "") -> str:
    """What to tell the person: what happened, what to do next, and the reference under which the cause is logged."""
    return " ".join(part for part in (error.user_message, next_step, f"Reference: {log_reference(error)}.") if part)


def may_post_to_the_bucket(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An upload page's script posts straight to the bucket; no other page may. Its origin is the stack's."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return csp_update({"connect-src": [storage.browser_origin()]})(view)(request, *args, **kwargs)

    return wrapped
