"""A cold start: from the start of the process that Lambda starts to its first answer, the model's GETs in it.

Lambda's runtime API is played by this process, S3 by an emulator. Each start is a fresh process with what the image has
around it (image_folders); byte code is there and the page cache warm.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from benchmarks import emulator, models, runtime_api
from benchmarks.batch.processes import ROOT
from benchmarks.image_folders import CODE, Folders, lay_out
from benchmarks.processor_share import limited
from benchmarks.report import Report

ORIGINAL = "original"

_WARM_CALLS = 9
_COMPILED, _FULL = 1, 2
_BARE = """
import json, sys
import joblib, pandas
model = joblib.load(sys.argv[1])
shares = model.predict_proba(pandas.DataFrame([json.loads(sys.argv[2])]))[0]
print(json.dumps([float(share) for share in shares]), flush=True)
sys.stdin.read()
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Use:
    """What a process took until its first answer; cpu_ms: of the threads that still run"""

    cpu_ms: float
    rss_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Start:
    """One process's start. init_s: until it asked for its first event; warm_s: a later call's median"""

    probabilities: list[float]
    seconds: float
    used: Use
    init_s: float | None = None
    warm_s: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """start: a row, and what goes before the command → a process's start; it has ended by then

    Whatever starts and answers can be one: a server's is from its start to the answer to a first call that it takes.
    """

    name: str
    start: Callable[[Row, Sequence[str]], Start]


def measure(
    *,
    rounds: int = 7,
    names: Sequence[str] = (),
    memory_mb: Sequence[int] = (),
    more: Callable[[Any, Path], Sequence[Variant]] = lambda model, folder: (),
) -> Report:
    """A cold start: the start of Lambda's runtime to the first answer, beside the original's handler.

    Args:   names: of the models, all by default; memory_mb: also with the processor's share of such functions;
            more: further variants of a fitted model, with a folder for their files
    Raises: RuntimeError: the variants do not agree, or one does not start
    """
    sys.path.insert(0, str(CODE))
    by_share: dict[int | None, list[dict[str, Any]]] = {memory: [] for memory in (None, *memory_mb)}
    with emulator.running() as endpoint, emulator.settings(endpoint), tempfile.TemporaryDirectory() as made:
        import boto3

        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=emulator.BUCKET)
        folders = lay_out(Path(made))
        for name in names or models.MODELS:
            model, table = models.fit(name)
            variants = [*_variants(model, Path(made), folders), *more(model, Path(made))]
            observations = table.to_dict("records")[: rounds + 1]
            for memory, rows in by_share.items():
                with limited(memory) as before:
                    rows += _summarize(name, _interleave(variants, observations, before))
    parts = [
        Report(title=f"With the processor's share of a function of {memory:,} MB", rows=by_share[memory])
        for memory in memory_mb
    ]
    return Report(
        title="Cold start: start of the runtime to the first answer",
        rows=by_share[None],
        notes=_notes(rounds),
        parts=parts,
    )


def _notes(rounds: int) -> list[str]:
    return [
        f"{rounds} rounds, interleaved, after one that is not counted; a fresh process each, another row in each round."
        " Page cache warm, byte code present; what a cloud does before the process starts is not in it.",
        f"All answers were equal, to {models.TOLERANCE:g}. The GETs of the model are in it, from an emulator of S3 on"
        " the same machine. init: until the runtime asked for its first event; warm: a later call, as the runtime API"
        " sees it, the median of medians.",
        "RSS and its peak at the answer, MB are millions of bytes. OMP_NUM_THREADS and OPENBLAS_NUM_THREADS are 1.",
        "Portico starts by the image's entry.sh, compiled models as the small function, with numpy, scipy and"
        " scikit-learn as the image's build makes them ready (lambda_docker/byte_code.py); the original's handler by"
        " `python -m awslambdaric`, with all packages as pip installs them, as the bare script has them.",
    ]


def _variants(model: Any, folder: Path, folders: Folders) -> list[Variant]:
    import joblib

    models.publish(model, number=_FULL, is_compiled=False)
    models.publish(model, number=_COMPILED)
    file = folder / "model.joblib"
    joblib.dump(model, file)
    own = [folders.ready, folders.packages]
    ours = _environment(folders, PYTHONPATH=own, PORTICO_PANDAS_PATH=str(folders.pandas))
    whole = [folders.packages, folders.pandas]
    theirs = _environment(folders, PYTHONPATH=[ROOT, *whole], MODEL_FILE=models.DROP_IN_KEY)

    small = {**ours, "PORTICO_LARGE_FUNCTION": "large", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}

    def portico(number: int, environment: Mapping[str, str]) -> Callable[[Row, Sequence[str]], Start]:
        def start(row: Row, before: Sequence[str]) -> Start:
            event = {"operation": "predict", "model": models.SLUG, "version": number, "row": row}
            command = [*before, "sh", str(CODE / "entry.sh"), "predictor.handler.handle"]
            return _start_function(command, environment, event, lambda answer: answer["prediction"]["probabilities"])

        return start

    def original(row: Row, before: Sequence[str]) -> Start:
        event = {"path": "/singlePrediction", "httpMethod": "POST", "body": json.dumps(row)}
        command = [*before, str(folders.bin / "python"), "-m", "awslambdaric", "benchmarks.original.handle"]
        return _start_function(command, theirs, event, lambda answer: json.loads(answer["body"])["probabilities"])

    def bare(row: Row, before: Sequence[str]) -> Start:
        command = [*before, str(folders.bin / "python"), "-c", _BARE, str(file), json.dumps(row)]
        return _start_program(command, theirs)

    return [
        Variant("Portico, compiled", portico(_COMPILED, small)),
        Variant("Portico, in full", portico(_FULL, ours)),
        Variant(ORIGINAL, original),
        Variant("joblib.load, predict_proba, no Lambda", bare),
    ]


