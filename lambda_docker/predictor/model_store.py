"""Models by slug and version: their manifest's signature and their checksum checked, only then loaded, and kept warm.

A request takes one LoadedModel and answers from it alone, so that a model swapped meanwhile never gives a mixed answer.
Which version is live, and whether the drop-in object changed, is looked up again after FRESH_S seconds.
"""

import functools
import hashlib
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from predictor import bucket, collecting, handing_over, journal, keys, signatures
from predictor.coercion import ReadRow, row_reader
from predictor.compiled.reading import Unreadable, Walker
from predictor.errors import (
    ChecksumMismatch,
    ModelBroken,
    ObjectMissing,
    ObjectTooLarge,
    UnknownModel,
    UnknownVersion,
)
from predictor.features import Choice, Feature, Output
from predictor.limits import limit

if TYPE_CHECKING:
    from predictor.engines import Engine
    from predictor.full_models import Described, Full

# A rollback must reach callers of the API within 2 s; each look is one small GET.
FRESH_S = 1.5
DROP_IN_SLUG = "drop-in"

_WARM, _COLD = "warm", "cold"
# What a byte of compiled.json takes once it is numbers of Python's: 4 to 5 were measured.
_BYTES_OF_TABLES = 6


class _Live(NamedTuple):
    """What a pointer says, its signature checked; `read_at` by the store's clock."""

    read_at: float
    document: dict[str, Any]
    version: int
    sha256: str


class LoadedModel:
    """A model that is ready to answer. The drop-in model has no version: version is None.

    tables: what answers single rows without scikit-learn, where the model is compiled; load: makes `full`
    """

    def __init__(
        self,
        *,
        slug: str,
        version: int | None,
        sha256: str,
        size_bytes: int,
        manifest: dict[str, Any],
        features: tuple[Feature, ...],
        output: Output,
        tables: Walker | None,
        load: Callable[[], "Full"],
    ) -> None:
        self.slug, self.version, self.sha256, self.size_bytes = slug, version, sha256, size_bytes
        self.manifest, self.features, self.output = manifest, features, output
        self.tables, self.load = tables, load
        self._lock = threading.Lock()

    @property
    def engine(self) -> "Engine":
        """scikit-learn with the model in it. Raises: ModelBroken, ChecksumMismatch: a compiled one, when first used."""
        return self.full.engine

    @property
    def classes(self) -> tuple[Choice, ...] | None:
        """Those that the estimator itself has, where the output has classes. Raises: as engine."""
        return self.full.classes

    @property
    def full(self) -> "Full":
        with self._lock:
            return self._loaded

    @functools.cached_property
    def _loaded(self) -> "Full":
        with collecting.paused():
            return self.load()

    # What is the same in every answer is made once; nobody may write into it.

    @functools.cached_property
    def read_row(self) -> ReadRow:
        return row_reader(self.features)

    @functools.cached_property
    def ref(self) -> dict[str, Any]:
        return {"slug": self.slug, "version": self.version, "sha256": self.sha256}

    @functools.cached_property
    def output_json(self) -> dict[str, Any]:
        return self.output.to_json()

    def tag(self) -> str:
        """What X-Model-Version says."""
        return f"{self.slug}/{self.version or self.sha256[:12]}"


