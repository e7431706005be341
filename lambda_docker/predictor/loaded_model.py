"""A model that is ready to answer: by its tables, or by scikit-learn, which is imported when it is first needed."""

import functools
import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from predictor import collecting
from predictor.coercion import ReadRow, row_reader, written_out_reader
from predictor.compiled.reading import Walker
from predictor.features import Choice, Feature, Output

if TYPE_CHECKING:
    from predictor.engines import Engine
    from predictor.full_models import Described, Full


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
    def read_row_again(self) -> ReadRow:
        """read_row in less time, from the second row on: a cold start would wait longer for it than it saves."""
        return written_out_reader(self.features, otherwise=self.read_row)

    @functools.cached_property
    def ref(self) -> dict[str, Any]:
        return {"slug": self.slug, "version": self.version, "sha256": self.sha256}

    @functools.cached_property
    def output_json(self) -> dict[str, Any]:
        return self.output.to_json()

    @functools.cached_property
    def quoted_tag(self) -> str:
        """The tag as JSON has it."""
        return json.dumps(self.tag())

    def tag(self) -> str:
        """What X-Model-Version says."""
        return f"{self.slug}/{self.version or self.sha256[:12]}"


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
