"""Models by slug and version, kept warm.

A request takes one LoadedModel and answers from it alone, so that a model swapped meanwhile never gives a mixed answer.
Which version is live, and whether the drop-in object changed, is looked up again after FRESH_S seconds.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from predictor import bucket, keys
from predictor.errors import UnknownModel, UnknownVersion
from predictor.limits import limit
from predictor.loaded_model import LoadedModel
from predictor.published import Live, fetch_drop_in, fetch_manifest, fetch_pointer, fetch_version, require_same

# A rollback must reach callers of the API within 2 s; each look is one small GET.
FRESH_S = 1.5

WARM, COLD = "warm", "cold"


class ModelStore:
    """A process's models. `clock` counts seconds and is there for tests to turn."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._models: OrderedDict[tuple[str, int | None], LoadedModel] = OrderedDict()
        self._last: LoadedModel | None = None
        self._live: dict[str, Live] = {}
        self._drop_in: tuple[float, str | None, LoadedModel | None] | None = None
        self._mounted: LoadedModel | None = None

    def mount(self, model: LoadedModel) -> None:
        """Answer with this model, as with the only one that there is; no bucket is asked for any."""
        self._mounted = model

    def find(self, slug: str = "") -> LoadedModel:
        """The model of that name; without one the drop-in one, else the default one. Raises: Fault."""
        return self.answering(slug, self.find_live(slug))[0]

    def find_live(self, slug: str = "") -> Live | None:
        """What the portal has made live by that name, and without one by the default one's.

        None where a model answers that no portal knows: the drop-in one, or a mounted one. Raises: Fault
        """
        if self._mounted is not None or (not slug and self.get_drop_in() is not None):
            return None
        slug = slug or os.environ.get("PORTICO_DEFAULT_MODEL", "")
        if not keys.is_slug(slug):
            raise UnknownModel("No model is named in the path, and none is set as the default one.")
        with self._lock:
            return self._find_live(slug)

    def answering(self, slug: str, live: Live | None) -> tuple[LoadedModel, str]:
        """The model of what find_live found by that name, and "warm" or "cold". Raises: Fault."""
        if live is not None:
            return self.get(live.slug, live.version, live.sha256)
        drop_in = None if slug else self.get_drop_in()
        return drop_in or self.get(slug)

    def recall(self, slug: str = "") -> tuple[Live, LoadedModel | None] | None:
        """What find_live found by that name last, and its model if that is loaded. Nothing is fetched."""
        with self._lock:
            if not slug and self._drop_in is not None and self._drop_in[2] is not None:
                return None
            live = self._live.get(slug or os.environ.get("PORTICO_DEFAULT_MODEL", ""))
            return None if live is None else (live, self._models.get((live.slug, live.version)))

    def get_again(self, slug: object, version: object, sha256: object) -> LoadedModel | None:
        """The model that get() gave last, if these name it, whatever they are: then there is nothing to check."""
        last = self._last
        # True and 1.0 are 1 as well, and are no version.
        if last is None or version.__class__ is not int or last.version != version or last.slug != slug:
            return None
        return last if sha256 is None or sha256 == last.sha256 else None

    def get(self, slug: str, version: int | None = None, sha256: str | None = None) -> tuple[LoadedModel, str]:
        """The model, and "warm" or "cold".

        Args:   version: None for the live one; sha256: what it must be, where the caller knows
        Raises: UnknownModel, UnknownVersion, ChecksumMismatch, SignatureInvalid, ModelBroken
        """
        if self._mounted is not None:
            return _require_mounted(self._mounted, slug, version), WARM
        with self._lock:
            if version is None:
                live = self._find_live(slug)
                version, sha256 = live.version, sha256 or live.sha256
            model = self._models.get((slug, version))
            if model is not None:
                require_same(model.sha256, sha256)
                self._models.move_to_end((slug, version))
                self._last = model
                return model, WARM
            self._last = model = fetch_version(slug, version, sha256)
            self._keep(model)
            return model, COLD

    def manifest(self, slug: str, version: int | None = None) -> dict[str, Any]:
        """The manifest as the portal signed it, without loading the model.

        Raises: UnknownModel, UnknownVersion, SignatureInvalid, ModelBroken
        """
        with self._lock:
            if version is None:
                version = self._find_live(slug).version
        return fetch_manifest(slug, version) | {"version": version}

    def get_drop_in(self) -> tuple[LoadedModel, str] | None:
        """The model at the original tool's key, or None where there is none. Raises: ModelBroken."""
        if self._mounted is not None:
            return self._mounted, WARM
        with self._lock:
            now = self._clock()
            if self._drop_in is not None and now - self._drop_in[0] < FRESH_S:
                kept = self._drop_in[2]
                return None if kept is None else (kept, WARM)
            found = bucket.head(keys.DROP_IN_KEY)
            if found is None:
                self._drop_in = (now, None, None)
                return None
            if self._drop_in is not None and self._drop_in[1] == found.etag and self._drop_in[2] is not None:
                self._drop_in = (now, found.etag, self._drop_in[2])
                return self._drop_in[2], WARM
            etag, model = fetch_drop_in()
            self._drop_in = (now, etag, model)
            return model, COLD

    def _find_live(self, slug: str) -> Live:
        """What the pointer says, at most FRESH_S seconds old."""
        kept = self._live.get(slug)
        if kept is None or self._clock() - kept.read_at >= FRESH_S:
            self._live.pop(slug, None)
            kept = self._live[slug] = fetch_pointer(slug, read_at=self._clock(), kept=kept)
        return kept

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


store = ModelStore()
