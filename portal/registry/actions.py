"""Everything that changes what models exist. Each leaves an Event row.

No transaction is held across a call to the cloud: a row says "checking" before, and the outcome after, so that a crash
leaves a version that can be checked again.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import GatewayError, Refused
from portal.gateways import inference, storage
from portal.registry import page_settings, pictures, states
from portal.registry.models import Event, Model, ModelVersion, Picture
from portal.registry.pictures import NewPicture
from portal.registry.training_data import TrainingData
from portal.scanner.report import Refusal
from portal.scanner.run import scan_file

log = logging.getLogger(__name__)
EXTENSIONS = {"pickle": "pkl", "joblib": "joblib"}
FOUND = ("state", "scan", "manifest", "refusals", "pending", "checked_at")


def create_model(*, name: str, slug: str, by: User, **facts: str) -> Model:
    """A model without a version yet."""
    with transaction.atomic():
        model = Model.objects.create(name=name, slug=slug, created_by=by, **facts)
        record(model, None, "created", by=by)
    return model


def upload_version(
    model: Model,
    file: IO[bytes],
    *,
    file_name: str,
    by: User,
    notes: str = "",
    training: TrainingData | None = None,
    given: dict[str, Any] | None = None,
    new_pictures: Sequence[NewPicture] = (),
) -> ModelVersion:
    """Take a file in, check it, and fill the settings of its page.

    Returns: the version, `ready` or `rejected` (then `refusals` says why)
    Raises:  GatewayError: what came could not be stored, and the version is `rejected`; or it is stored and the check
             could not be run, and the version stays `checking` and can be checked again, with all that came along
    """
    with tempfile.TemporaryDirectory(prefix="portico-") as folder:
        path = Path(folder) / "upload"
        size_bytes, sha256 = _copy(file, path)
        with transaction.atomic():
            # The lock on the write comes first (IMMEDIATE), so two uploads cannot draw the same number.
            number = (model.versions.aggregate(last=Max("number"))["last"] or 0) + 1
            version = ModelVersion.objects.create(
                model=model,
                number=number,
                file_name=file_name[:200],
                size_bytes=size_bytes,
                sha256=sha256,
                notes=notes,
                pending={"given": given or {}, "training": training.to_json() if training else None},
                created_by=by,
            )
            record(model, version, "uploaded", by=by, detail=file_name)
        _store(version, path, new_pictures, by=by)
        _check(version, path, by=by)
    return version


def check_again(version: ModelVersion, *, by: User) -> None:
    """Run the check of a version that was interrupted or rejected once more, on the file kept in quarantine.

    Raises: Refused: the version is ready, or its file is gone (it is `rejected` then); GatewayError: as upload_version
    """
    states.check_change(version.state, states.CHECKING)
    stored = storage.get_stream(storage.quarantine_key(version.upload))
    if stored is None:
        gone = "The uploaded file is not in quarantine (files stay there for a day). Upload it as a new version."
        if version.state == states.CHECKING:
            _reject(version, [gone], by=by)
        raise Refused(gone)
    with tempfile.TemporaryDirectory(prefix="portico-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as file:
            for chunk in stored[1]:
                file.write(chunk)
        ModelVersion.objects.filter(pk=version.pk).update(state=states.CHECKING, refusals=[])
        version.state = states.CHECKING
        _check(version, path, by=by)


def make_live(version: ModelVersion, *, by: User) -> None:
    """Let this version answer from now on; the one before it stays one click away.

    The pointer in the bucket (for API calls) is written first, then the row (for the portal): if the portal stops
    between the two, the page still shows the old version as live and the same click mends it.

    Raises: Refused: the version is not ready; GatewayError: nothing was changed
    """
    if not version.is_ready:
        raise Refused(
            f"Version {version.number} is {version.get_state_display().lower()}; only a ready version can be made live."
        )
    storage.put_json(storage.live_key(version.model.slug), {"version": version.number, "sha256": version.sha256})
    with transaction.atomic():
        before = ModelVersion.objects.filter(model=version.model, is_live=True).exclude(pk=version.pk)
        detail = f"instead of version {before[0].number}" if before else ""
        before.update(is_live=False)
        ModelVersion.objects.filter(pk=version.pk).update(is_live=True)
        record(version.model, version, "made live", by=by, detail=detail)
    version.is_live = True


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


def _store(version: ModelVersion, path: Path, new_pictures: Sequence[NewPicture], *, by: User) -> None:
    """All that came, before anything is looked at: an interrupted check can then go on from here."""
    try:
        with path.open("rb") as file:
            storage.put_file(storage.quarantine_key(version.upload), file)
        for picture in new_pictures:
            pictures.keep(version, picture)
    except GatewayError as error:
        _reject(version, [f"The file could not be stored: {error.user_message} Upload it again."], by=by)
        raise


def _check(version: ModelVersion, path: Path, *, by: User) -> None:
    report = scan_file(path)
    version.scan = report.to_json()
    if not report.ok or report.format is None:
        _reject(version, [_sentence(refusal) for refusal in report.refusals], by=by)
        return
    try:
        manifest = inference.verify(upload=version.upload, sha256=version.sha256, format=report.format)
        _promote(version, manifest)
    except Refused as refusal:
        _reject(version, [refusal.user_message], by=by)
        return
    _accept(version, manifest, by=by)


def _promote(version: ModelVersion, manifest: dict[str, Any]) -> None:
    """Put the file and its manifest where they are served from.

    Raises: Refused: another file is served from there; GatewayError: the check can be run again
    """
    slug, number = version.model.slug, version.number
    file_name = f"model.{EXTENSIONS[manifest['format']]}"
    manifest_key = storage.version_key(slug, number, "manifest.json")
    there = storage.get_json(manifest_key)
    if there and there.get("sha256") != version.sha256:
        raise Refused(
            f"The bucket already holds another file as version {number} of “{slug}”, which this database does not know "
            "of: it may be older than the bucket. Nothing was replaced. Upload the file again, as the next version."
        )
    storage.promote(version.upload, storage.version_key(slug, number, file_name))
    storage.put_json(manifest_key, {**manifest, "file": file_name})


def _accept(version: ModelVersion, manifest: dict[str, Any], *, by: User) -> None:
    given, training = version.pending.get("given") or {}, version.pending.get("training")
    ready = version.model.versions.filter(state=states.READY)
    with transaction.atomic():
        if _passed_meanwhile(version):
            return
        states.check_change(version.state, states.READY)
        version.state, version.manifest, version.refusals, version.pending = states.READY, manifest, [], {}
        version.checked_at = timezone.now()
        version.save(update_fields=FOUND)
        page_settings.fill(
            version,
            given=given,
            training=TrainingData.from_json(training) if training else None,
            previous=ready.exclude(pk=version.pk).order_by("-is_live", "-number").first(),
        )
        record(version.model, version, "passed the check", by=by)
    try:
        storage.delete(storage.quarantine_key(version.upload))
    except GatewayError:
        log.warning("%s stays in quarantine until it expires there", version.upload, exc_info=True)


def _reject(version: ModelVersion, reasons: list[str], *, by: User) -> None:
    with transaction.atomic():
        if _passed_meanwhile(version):
            return
        states.check_change(version.state, states.REJECTED)
        version.state, version.refusals, version.checked_at = states.REJECTED, reasons, timezone.now()
        version.save(update_fields=FOUND)
        record(version.model, version, "failed the check", by=by, detail=reasons[0] if reasons else "")


def _passed_meanwhile(version: ModelVersion) -> bool:
    """Did another check of the same version pass while this one ran? Then that one counts."""
    if not ModelVersion.objects.filter(pk=version.pk, state=states.READY).exists():
        return False
    version.refresh_from_db()
    return True


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.what} {refusal.why} {refusal.remedy}"


def _copy(source: IO[bytes], path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        while chunk := source.read(1024**2):
            size += len(chunk)
            if size > settings.PORTICO_MODEL_MAX_BYTES:
                limit = settings.PORTICO_MODEL_MAX_BYTES // 1024**2
                raise Refused(f"The file is larger than {limit} MB, the most that Portico takes.")
            digest.update(chunk)
            target.write(chunk)
    if not size:
        raise Refused("The file is empty.")
    return size, digest.hexdigest()