class ModelStore:
    """A process's models. `clock` counts seconds and is there for tests to turn."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._models: OrderedDict[tuple[str, int | None], LoadedModel] = OrderedDict()
        self._live: dict[str, _Live] = {}
        self._drop_in: tuple[float, str | None, LoadedModel | None] | None = None
        self._mounted: LoadedModel | None = None

    def mount(self, model: LoadedModel) -> None:
        """Answer with this model, as with the only one that there is; no bucket is asked for any."""
        self._mounted = model

    def find(self, slug: str = "") -> LoadedModel:
        """The model of that name; without one the drop-in one, else the default one. Raises: Fault."""
        if slug:
            return self.get(slug)[0]
        drop_in = self.get_drop_in()
        if drop_in is not None:
            return drop_in[0]
        default = os.environ.get("PORTICO_DEFAULT_MODEL", "")
        if not keys.is_slug(default):
            raise UnknownModel("No model is named in the path, and none is set as the default one.")
        return self.get(default)[0]

    def get(self, slug: str, version: int | None = None, sha256: str | None = None) -> tuple[LoadedModel, str]:
        """The model, and "warm" or "cold".

        Args:   version: None for the live one; sha256: what it must be, where the caller knows
        Raises: UnknownModel, UnknownVersion, ChecksumMismatch, SignatureInvalid, ModelBroken
        """
        if self._mounted is not None:
            return _require_mounted(self._mounted, slug, version), _WARM
        with self._lock:
            if version is None:
                version, pinned = self._find_live(slug)
                sha256 = sha256 or pinned
            model = self._models.get((slug, version))
            if model is not None:
                _require_same(model.sha256, sha256)
                self._models.move_to_end((slug, version))
                return model, _WARM
            model = _fetch_version(slug, version, sha256)
            self._keep(model)
            return model, _COLD

    def manifest(self, slug: str, version: int | None = None) -> dict[str, Any]:
        """The manifest as the portal signed it, without loading the model.

        Raises: UnknownModel, UnknownVersion, SignatureInvalid, ModelBroken
        """
        with self._lock:
            if version is None:
                version, _ = self._find_live(slug)
        return _fetch_manifest(slug, version) | {"version": version}

    def get_drop_in(self) -> tuple[LoadedModel, str] | None:
        """The model at the original tool's key, or None where there is none. Raises: ModelBroken."""
        if self._mounted is not None:
            return self._mounted, _WARM
        with self._lock:
            now = self._clock()
            if self._drop_in is not None and now - self._drop_in[0] < FRESH_S:
                kept = self._drop_in[2]
                return None if kept is None else (kept, _WARM)
            found = bucket.head(keys.DROP_IN_KEY)
            if found is None:
                self._drop_in = (now, None, None)
                return None
            if self._drop_in is not None and self._drop_in[1] == found.etag and self._drop_in[2] is not None:
                self._drop_in = (now, found.etag, self._drop_in[2])
                return self._drop_in[2], _WARM
            etag, model = _fetch_drop_in()
            self._drop_in = (now, etag, model)
            return model, _COLD

    def _find_live(self, slug: str) -> tuple[int, str]:
        """Number and checksum of the live version, at most FRESH_S seconds old."""
        kept = self._live.get(slug)
        if kept is None or self._clock() - kept.read_at >= FRESH_S:
            self._live.pop(slug, None)
            kept = self._live[slug] = _fetch_pointer(slug, read_at=self._clock(), kept=kept)
        return kept.version, kept.sha256

    def _keep(self, model: LoadedModel) -> None:
        """Keep a model, and let go of those not used for longest while they are too large together."""
        self._models[model.slug, model.version] = model
        room = limit("PORTICO_MODEL_CACHE_BYTES")
        while len(self._models) > 1 and sum(kept.size_bytes for kept in self._models.values()) > room:
            self._models.popitem(last=False)


def _require_mounted(model: LoadedModel, slug: str, version: int | None) -> LoadedModel:
    if slug != model.slug:
        raise UnknownModel(f"There is no model '{slug}' here: the only one is called '{model.slug}'.")
    if version != model.version:
        raise UnknownVersion(f"The model '{slug}' has no version {version}.")
    return model


def _require_same(actual: str, expected: str | None) -> None:
    if expected is not None and actual != expected:
        raise ChecksumMismatch("The stored model is not the one that was asked for: its checksum differs.")


def _fetch_pointer(slug: str, *, read_at: float, kept: _Live | None) -> _Live:
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
        return _Live(read_at=read_at, document=pointer, version=int(pointer["version"]), sha256=str(pointer["sha256"]))
    except (ValueError, TypeError, KeyError) as problem:
        raise ModelBroken(f"{named} cannot be read. Make it live again.") from problem


def _fetch_manifest(slug: str, version: int) -> dict[str, Any]:
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


def _fetch_version(slug: str, version: int, sha256: str | None) -> LoadedModel:
    """A version, loaded in full unless it is compiled. Raises: as ModelStore.get."""
    manifest = _fetch_manifest(slug, version)
    _require_same(str(manifest.get("sha256")), sha256)
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


def _fetch_drop_in() -> tuple[str, LoadedModel]:
    """The drop-in model and the ETag of its bytes. Raises: ModelBroken."""
    handing_over.require_large("drop_in")
    with collecting.paused():
        from predictor.full_models import load_drop_in

        etag, found = load_drop_in()
    return etag, of_described(DROP_IN_SLUG, found)


def of_described(slug: str, found: "Described") -> LoadedModel:
    """A model that comes without a manifest."""
    return LoadedModel(
        slug=slug,
        version=None,
        sha256=found.manifest["sha256"],
        size_bytes=found.manifest["size_bytes"],
        manifest=found.manifest,
        features=found.features,
        output=found.output,
        tables=None,
        load=lambda: found.full,
    )


store = ModelStore()
