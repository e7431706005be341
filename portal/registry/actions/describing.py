"""A model, what is shown beside it, and who did what to it."""

from django.db import transaction

from portal.accounts.models import User
from portal.registry import pictures
from portal.registry.models import Event, Model, ModelVersion, Picture
from portal.registry.pictures import NewPicture


def create_model(*, name: str, slug: str, by: User, **facts: str) -> Model:
    """A model without a version yet."""
    with transaction.atomic():
        model = Model.objects.create(name=name, slug=slug, created_by=by, **facts)
        record(model, None, "created", by=by)
    return model


def add_picture(version: ModelVersion, picture: NewPicture, *, by: User) -> Picture:
    """Keep a plot of the version's quality beside its model.

    Raises: GatewayError: nothing was kept
    """
    kept = pictures.keep(version, picture)
    record(version.model, version, "picture added", by=by, detail=kept.title)
    return kept


def remove_picture(picture: Picture, *, by: User) -> None:
    """Take a plot away, for good.

    Raises: GatewayError: nothing was removed
    """
    pictures.remove(picture)
    record(picture.version.model, picture.version, "picture removed", by=by, detail=picture.title)


def record(model: Model, version: ModelVersion | None, did: str, *, by: User, detail: str = "") -> None:
    """Write down who did what."""
    Event.objects.create(model=model, version=version, did=did, by=by, detail=detail[:300])
