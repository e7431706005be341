"""The check of a version: read without being loaded, then loaded and tried in the sandbox, then given its page.

Who begins a check writes the time into the row. Nobody else begins one before it has ended, or until it must have died.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import GatewayError, Refused
from portal.gateways import inference, signatures, storage
from portal.registry import mlflow, page_settings, states
from portal.registry.actions.describing import record
from portal.registry.actions.learning import keep_training_answers
from portal.registry.models import ModelVersion
from portal.registry.training_data import TrainingData
from portal.scanner.report import Refusal, ScanReport
from portal.scanner.run import scan_file

log = logging.getLogger(__name__)

EXTENSIONS = {"pickle": "pkl", "joblib": "joblib", "skops": "skops", "mlflow": "zip"}
# A scan may take a minute and the verify function two; the download of 500 MB is the rest.
DEAD_AFTER = timedelta(minutes=6)
REAL_ROWS = 20
STAGES = dict(ModelVersion.STAGES)
FOUND = ("state", "scan", "manifest", "refusals", "pending", "checked_at", "sha256")


class BeingChecked(Refused):
    """Somebody else has begun the check, and it goes on."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"Version {version.number} is being checked just now. Its page shows how far it is.")


def check(version: ModelVersion, *, by: User, tell: Callable[[str], object] = lambda words: None) -> None:
    """Find out whether the file can be trusted and served, and fill the settings of its page.

    Afterwards the version is `ready`, or `rejected` and `refusals` says why.

    Args:   tell: is called with the words for each stage as it begins
    Raises: Refused: it has passed already, is being checked just now, or its file is gone (it is `rejected` then);
            GatewayError: the check could not be run and can be begun again
    """
    _begin(version)
    tell(STAGES[ModelVersion.READING])
    try:
        _fetch_and_check(version, by=by, tell=tell)
    finally:
        ModelVersion.objects.filter(pk=version.pk).update(checking_since=None, stage="")


def forget_interrupted() -> int:
    """The portal has just started, so no check of its own can be running: they may all be begun anew.

    Returns: how many there were
    """
    running = ModelVersion.objects.filter(state=states.CHECKING, checking_since__isnull=False)
    return running.update(checking_since=None, stage="")


def _begin(version: ModelVersion) -> None:
    """Take the check, unless somebody has it."""
    states.check_change(version.state, states.CHECKING)
    now = timezone.now()
    free = Q(checking_since=None) | Q(checking_since__lt=now - DEAD_AFTER)
    begun = (states.UPLOADED, states.CHECKING, states.REJECTED)
    taken = ModelVersion.objects.filter(free, pk=version.pk, state__in=begun).update(
        state=states.CHECKING, checking_since=now, stage=ModelVersion.READING, refusals=[], scan={}
    )
    if not taken:
        raise BeingChecked(version)
    version.state, version.refusals, version.scan = states.CHECKING, [], {}


def _fetch_and_check(version: ModelVersion, *, by: User, tell: Callable[[str], object]) -> None:
    stored = storage.get_stream(storage.quarantine_key(version.upload))
    if stored is None:
        gone = "The uploaded file is not in quarantine (files stay there for a day). Upload it as a new version."
        _reject(version, [gone], by=by)
        raise Refused(gone)
    with tempfile.TemporaryDirectory(prefix="portico-") as folder:
        path, digest = Path(folder) / "upload", hashlib.sha256()
        with path.open("wb") as file:
            for chunk in stored[1]:
                digest.update(chunk)
                file.write(chunk)
        if version.sha256 and version.sha256 != digest.hexdigest():
            _reject(version, ["The file in quarantine is not the one that was uploaded. Upload it again."], by=by)
            return
        version.sha256 = digest.hexdigest()
        _check(version, path, by=by, tell=tell)


