"""Where the model comes from: a file that was mounted, else the bucket, as on Lambda."""

import os
import re
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from predictor import journal, model_store
from predictor.errors import Fault, ObjectMissing
from predictor.limits import in_megabytes, limit
from predictor.loaded_model import LoadedModel, of_described
from predictor.operations import predict_one
from predictor.serving.pace import NeedsThread, is_on_event_loop

if TYPE_CHECKING:
    from predictor.full_models import Described, Full

# Where SageMaker unpacks a model.
MODEL_FOLDER = "/opt/ml/model"
# Of a model that answers a row within this time, a call of few rows is answered on the event loop itself.
QUICK_S = 0.005

_FORMATS = {".pkl": "pickle", ".pickle": "pickle", ".joblib": "joblib", ".skops": "skops"}
_TIMED = 5


class NoModel(Exception):
    """There is nothing to serve; the message says what was looked for and what to do."""


class Mounted(LoadedModel):
    """A file's model. Where scikit-learn takes its time for it, the event loop has its tables alone."""

    def __init__(self, *, is_quick_in_full: bool, **fields: Any) -> None:
        super().__init__(**fields)
        self.is_quick_in_full = is_quick_in_full

    @property
    def full(self) -> "Full":
        """As of any model. Raises: NeedsThread: here it would hold up all others."""
        if not self.is_quick_in_full and is_on_event_loop():
            raise NeedsThread
        return super().full


def open_model() -> bool:
    """Load what is served, and compile it where it can be; whether small calls are quick.

    Raises: NoModel
    """
    file = _find_file()
    if file is not None:
        model = _mount(_slug_of(file.stem), _load(file))
        model_store.store.mount(model)
        return model.tables is not None or model.is_quick_in_full
    if not os.environ.get("PORTICO_BUCKET"):
        raise NoModel(
            f"There is no model to serve. Mount one as a file of {', '.join(_FORMATS)} and name it in "
            f"PORTICO_MODEL_FILE, or put it alone into {MODEL_FOLDER}; or name a bucket of Portico's in PORTICO_BUCKET."
        )
    _require_default()
    # Each look into the bucket may take its time.
    return False


def _find_file() -> Path | None:
    """The mounted model's file. Raises: NoModel: it is not there, or there are several."""
    named = os.environ.get("PORTICO_MODEL_FILE")
    if named:
        file = Path(named)
        if file.suffix.lower() not in _FORMATS:
            raise NoModel(f"PORTICO_MODEL_FILE is {named}; the name must end in one of {', '.join(_FORMATS)}.")
        if not file.is_file():
            raise NoModel(f"PORTICO_MODEL_FILE is {named}, and there is no such file. Is the folder mounted?")
        return file
    folder = Path(os.environ.get("PORTICO_MODEL_FOLDER") or MODEL_FOLDER)
    found = sorted(file for file in folder.glob("*") if file.suffix.lower() in _FORMATS and file.is_file())
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:10])
        raise NoModel(f"There are several models in {folder}: {names}. Name one of them in PORTICO_MODEL_FILE.")
    return found[0] if found else None


def _load(file: Path) -> "Described":
    from predictor.full_models import describe_body

    allowed = limit("PORTICO_MODEL_MAX_BYTES")
    try:
        size = file.stat().st_size
        if size > allowed:
            raise NoModel(
                f"{file} has {in_megabytes(size)}; up to {in_megabytes(allowed)} are loaded (PORTICO_MODEL_MAX_BYTES)."
            )
        return describe_body(file.read_bytes(), format=_FORMATS[file.suffix.lower()])
    except OSError as problem:
        raise NoModel(f"{file} cannot be read: {problem.strerror}.") from problem
    except Fault as fault:
        raise NoModel(f"{file} cannot be served. {fault.message}") from fault


def _mount(slug: str, found: "Described") -> Mounted:
    """The model as it is served: as tables too, where these answer as scikit-learn does."""
    from predictor.serving.compiling import compile_described

    described = of_described(slug, found)
    # Others than scikit-learn's own may take any time for a row, and bear no second call beside it.
    is_quick_in_full = found.full.engine.is_thread_safe and _seconds_a_row(described) < QUICK_S
    began = time.monotonic()
    tables = compile_described(found.description, seconds=limit("PORTICO_SERVE_COMPILE_SECONDS"))
    journal.note(
        "not compiled" if tables.walker is None else "compiled",
        model=described.tag(),
        seconds=round(time.monotonic() - began, 2),
        **_told(tables.report),
    )
    single = {"single": {"milliseconds": tables.single_milliseconds}}
    return Mounted(
        slug=described.slug,
        version=None,
        sha256=described.sha256,
        size_bytes=described.size_bytes,
        manifest={**described.manifest, "compiled": tables.report, "trials": single},
        features=described.features,
        output=described.output,
        tables=tables.walker,
        load=described.load,
        is_quick_in_full=is_quick_in_full,
    )


def _told(report: dict[str, Any]) -> dict[str, Any]:
    """What the log says of it: never a row, which may be somebody's."""
    names = ("reason",) if report["reason"] else ("rows", "largest_difference", "milliseconds")
    return {name: report[name] for name in names}


def _slug_of(stem: str) -> str:
    """A file's name as a model's: "Churn model_2" is churn-model-2."""
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:100].rstrip("-") or "model"


def _require_default() -> None:
    """Raises: NoModel: the bucket has nothing to answer calls that name no model."""
    import botocore.exceptions

    bucket = os.environ["PORTICO_BUCKET"]
    try:
        model_store.store.find()
    except Fault as fault:
        raise NoModel(
            f"The bucket {bucket} has no model to begin with. {fault.message} Name a live one in PORTICO_DEFAULT_MODEL."
        ) from fault
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, ObjectMissing) as problem:
        raise NoModel(f"The bucket {bucket} cannot be read: {problem}") from problem


def _seconds_a_row(model: LoadedModel) -> float:
    row = [feature.default for feature in model.features]

    def time_once() -> float:
        began = time.perf_counter()
        predict_one(model, row)
        return time.perf_counter() - began

    try:
        return statistics.median(time_once() for _ in range(_TIMED))
    except Fault:
        # It has no finite answer to this row; how long others take nobody knows.
        return float("inf")
