"""Making a version live, rolling back and archiving, in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.signed_in import person
from portal.errors import Fixable, GatewayError, Refused
from portal.middleware import explain
from portal.registry import actions, states
from portal.registry.admin.pages import console_page, say_away
from portal.registry.charts import draw
from portal.registry.comparison import compare
from portal.registry.models import Model, ModelVersion
from portal.registry.moves import read_moves
from portal.registry.side_by_side import set_side_by_side

CHANGE, MODEL_CHANGE = "admin:registry_modelversion_change", "admin:registry_model_change"
MAY_ACTIVATE = permission_required("registry.activate_modelversion", raise_exception=True)


@require_http_methods(["GET", "POST"])
@MAY_ACTIVATE
def make_live(request: HttpRequest, pk: int) -> HttpResponse:
    """What changes when this version goes live, and the button that does it."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    if version.state != states.READY:
        messages.warning(request, _why_not(version))
        return redirect(CHANGE, version.pk)
    if request.method == "GET":
        return _confirm(request, version)
    try:
        actions.make_live(version, by=person(request), seen=_seen(request))
    except actions.RowsMoved as refusal:
        messages.error(request, refusal.user_message)
        return _confirm(request, version, status=409, moved=read_moves(version, refusal.moved))
    except Refused as refusal:
        messages.error(request, refusal.user_message)
        return _confirm(request, version, status=409)
    except GatewayError as error:
        say_away(request, error, next_step="Nothing was changed.")
        return _confirm(request, version, status=503, is_away=True)
    messages.success(request, f"Version {version.number} of {version.model} is live: it answers from now on.")
    _say_if_old(request, version)
    return redirect(CHANGE, version.pk)


@require_POST
@MAY_ACTIVATE
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring the version back that was live before. One click, no questions: the same click undoes it."""
    model = get_object_or_404(Model, pk=pk)
    live = model.live_version
    try:
        version = actions.roll_back(model, by=person(request), seen=_seen(request), to=_number(request, "to"))
    except Refused as refusal:
        messages.error(request, refusal.user_message)
    except GatewayError as error:
        say_away(request, error, next_step="Nothing was changed.")
    else:
        instead = f", in place of version {live.number}" if live else ""
        messages.success(request, f"Rolled back: version {version.number} of {model} is live again{instead}.")
        _say_if_old(request, version)
    return redirect(MODEL_CHANGE, model.pk)


@require_POST
@MAY_ACTIVATE
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a version away, for good."""
    version = get_object_or_404(ModelVersion.objects.select_related("model"), pk=pk)
    try:
        actions.archive(version, by=person(request))
    except Refused as refusal:
        messages.error(request, refusal.user_message)
        return redirect(CHANGE, version.pk)
    messages.success(request, f"Version {version.number} of {version.model} is archived.")
    return redirect(MODEL_CHANGE, version.model_id)


def _confirm(
    request: HttpRequest, version: ModelVersion, *, status: int = 200, is_away: bool = False, moved: Any = ()
) -> HttpResponse:
    live = version.model.live_version
    context = {
        "title": f"Make version {version.number} live?",
        "version": version,
        "model": version.model,
        "live": live,
        "comparison": compare(live, version) if live else None,
        "switch": actions.last_switch(version.model),
        "moved": moved,
        **({} if is_away or moved else _side_by_side(live, version)),
    }
    return console_page(request, "registry/make_live.html", context, status=status)


def _side_by_side(live: ModelVersion | None, version: ModelVersion) -> dict[str, Any]:
    """The picture of the golden rows, or why there is none: the page works without it."""
    try:
        found = set_side_by_side(live, version)
    except GatewayError as error:
        return {"no_picture": explain(error)}
    except Fixable as error:
        return {"no_picture": error.user_message}
    return {"side_by_side": found, "picture": draw(found)} if found else {}


def _why_not(version: ModelVersion) -> str:
    if not version.is_live:
        return f"Version {version.number} is {version.state} and cannot be made live."
    switch = actions.last_switch(version.model)
    return f"Version {version.number} is live already{f': {switch.by} has made it so' if switch else ''}."


def _say_if_old(request: HttpRequest, version: ModelVersion) -> None:
    if version.model.publish_since:
        messages.warning(request, "The published page could not be written just now; the portal tries again by itself.")


def _seen(request: HttpRequest) -> int | str | None:
    """Number of the version that the page showed as live; scripts that looked at no page leave it out."""
    return _number(request, "seen") if "seen" in request.POST else actions.ANYTHING


def _number(request: HttpRequest, name: str) -> int | None:
    written = request.POST.get(name, "")
    return int(written) if written.isascii() and written.isdecimal() else None
