"""verify: load an upload that nobody has loaded yet, and say what it is or why it cannot be served.

Runs in a function of its own, whose role may read the quarantine prefix and nothing else. This process fetches the
file and never loads it: `sandbox` does, in a process without rights.
Source: docs/contract.md §3 and §5
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from predictor import bucket, journal, keys, sandbox
from predictor.errors import BadRequest, ObjectMissing, Rejected
from predictor.limits import in_megabytes, limit
from predictor.loading import FORMATS
from predictor.manifest_shape import WrongShape, read_manifest, read_tables
from predictor.sandbox import Sandbox

_ROWS_MAX = 20
_TRUSTED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Upload:
    """What the portal found out about the file without loading it, as the manifest repeats it."""

    format: str
    member: str | None
    member_format: str | None
    trusted: list[str]


def verify(request: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of an upload.

    Args:   request: as docs/contract.md §3 has it; only upload, sha256 and format must be there
    Raises: BadRequest; Rejected: it cannot be served, with the reason and what its author can do
    """
    began = time.perf_counter()
    name, expected = keys.read_uuid(request.get("upload")), keys.read_sha256(request.get("sha256"))
    if expected is None:
        raise BadRequest("The checksum of the upload is missing.")
    upload, rows = _read_upload(request), _read_rows(request.get("rows"))
    with sandbox.start(seconds=limit("PORTICO_VERIFY_SECONDS")) as child:
        size_bytes = _send(name, child, expected=expected)
        job = {**asdict(upload), "rows": rows, "half_memory_bytes": limit("PORTICO_PREDICT_MEMORY_BYTES") // 2}
        examined = child.examine(job)
    try:
        found = read_manifest(examined.manifest)
        tables = read_tables(examined.tables, found)
    except WrongShape as problem:
        journal.note("sandbox.wrong_shape", said=str(problem))
        raise Rejected(
            "The model's description of itself makes no sense. Save it again, from a program that you trust."
        ) from problem
    own = {**asdict(upload), "sha256": expected, "size_bytes": size_bytes, "sandbox": examined.walls}
    return {
        "ok": True,
        "manifest": {**found, **own, "compiled": {**found["compiled"], **_identify(tables)}},
        "compiled": tables,
        "milliseconds": journal.milliseconds_since(began),
    }


def _identify(tables: str | None) -> dict[str, Any]:
    """By what the predict function knows these tables again."""
    if tables is None:
        return {"sha256": None, "size_bytes": 0}
    content = tables.encode()
    return {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}


def _read_upload(request: Mapping[str, Any]) -> _Upload:
    format, member_format = request.get("format"), request.get("member_format")
    if format not in FORMATS:
        raise BadRequest(f"The format must be one of {', '.join(FORMATS)}.")
    if format != "mlflow":
        return _Upload(format=str(format), member=None, member_format=None, trusted=_read_trusted(request))
    member = request.get("member")
    if not isinstance(member, str) or not member or member_format not in FORMATS or member_format == "mlflow":
        raise BadRequest("For mlflow, the member that holds the model must be named, with its format.")
    return _Upload(format="mlflow", member=member, member_format=str(member_format), trusted=_read_trusted(request))


def _read_trusted(request: Mapping[str, Any]) -> list[str]:
    trusted = request.get("trusted") or []
    if not isinstance(trusted, list) or len(trusted) > _TRUSTED_MAX or not all(isinstance(n, str) for n in trusted):
        raise BadRequest("The trusted types must be a list of names.")
    return trusted


def _read_rows(rows: object) -> list[dict[str, Any]]:
    if rows is None:
        return []
    if not isinstance(rows, list) or len(rows) > _ROWS_MAX or not all(isinstance(row, dict) for row in rows):
        raise BadRequest(f"The rows must be a list of at most {_ROWS_MAX} objects.")
    return rows


def _send(name: str, child: Sandbox, *, expected: str) -> int:
    """Pass the file on to the sandbox while it comes, and compare its checksum; its size in bytes. Raises: Rejected."""
    checksum, size_bytes = hashlib.sha256(), 0
    try:
        for chunk in _fetch(keys.quarantine(name)):
            size_bytes += len(chunk)
            _require_size(size_bytes)
            checksum.update(chunk)
            child.feed(chunk)
    except ObjectMissing:
        raise Rejected("The upload is no longer there. Upload the file again.") from None
    # Before loading: unpickling runs what is in the file, so it must be the file that was looked at.
    if checksum.hexdigest() != expected:
        raise Rejected("The stored file is not the one that was uploaded: its checksum differs. Upload it again.")
    return size_bytes


def _fetch(key: str) -> Any:
    found = bucket.head(key)
    if found is None:
        raise ObjectMissing(key)
    _require_size(found.size_bytes)
    return bucket.stream(key)


def _require_size(size_bytes: int) -> None:
    allowed = limit("PORTICO_MODEL_MAX_BYTES")
    if size_bytes > allowed:
        raise Rejected(
            f"The file has {in_megabytes(size_bytes)}; models of up to {in_megabytes(allowed)} are served. "
            "Save it compressed (joblib.dump(model, file, compress=3)) or train a smaller one."
        )
