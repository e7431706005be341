"""One variant, from bytes in storage to bytes in storage, in a process of its own.

`python -m benchmarks.batch.runs SPEC` runs it once for each line of its input, and compares the output with
scikit-learn's answers where the line says CHECK. What is imported and the model are there
before the clock starts, as in a warm function. For each run a line is printed that begins with RESULT and goes on in
JSON: seconds, CPU seconds, memory, and a digest of what was written.
"""

import functools
import gc
import io
import json
import os
import pickle
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.batch import outputs
from benchmarks.batch.cases import MANIFEST_KEY, SLUG, VERSION, Prepared
from benchmarks.batch.storage import FileS3

CHECK, RESULT = "check", "result: "
BUCKET = "benchmark"
BATCH = "00000000-0000-4000-8000-000000000001"
FOLDER = f"batches/7/{BATCH}"
INPUT, OUTPUT = f"{FOLDER}/input.csv", f"{FOLDER}/output.csv"
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run.

    folder: this process's own; part_bytes: of Portico's parts, None for its own default;
    is_last_digit_free: as `outputs` has it
    """

    variant: str
    prepared: Prepared
    folder: str
    part_bytes: int | None = None
    is_last_digit_free: bool = False

    @classmethod
    def from_json(cls, text: str) -> "Spec":
        entry = json.loads(text)
        return cls(**{**entry, "prepared": Prepared(**entry["prepared"])})

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Step:
    """One invoke of ours, or the original's only one.

    peak_bytes: above what the process had with its model loaded; input_bytes: of a part's range
    """

    name: str
    seconds: float
    peak_bytes: int
    gets: int
    puts: int
    input_bytes: int | None = None


@dataclass
class Stopwatch:
    """Times steps, finds each one's peak of memory and counts its requests."""

    base_bytes: int
    requests: Counter[str]
    steps: list[Step] = field(default_factory=list)

    def __call__(self, name: str, work: Callable[[], Any], *, input_bytes: int | None = None) -> Any:
        _forget_peak()
        before = self.requests.copy()
        began = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - began
        made = self.requests - before
        peak = _status_bytes("VmHWM") - self.base_bytes
        self.steps.append(Step(name, seconds, peak, made["GET"], made["PUT"], input_bytes))
        return result


def begin(spec: Spec) -> Callable[[bool], dict[str, Any]]:
    """What runs the variant once, with or without a check; each run is of a batch that was never seen before."""
    import boto3

    storage = FileS3(Path(spec.folder))
    # Both the original and predictor.bucket make their client by this call, when they first need it.
    boto3.client = lambda service, **_: storage  # type: ignore[assignment]  # a stand-in has no such type
    work = VARIANTS[spec.variant](spec.prepared, storage)
    return functools.partial(_run, spec, storage, work)


def _run(spec: Spec, storage: FileS3, work: Callable[[Stopwatch], None], check: bool) -> dict[str, Any]:
    """Raises: RuntimeError: the output is not what scikit-learn says"""
    storage.forget(FOLDER)
    storage.adopt(INPUT, Path(spec.prepared.csv))
    gc.collect()
    ready = _seconds_alive()
    watch = Stopwatch(base_bytes=_status_bytes("VmRSS"), requests=storage.requests)
    cpu = time.process_time()
    began = time.perf_counter()
    work(watch)
    seconds = time.perf_counter() - began
    cpu = time.process_time() - cpu
    files = storage.files_of(OUTPUT)
    free = 0
    if check:
        free = outputs.require_equal(spec.variant, spec.prepared, files, is_last_digit_free=spec.is_last_digit_free)
    return {
        "ready_seconds": ready,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "base_bytes": watch.base_bytes,
        "peak_bytes": max(step.peak_bytes for step in watch.steps),
        "output_bytes": sum(file.stat().st_size for file in files),
        "columns": len(outputs.header(files)) - len(outputs.header((Path(spec.prepared.csv),))),
        "last_digits": free,
        "digest": outputs.digest(files),
        "files": [str(file) for file in files],
        "steps": [asdict(step) for step in watch.steps],
        "threads": _threads(),
    }