def _check(version: ModelVersion, path: Path, *, by: User, tell: Callable[[str], object]) -> None:
    report = scan_file(path)
    version.scan = report.to_json()
    if not report.ok or report.format is None:
        _reject(version, [_sentence(refusal) for refusal in report.refusals], by=by)
        return
    # Its page shows what the scan found before anything is loaded.
    ModelVersion.objects.filter(pk=version.pk).update(
        stage=ModelVersion.TRYING, scan=version.scan, sha256=version.sha256
    )
    tell(STAGES[ModelVersion.TRYING])
    noted = mlflow.read(report.attachments)
    rows = _real_rows(version, noted)
    try:
        verified = inference.verify(
            upload=version.upload, sha256=version.sha256, loading=_how_to_load(report), rows=rows
        )
        _promote(version, verified)
    except Refused as refusal:
        _reject(version, [refusal.user_message], by=by)
        return
    _accept(version, verified.manifest, noted, by=by)


def _how_to_load(report: ScanReport) -> dict[str, Any]:
    """What the scan found out that the loader must be told, lest it reads something else in the same bytes."""
    return {
        "format": report.format,
        "member": report.member,
        "member_format": report.member_format,
        "trusted": list(report.trusted),
    }


def _real_rows(version: ModelVersion, noted: mlflow.Described) -> list[dict[str, Any]]:
    """Rows that came with the upload: the best there are to try the model on."""
    given, training = version.pending.get("given") or {}, version.pending.get("training") or {}
    examples = [example["row"] for example in given.get("examples", [])]
    return [*examples, *noted.rows, *training.get("examples", [])][:REAL_ROWS]


def _promote(version: ModelVersion, verified: inference.Verified) -> None:
    """Put the file, its tables and its signed manifest where they are served from.

    Raises: Refused: another file is served from there; GatewayError: the check can be run again
    """
    slug, number = version.model.slug, version.number
    manifest_key = storage.version_key(slug, number, "manifest.json")
    there = storage.get_json(manifest_key)
    if there and there.get("sha256") != version.sha256:
        raise Refused(
            f"The bucket already holds another file as version {number} of “{slug}”, which this database does not know "
            "of: it may be older than the bucket. Nothing was replaced. Upload the file again, as the next version."
        )
    document = sign_manifest(version, verified.manifest)
    storage.promote(version.upload, storage.version_key(slug, number, document["file"]))
    if verified.tables is not None:
        storage.put_text(storage.version_key(slug, number, "compiled.json"), verified.tables)
    storage.put_json(manifest_key, document)


def sign_manifest(version: ModelVersion, manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as the functions read it: with the file's name and its place, signed. Raises: GatewayError."""
    place = {"slug": version.model.slug, "number": version.number}
    return signatures.sign("manifest", {**manifest, "file": f"model.{EXTENSIONS[manifest['format']]}", **place})


def _accept(version: ModelVersion, manifest: dict[str, Any], noted: mlflow.Described, *, by: User) -> None:
    given, kept = version.pending.get("given") or {}, version.pending.get("training")
    training = TrainingData.from_json(kept) if kept else None
    for sentence in noted.notes:
        log.info("%s: %s", version, sentence)
    passed = version.model.versions.filter(state__in=states.PASSED)
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
            training=training,
            noted=noted,
            previous=version.model.live_version or passed.exclude(pk=version.pk).order_by("-number").first(),
        )
        record(version.model, version, "passed the check", by=by)
    try:
        storage.delete(storage.quarantine_key(version.upload))
    except GatewayError:
        log.warning("%s stays in quarantine until it expires there", version.upload, exc_info=True)
    keep_training_answers(version, training.sample if training else [])


def _reject(version: ModelVersion, reasons: list[str], *, by: User) -> None:
    with transaction.atomic():
        if _passed_meanwhile(version):
            return
        states.check_change(version.state, states.REJECTED)
        version.state, version.refusals, version.checked_at = states.REJECTED, reasons, timezone.now()
        version.save(update_fields=FOUND)
        record(version.model, version, "failed the check", by=by, detail=reasons[0] if reasons else "")


def _passed_meanwhile(version: ModelVersion) -> bool:
    """Did another check of the same version, thought dead, pass while this one ran? Then that one counts."""
    if not ModelVersion.objects.filter(pk=version.pk, state__in=states.PASSED).exists():
        return False
    version.refresh_from_db()
    return True


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.what} {refusal.why} {refusal.remedy}"