def _environment(folders: Folders, *, PYTHONPATH: Sequence[Path], **more: str) -> dict[str, str]:
    """As in the image, and as Lambda sets it; PYTHON… of the one who runs the benchmark is left out."""
    inherited = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PORTICO_"))}
    return {
        **inherited,
        "PATH": os.pathsep.join((str(folders.bin), os.environ["PATH"])),
        "PYTHONPATH": os.pathsep.join(map(str, PYTHONPATH)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "JOBLIB_MULTIPROCESSING": "0",
        "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_REGION": os.environ["AWS_DEFAULT_REGION"],
        **more,
    }


def _start_function(
    command: Sequence[str], environment: Mapping[str, str], event: Any, read: Callable[[Any], list[float]]
) -> Start:
    with runtime_api.serving() as api:
        began = time.perf_counter()
        with _running(command, {**environment, "AWS_LAMBDA_RUNTIME_API": api.address}) as process:
            api.seen = lambda: _use_of(process.pid)
            first = api.answer(event)
            warm = [api.answer(event) for _ in range(_WARM_CALLS)]
    return Start(
        probabilities=read(first.body),
        seconds=first.answered_at - began,
        used=first.seen,
        init_s=first.asked_at - began,
        warm_s=statistics.median(call.seconds for call in warm),
    )


def _start_program(command: Sequence[str], environment: Mapping[str, str]) -> Start:
    began = time.perf_counter()
    with _running(command, environment, stdout=subprocess.PIPE) as process:
        line = cast("IO[str]", process.stdout).readline()
        seconds = time.perf_counter() - began
        used = _use_of(process.pid)
    return Start(probabilities=json.loads(line), seconds=seconds, used=used)


@contextlib.contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], *, stdout: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(  # noqa: S603  # our own commands
        command, env=environment, cwd=CODE, stdin=subprocess.PIPE, stdout=stdout, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _use_of(pid: int) -> Use:
    """Of a running process, up to now."""
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    rss_mb, peak_mb = (int(status[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    tasks = [int(file.read_text().split()[0]) for file in folder.glob("task/*/schedstat")]
    return Use(cpu_ms=sum(tasks) / 1e6, rss_mb=rss_mb, peak_mb=peak_mb)


def _interleave(variants: Sequence[Variant], rows: Sequence[Row], before: Sequence[str]) -> dict[str, list[Start]]:
    """The starts of each variant, the first round left out. Raises: RuntimeError: answers differ."""
    starts: dict[str, list[Start]] = {variant.name: [] for variant in variants}
    for row in rows:
        for variant in variants:
            starts[variant.name].append(variant.start(row, before))
        _require_equal({name: started[-1].probabilities for name, started in starts.items()}, row)
    return {name: started[1:] for name, started in starts.items()}


def _require_equal(answers: Mapping[str, list[float]], row: Row) -> None:
    expected = answers[ORIGINAL]
    for name, answer in answers.items():
        if any(abs(one - two) > models.TOLERANCE for one, two in zip(answer, expected, strict=True)):
            raise RuntimeError(f"{name}: {answer} instead of {expected} for {row}.")


def _summarize(model: str, starts: Mapping[str, Sequence[Start]]) -> list[dict[str, Any]]:
    return [
        {
            "model": model,
            "variant": name,
            "median ms": statistics.median(start.seconds for start in started) * 1e3,
            "min": min(start.seconds for start in started) * 1e3,
            "max": max(start.seconds for start in started) * 1e3,
            # Of each round's own: what else the machine does is the same for both then.
            "x original": statistics.median(
                other.seconds / start.seconds for start, other in zip(started, starts[ORIGINAL], strict=True)
            ),
            "init ms": _median_ms([start.init_s for start in started]),
            "warm ms": _median_ms([start.warm_s for start in started]),
            # Steadier than the clock on a machine that does other things.
            "CPU ms": statistics.median(start.used.cpu_ms for start in started),
            "RSS MB": statistics.median(start.used.rss_mb for start in started),
            "peak MB": max(start.used.peak_mb for start in started),
        }
        for name, started in starts.items()
    ]


def _median_ms(seconds: Sequence[float | None]) -> float | None:
    known = [value for value in seconds if value is not None]
    return statistics.median(known) * 1e3 if known else None