def original(prepared: Prepared, storage: FileS3) -> Callable[[Stopwatch], None]:
    """The steps of the original tool's batch handler."""
    import boto3
    import pandas as pd

    model = pickle.loads(Path(prepared.model).read_bytes())  # noqa: S301  # made by this benchmark

    def handler() -> None:
        client = boto3.client("s3")
        text = client.get_object(Bucket=BUCKET, Key=INPUT)["Body"].read().decode("utf-8")
        table = pd.read_csv(io.StringIO(text))[list(model.feature_names_in_)]
        table["predicted_probability_1"] = model.predict_proba(table)[:, -1]
        buffer = io.StringIO()
        table.to_csv(buffer, index=False)
        client.put_object(Bucket=BUCKET, Key=OUTPUT, Body=buffer.getvalue())
        client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": OUTPUT}, ExpiresIn=300)

    return lambda watch: watch("all", handler)


def portico(prepared: Prepared, storage: FileS3) -> Callable[[Stopwatch], None]:
    """Plan, every part in turn, finish, each through the function's entry point."""
    import polars  # noqa: F401  # imported with a function's first part, and warm afterwards

    from predictor import handler, model_store

    storage.adopt(f"models/{SLUG}/{VERSION}/manifest.json", Path(prepared.manifest))
    storage.adopt(f"models/{SLUG}/{VERSION}/model.pkl", Path(prepared.model))
    model_store.store.get(SLUG, VERSION)
    job = {"batch": BATCH, "user": "7", "model": SLUG, "version": VERSION, "file_name": "benchmark.csv"}

    def step(name: str, **more: Any) -> Any:
        return handler.handle({"operation": f"batch.{name}", "job": job, **more}, None)

    def steps(watch: Stopwatch) -> None:
        planned = watch("plan", lambda: step("plan"))
        parts = json.loads(storage.get_object(Key=planned["parts_key"])["Body"].read())
        for part in parts:
            watch("part", functools.partial(step, "part", part=part), input_bytes=part["end"] - part["start"])
        watch("finish", lambda: step("finish"))

    return steps


def polars(prepared: Prepared, storage: FileS3) -> Callable[[Stopwatch], None]:
    """A limit to compare with: everything at once in polars, no column of ours but one, no wrong cell survives."""
    import polars as pl

    model = pickle.loads(Path(prepared.model).read_bytes())  # noqa: S301  # made by this benchmark

    def work() -> None:
        table = pl.read_csv(io.BytesIO(storage.get_object(Key=INPUT)["Body"].read()))
        answers = model.predict_proba(table.select(model.feature_names_in_.tolist()))[:, -1]
        buffer = io.BytesIO()
        table.with_columns(pl.Series("predicted_probability_1", answers)).write_csv(buffer)
        storage.put_object(Key=OUTPUT, Body=buffer.getbuffer())

    return lambda watch: watch("all", work)


VARIANTS: dict[str, Callable[[Prepared, FileS3], Callable[[Stopwatch], None]]] = {
    "original": original,
    "Portico": portico,
    "polars": polars,
}


def _forget_peak() -> None:
    # ru_maxrss is inherited from the process that started this one, and cannot be set back between two steps.
    Path("/proc/self/clear_refs").write_text("5")


def _status_bytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def _seconds_alive() -> float:
    """Since this process began: the interpreter's start, all imports, the model's loading."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _threads() -> str:
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]  # publishes no types

    found = {entry["internal_api"]: entry["num_threads"] for entry in threadpool_info()}
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"


if __name__ == "__main__":
    given = Spec.from_json(sys.argv[1])
    os.environ.update(PORTICO_BUCKET=BUCKET, PORTICO_MANIFEST_KEY=MANIFEST_KEY, AWS_DEFAULT_REGION="eu-west-1")
    # Files of any size: what a batch may have is not the question here.
    os.environ["PORTICO_BATCH_MAX_BYTES"] = str(10**15)
    if given.part_bytes is not None:
        os.environ["PORTICO_BATCH_PART_BYTES"] = str(given.part_bytes)
    run = begin(given)
    for wish in sys.stdin:
        print(RESULT + json.dumps(run(wish.strip() == CHECK)), flush=True)
