"""Has the bucket say what the database says of a live model: the pointer for the functions, then the published page.

What changes is marked in the database together with the change, and the mark goes when the bucket says it too. Where
that cannot be reached the change holds all the same, and the schedule writes it (`manage.py ingest_captures --every`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from portal.accounts.models import User
from portal.errors import GatewayError, Refused
from portal.gateways import signatures, storage
from portal.registry import states
from portal.registry.actions.claiming import claim
from portal.registry.models import Model, ModelVersion
from portal.registry.published_page import document_of, index_of

log = logging.getLogger(__name__)

ROUNDS = 5  # of writing what has changed again while it was being written


def mark(model: Model) -> None:
    """Say that what the bucket says of this model is to be written. Beside the change, in its transaction."""
    model.publish_since = timezone.now()
    Model.objects.filter(pk=model.pk).update(publish_since=model.publish_since)


def publish(model: Model, *, by: User | None = None) -> bool:
    """Write pointer and page of a model that is marked. Never raises: the mark stays then.

    Returns: whether the bucket says now what the database says
    """
    try:
        with claim(model, by=by):
            version = _live(model)
            if version is None:  # it is written when one is made live
                Model.objects.filter(pk=model.pk).update(publish_since=None)
                return True
            storage.put_json(storage.live_key(model.slug), pointer_of(version))
            return write_pages(model)
    except (GatewayError, Refused) as error:
        log.warning("What the bucket says of %s is old: %s", model.slug, getattr(error, "detail", error))
        return False


def publish_marked() -> int:
    """Write what could not be written when it changed. Returns: how many models are up to date again."""
    return sum(publish(model) for model in Model.objects.filter(publish_since__isnull=False))


def write_pages(model: Model) -> bool:
    """The model's page, then the index, and the mark away. Never raises: the mark stays then.

    The pointer is there already: the index never names a version that the functions do not answer with.
    """
    marked = Model.objects.values_list("publish_since", flat=True).get(pk=model.pk)
    try:
        write_page(model)
        write_index()
    except GatewayError as error:
        log.warning("The published page of %s is old: %s", model.slug, error.detail)
        return False
    Model.objects.filter(pk=model.pk, publish_since=marked).update(publish_since=None)
    return True


def write_page(model: Model, *, there: Any = None) -> bool:
    """pages/<slug>/page.json of a model that has a live version, unless it is there so. Raises: GatewayError."""
    return _write(storage.page_key(model.slug), lambda: _page(model), there=there)


def write_index(*, there: Any = None) -> bool:
    """pages/index.json, unless it is there so. Raises: GatewayError."""
    return _write(storage.PAGES_INDEX_KEY, lambda: index_of(_all_live()), there=there)


def pointer_of(version: ModelVersion) -> dict[str, Any]:
    """The signed live.json that names this version. Raises: GatewayError."""
    model = version.model
    return signatures.sign_pointer(slug=model.slug, number=version.number, sha256=version.sha256, capture=model.capture)


def _write(key: str, read: Callable[[], Any], *, there: Any) -> bool:
    """Of two that write at once the last may have read first: what was written is compared with what it should be."""
    document = read()
    if document is None or document == there:
        return False
    for _ in range(ROUNDS):
        storage.put_page(key, document)
        written, document = document, read()
        if document == written:
            break
    return True


def _page(model: Model) -> dict[str, Any] | None:
    version = _live(model)
    return document_of(version) if version else None


def _live(model: Model) -> ModelVersion | None:
    """As the database has it now, the model too."""
    return ModelVersion.objects.filter(model=model, state=states.LIVE).select_related("model").first()


def _all_live() -> list[ModelVersion]:
    live = ModelVersion.objects.filter(state=states.LIVE).select_related("model")
    return list(live.order_by("model__name", "model__slug").defer("scan", "training_answers", "pending"))
