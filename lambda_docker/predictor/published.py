"""What portals have published, as the bucket has it: pointers, manifests, versions, and the drop-in model.

Signatures and checksums are checked before anything is used, and only then is a model loaded.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from predictor import bucket, collecting, handing_over, journal, keys, signatures
from predictor.compiled.reading import Unreadable, Walker
from predictor.errors import (
    ChecksumMismatch,
    ModelBroken,
    ObjectMissing,
    ObjectTooLarge,
    UnknownModel,
    UnknownVersion,
)
from predictor.features import Feature, Output
from predictor.limits import limit
from predictor.loaded_model import LoadedModel, of_described

if TYPE_CHECKING:
    from predictor.full_models import Full

DROP_IN_SLUG = "drop-in"
CAPTURE_ALL, CAPTURE_OUTPUTS, CAPTURE_OFF = "all", "outputs", "off"

# What a byte of compiled.json takes once it is numbers of Python's: 4 to 5 were measured.
_BYTES_OF_TABLES = 6


class Live(NamedTuple):
    """What a pointer says, its signature checked; `read_at` by the store's clock."""

    read_at: float
    document: dict[str, Any]
    version: int
    sha256: str

    @property
    def slug(self) -> str:
        return str(self.document["slug"])

    @property
    def capture(self) -> str:
        """What is kept of API calls: "all", "outputs" or "off", which a word that is not known counts as."""
        word = self.document.get("capture", CAPTURE_ALL)
        return word if word in (CAPTURE_ALL, CAPTURE_OUTPUTS) else CAPTURE_OFF


def require_same(actual: str, expected: str | None) -> None:
    if expected is not None and actual != expected:
        raise ChecksumMismatch("The stored model is not the one that was asked for: its checksum differs.")


def fetch_pointer(slug: str, *, read_at: float, kept: Live | None) -> Live:
    """Raises: UnknownModel, ModelBroken, SignatureInvalid."""
    named = f"The pointer to the live version of '{slug}'"
    try:
        pointer = bucket.read_json(keys.live_pointer(slug))
    except ObjectMissing:
        raise UnknownModel(f"There is no model '{slug}', or none of its versions is live.") from None
    except (ValueError, RecursionError) as problem:
        raise ModelBroken(f"{named} cannot be read. Make it live again.") from problem
    if not isinstance(pointer, dict):
        raise ModelBroken(f"{named} cannot be read. Make it live again.")
    # One that has not changed was checked before; KMS wants money and milliseconds for each check.
    if kept is None or pointer != kept.document:
        signatures.check("live", pointer, named=named, expected={"slug": slug})
    try:
        return Live(read_at=read_at, document=pointer, version=int(pointer["version"]), sha256=str(pointer["sha256"]))
    except (ValueError, TypeError, KeyError) as problem:
        raise ModelBroken(f"{named} cannot be read. Make it live again.") from problem


def fetch_manifest(slug: str, version: int) -> dict[str, Any]:
    """Raises: UnknownModel, UnknownVersion, ModelBroken, SignatureInvalid."""
    named = f"The manifest of '{slug}' version {version}"
    try:
        manifest = bucket.read_json(keys.manifest(slug, version))
    except ObjectMissing:
        if bucket.head(keys.live_pointer(slug)) is None and bucket.head(keys.manifest(slug, 1)) is None:
            raise UnknownModel(f"There is no model '{slug}'.") from None
        raise UnknownVersion(f"The model '{slug}' has no version {version}.") from None
    except (ValueError, RecursionError) as problem:
        raise ModelBroken(f"{named} cannot be read.") from problem
    if not isinstance(manifest, dict):
        raise ModelBroken(f"{named} cannot be read.")
    signatures.check("manifest", manifest, named=named, expected={"slug": slug, "number": version})
    return manifest


def fetch_version(slug: str, version: int, sha256: str | None) -> LoadedModel:
    """A version, loaded in full unless it is compiled. Raises: as ModelStore.get."""
    manifest = fetch_manifest(slug, version)
    require_same(str(manifest.get("sha256")), sha256)
    output = Output.from_json(manifest["output"])
    features = tuple(Feature.from_json(entry) for entry in manifest["features"])
    tables = _fetch_tables(slug, version, manifest, features=features, output=output)

    def load() -> "Full":
        handing_over.require_large("no_tables" if tables is None else "row")
        # scikit-learn: a compiled model may never need it.
        from predictor.full_models import load_version

        return load_version(slug, version, manifest)

    model = LoadedModel(
        slug=slug,
        version=version,
        sha256=manifest["sha256"],
        size_bytes=_size_kept(manifest),
        manifest=manifest,
        features=features,
        output=output,
        tables=tables,
        load=load,
    )
    # The small function keeps it as it is, and so remembers that the large one answers for it.
    if tables is None and not handing_over.is_small():
        model.full  # noqa: B018  # what is wrong with it is told now
    return model


def _size_kept(manifest: Mapping[str, Any]) -> int:
    if not handing_over.is_small():
        return int(manifest.get("size_bytes") or 0)
    return _BYTES_OF_TABLES * int((manifest.get("compiled") or {}).get("size_bytes") or 0)


def _fetch_tables(
    slug: str, version: int, manifest: dict[str, Any], *, features: tuple[Feature, ...], output: Output
) -> Walker | None:
    """The tables that the manifest names. Where they are not there, or are others, scikit-learn answers instead."""
    expected = (manifest.get("compiled") or {}).get("sha256")
    if expected is None:
        return None
    try:
        body = bucket.read(keys.tables(slug, version), limit_bytes=limit("PORTICO_MODEL_MAX_BYTES")).body
        if hashlib.sha256(body).hexdigest() == expected:
            return Walker(json.loads(body), features=features, output=output)
        reason = "they are not those that were compared"
    except (ObjectMissing, ObjectTooLarge, Unreadable, ValueError, RecursionError) as problem:
        reason = type(problem).__name__
    journal.note("tables_not_used", model=slug, version=version, reason=reason)
    return None


def fetch_drop_in() -> tuple[str, LoadedModel]:
    """The drop-in model and the ETag of its bytes. Raises: ModelBroken."""
    handing_over.require_large("drop_in")
    with collecting.paused():
        from predictor.full_models import load_drop_in

        etag, found = load_drop_in()
    return etag, of_described(DROP_IN_SLUG, found)
