"""Around the views: each request's id, errors that become pages, and which pages may post to the bucket."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse

from portal import error_pages, request_ids
from portal.errors import GatewayError
from portal.gateways import storage

log = logging.getLogger(__name__)


class RequestIdMiddleware:
    """The outermost: what happens within has the request's id. The answer names it, whatever else it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request_ids.begin(request, proxies=settings.REQUEST_IDS_FROM)
        response = self.get_response(request)
        response[request_ids.HEADER] = asked.id
        # A file that lies there is sent by the server itself, and nothing is logged over it.
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = request_ids.until_sent(asked, iter(response))
        request_ids.end()
        return response


class ErrorPagesMiddleware:
    """What goes wrong in a view and is known by its kind: the cloud side is away, or the method is not the page's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return error_pages.wrong_method(request, response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, GatewayError):
            return None
        log_reference(error)
        return error_pages.away(request, error.user_message, can_retry=error.retryable)


def log_reference(error: GatewayError) -> str:
    """Log the error's cause. Returns the request's id, under which it is found."""
    log.error("%s: %s", type(error).__name__, error.detail)
    return request_ids.current_id() or ""


def explain(error: GatewayError, next_step: str = "") -> str:
    """What to tell the person: what happened, what to do next, and the reference under which the cause is logged."""
    return " ".join(part for part in (error.user_message, next_step, f"Reference: {log_reference(error)}.") if part)


def may_post_to_the_bucket(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An upload page's script posts straight to the bucket; no other page may. Its origin is the stack's."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return csp_update({"connect-src": [storage.browser_origin()]})(view)(request, *args, **kwargs)

    return wrapped
