"""What the console's own pages share."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.errors import GatewayError
from portal.middleware import explain


def console_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page inside the console's shell."""
    request.current_app = admin.site.name
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)


def say_away(request: HttpRequest, error: GatewayError, *, next_step: str) -> str:
    """Log a gateway's error and tell the person about it. Returns the sentence with its reference."""
    sentence = explain(error, next_step)
    messages.error(request, sentence)
    return sentence
