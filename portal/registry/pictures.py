"""Pictures of a version's quality: a row in the database, and a PNG in the bucket beside its model."""

from __future__ import annotations

import io
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from portal.errors import Refused
from portal.gateways import storage
from portal.registry.models import ModelVersion, Picture

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def is_png(content: bytes) -> bool:
    return content.startswith(PNG_MAGIC)


@dataclass(frozen=True)
class NewPicture:
    """A picture that is not kept yet.

    Raises: Refused: not a PNG file
    """

    content: bytes
    title: str
    alt: str

    def __post_init__(self) -> None:
        if not is_png(self.content):
            raise Refused(f"“{self.title}” is not a PNG picture.")


def keep(version: ModelVersion, picture: NewPicture) -> Picture:
    """Store a picture behind those that are there.

    Raises: GatewayError: nothing was kept
    """
    position = _draw_position(version)
    storage.put_file(key(version, position), io.BytesIO(picture.content), content_type="image/png")
    return Picture.objects.create(version=version, position=position, title=picture.title, alt=picture.alt)


def remove(picture: Picture) -> None:
    """Delete the object, then the row: if the portal stops between the two, the same click ends it.

    Raises: GatewayError: nothing was removed
    """
    storage.delete(key(picture.version, picture.position))
    picture.delete()


def key(version: ModelVersion, position: int) -> str:
    return storage.version_key(version.model.slug, version.number, f"pictures/{position}.png")


def _draw_position(version: ModelVersion) -> int:
    """A number that no picture of the version ever had: browsers keep pictures by their address."""
    with transaction.atomic():
        ModelVersion.objects.filter(pk=version.pk).update(last_picture=F("last_picture") + 1)
        version.refresh_from_db(fields=["last_picture"])
    return version.last_picture
