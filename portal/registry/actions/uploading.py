"""A file comes in, by way of the bucket or through the portal, and becomes a version that waits for its check.

By way of the bucket: the portal makes a key and a form for it (`open_upload`), the sender posts the file there, and
comes back with the ticket that says whose upload it is. A key without a version is gone after a day.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Max

from portal.accounts.models import User
from portal.errors import Refused
from portal.gateways import storage
from portal.gateways.storage import PresignedPost
from portal.registry import pictures
from portal.registry.actions.describing import create_model, record
from portal.registry.models import Model, ModelVersion
from portal.registry.pictures import NewPicture
from portal.registry.training_data import TrainingData

# S3 looks at the clock when a transfer begins; how long it then takes is the line's affair.
BEGIN_WITHIN_S = 15 * 60
TICKET_LASTS_S = 12 * 3600
TICKET_SALT = "portal.registry.upload"
CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A place for one file: where to post it, and what to come back with."""

    post: PresignedPost
    ticket: str


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What somebody has announced to send."""

    upload: uuid.UUID
    file_name: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class NewModel:
    """A model that is made together with its first version, and not at all if that does not arrive."""

    name: str
    slug: str
    facts: Mapping[str, str] = field(default_factory=dict)


def open_upload(*, file_name: str, size_bytes: int, by: User) -> Opened:
    """Make a place in quarantine for exactly one file of at most this size.

    Raises: Refused: empty or too large
    """
    if size_bytes < 1:
        raise Refused("The file is empty. Save the fitted model again and upload that file.")
    if size_bytes > settings.PORTICO_MODEL_MAX_BYTES:
        raise Refused(_too_large())
    upload = uuid.uuid4()
    post = storage.presign_upload(
        storage.quarantine_key(upload), max_bytes=size_bytes, expires_s=BEGIN_WITHIN_S, content_type=CONTENT_TYPE
    )
    said = {"upload": str(upload), "user": by.pk, "name": file_name[:200], "size": size_bytes}
    return Opened(post=post, ticket=signing.dumps(said, salt=TICKET_SALT))


def read_ticket(ticket: str, *, by: User) -> Ticket:
    """What this person has announced.

    Raises: Refused: the ticket is too old, somebody else's, or none
    """
    try:
        said = signing.loads(ticket, salt=TICKET_SALT, max_age=TICKET_LASTS_S)
    except signing.SignatureExpired as error:
        hours = TICKET_LASTS_S // 3600
        raise Refused(f"The upload was opened more than {hours} hours ago. Upload the file again.") from error
    except signing.BadSignature as error:
        raise Refused("This is no upload that the portal has opened. Upload the file again.") from error
    if said["user"] != by.pk:
        raise Refused("Somebody else has opened this upload. Upload the file again.")
    return Ticket(upload=uuid.UUID(said["upload"]), file_name=said["name"], size_bytes=said["size"])


def find_received(upload: uuid.UUID) -> ModelVersion | None:
    """The version that an upload became already: whoever says twice that the file is there gets one version."""
    return ModelVersion.objects.select_related("model").filter(upload=upload).first()


def upload_version(model: Model | NewModel, file: IO[bytes], *, file_name: str, by: User, **given: Any) -> ModelVersion:
    """Take a file in through the portal itself.

    Args:    given: as `receive` takes it
    Returns: the version, `uploaded`
    Raises:  Refused: empty or too large; GatewayError: it could not be stored. Nothing is kept.
    """
    upload = uuid.uuid4()
    with tempfile.TemporaryDirectory(prefix="portico-") as folder:
        path = Path(folder) / "upload"
        sha256 = _copy(file, path)
        with path.open("rb") as stored:
            storage.put_file(storage.quarantine_key(upload), stored)
    return receive(model, upload, file_name=file_name, by=by, sha256=sha256, **given)


def receive(
    model: Model | NewModel,
    upload: uuid.UUID,
    *,
    file_name: str,
    by: User,
    sha256: str = "",
    size_bytes: int | None = None,
    notes: str = "",
    training: TrainingData | None = None,
    given: dict[str, Any] | None = None,
    new_pictures: Sequence[NewPicture] = (),
) -> ModelVersion:
    """Make a version of a file that lies in quarantine already. Nothing has looked at it yet.

    Args:    sha256: of the file, where the portal has seen it pass by; the check finds it out otherwise
             size_bytes: as it was announced, where it was
    Returns: the version, `uploaded`
    Raises:  Refused: the file is not there, of another size, too large, or a version already; GatewayError
    """
    arrived_bytes = storage.size_of(storage.quarantine_key(upload))
    if not arrived_bytes:
        raise Refused("The file did not arrive in the bucket. Upload it again.")
    if size_bytes is not None and arrived_bytes != size_bytes:
        raise Refused(f"Of {size_bytes:,} bytes that were announced, {arrived_bytes:,} arrived. Upload the file again.")
    if arrived_bytes > settings.PORTICO_MODEL_MAX_BYTES:
        raise Refused(_too_large())
    with transaction.atomic():
        # The lock on the write comes first (IMMEDIATE), so two uploads cannot draw the same number.
        if ModelVersion.objects.filter(upload=upload).exists():
            raise Refused("This upload is a version already. Reload the page to see it.")
        if isinstance(model, NewModel):
            model = create_model(name=model.name, slug=model.slug, by=by, **model.facts)
        number = (model.versions.aggregate(last=Max("number"))["last"] or 0) + 1
        version = ModelVersion.objects.create(
            model=model,
            number=number,
            upload=upload,
            file_name=file_name[:200],
            size_bytes=arrived_bytes,
            sha256=sha256,
            notes=notes,
            pending={"given": given or {}, "training": training.to_json() if training else None},
            created_by=by,
        )
        record(model, version, "uploaded", by=by, detail=file_name)
    for picture in new_pictures:
        pictures.keep(version, picture)
    return version


def _copy(source: IO[bytes], path: Path) -> str:
    """The file's SHA-256, once it lies at `path`."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        while chunk := source.read(1024**2):
            size += len(chunk)
            if size > settings.PORTICO_MODEL_MAX_BYTES:
                raise Refused(_too_large())
            digest.update(chunk)
            target.write(chunk)
    if not size:
        raise Refused("The file is empty.")
    return digest.hexdigest()


def _too_large() -> str:
    return f"The file is larger than {settings.PORTICO_MODEL_MAX_BYTES // 1024**2} MB, the most that Portico takes."
