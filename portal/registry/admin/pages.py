"""What the console's own pages share."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.accounts.signed_in import person
from portal.errors import GatewayError
from portal.middleware import explain
from portal.registry import actions
from portal.registry.models import Model

NOT_WRITTEN = (
    "It could not be written for the published page and for programs just now, which go on as before. The portal tries "
    "again by itself."
)


def console_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page inside the console's shell."""
    request.current_app = admin.site.name
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)


def say_away(request: HttpRequest, error: GatewayError, *, next_step: str) -> str:
    """Log a gateway's error and tell the person about it. Returns the sentence with its reference."""
    sentence = explain(error, next_step)
    messages.error(request, sentence)
    return sentence


def publish_after(request: HttpRequest, model: Model) -> None:
    """Once this change is saved, write what it means for others than the portal, or say that it is not written yet."""
    actions.mark(model)
    transaction.on_commit(lambda: _publish(request, model))


def _publish(request: HttpRequest, model: Model) -> None:
    if not actions.publish(model, by=person(request)):
        messages.warning(request, NOT_WRITTEN)
