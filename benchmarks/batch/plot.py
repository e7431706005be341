"""Memory over time while a running Portico scores a large CSV: a plot for the documentation, and its figures.

The file goes where the portal would put it, and the stack's own state machine is started on it.
"""

import itertools
import json
import math
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3

from benchmarks.batch.sampling import FUNCTIONS, Member, Sample, Sampler, containers_of, processes_of
from benchmarks.report import Report
from deploy.compose import Compose
from deploy.errors import DeployError
from deploy.execute import read_outputs
from deploy.state import REPOSITORY, StateFolder
from deploy.targets import EMULATOR_CREDENTIALS, REGION, Target, embedded_target, localstack_target

MB = 1_000_000
MODEL = "four-variables"
STARTED_BY = {"embedded": "make up", "localstack": "docker-compose up"}
IMAGES = REPOSITORY / "docs" / "images"

_BLOCK_ROWS = 100_000
_REST_S = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A Portico that runs on this machine."""

    target: Target
    members: Callable[[], list[Member]]


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of the file; marks: name → seconds since sampling began"""

    rows: int
    size_bytes: int
    parts: int
    marks: dict[str, float]


def measure(*, target: str = "embedded", megabytes: int = 2_000, out: Path = IMAGES) -> Report:
    """Memory over time while a running Portico scores a large CSV, as a plot.

    Args:   target: one of STARTED_BY; out: a folder for the plot and its JSON
    Raises: DeployError: nothing runs there; RuntimeError: the file was not scored
    """
    running = {"embedded": _find_embedded, "localstack": _find_localstack}[target]()
    sampler = Sampler(running.members)
    with sampler.running():
        time.sleep(_REST_S)
        scored = _score(running.target, megabytes * MB, sampler)
        time.sleep(_REST_S)
    figures = {"target": target, **asdict(scored), "samples": [asdict(sample) for sample in sampler.samples]}
    picture = out / f"batch-memory-{target}.png"
    picture.with_suffix(".json").write_text(json.dumps(figures) + "\n", "utf-8")
    _draw(
        sampler.samples,
        scored,
        title=f"{scored.size_bytes / MB:,.0f} MB of CSV through {STARTED_BY[target]}",
        file=picture,
    )
    return _report(target, sampler.samples, scored, picture)


def _find_embedded() -> Running:
    state = StateFolder.from_environment()
    endpoint, emulator = state.read_endpoint(), state.read_pid()
    if endpoint is None or emulator is None:
        raise DeployError(f"No Portico runs on {state.root}. Start one with: make up")
    root = int((state.root / "lock").read_text())
    return Running(embedded_target(endpoint), processes_of(root, int(emulator)))


def _find_localstack() -> Running:
    compose = Compose.from_environment()
    try:
        members = containers_of(compose.aws_port)
    except LookupError:
        raise DeployError(f"Nothing runs at {compose.aws_url}. Start it with: docker-compose up -d") from None
    return Running(localstack_target(compose.aws_url), members)


def _score(target: Target, size_bytes: int, sampler: Sampler) -> Scored:
    outputs = read_outputs(target)
    bucket, folder = outputs["BucketName"], f"batches/0/{uuid.uuid4()}"
    try:
        live = _read(target, bucket, f"models/{MODEL}/live.json")
    except target.s3.exceptions.NoSuchKey:
        raise DeployError(f"The sample model {MODEL} is not live there yet. Wait a minute, and try again.") from None
    manifest = _read(target, bucket, f"models/{MODEL}/{live['version']}/manifest.json")
    job = {"batch": folder.rpartition("/")[2], "user": "0", "model": MODEL, "version": live["version"]}
    marks = {}
    try:
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            rows = _write_csv(Path(file.name), [entry["name"] for entry in manifest["features"]], size_bytes)
            marks["upload"] = sampler.now()
            target.s3.upload_file(file.name, bucket, f"{folder}/input.csv")
            size = Path(file.name).stat().st_size
        marks["start"] = sampler.now()
        _run(target, outputs["BatchStateMachineArn"], job)
        marks["end"] = sampler.now()
        summary = _read(target, bucket, f"{folder}/summary.json")
        parts = len(_read(target, bucket, f"{folder}/plan.json")["ranges"])
        if not summary["ok"] or summary["scored"] != rows:
            raise RuntimeError(f"Not all {rows:,} rows were scored: {json.dumps(summary)[:500]}")
    finally:
        _clear(target, bucket, folder)
    return Scored(rows=rows, size_bytes=size, parts=parts, marks=marks)


def _write_csv(file: Path, names: list[str], size_bytes: int) -> int:
    """One block of random rows, over and over; how many rows."""
    rng = random.Random(7)  # noqa: S311  # numbers to score, no secret
    lines = [",".join(repr(rng.gauss(0, 1)) for _ in names) for _ in range(_BLOCK_ROWS)]
    block = ("\n".join(lines) + "\n").encode()
    times = math.ceil(size_bytes / len(block))
    with file.open("wb") as stream:
        stream.write((",".join(names) + "\n").encode())
        for _ in range(times):
            stream.write(block)
    return times * _BLOCK_ROWS


def _run(target: Target, machine: str, job: dict[str, Any]) -> None:
    states = boto3.client(
        "stepfunctions",
        endpoint_url=target.endpoint_url,
        region_name=REGION,
        aws_access_key_id=EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps({"job": job}))["executionArn"]
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.5)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"The batch ended as {found['status']}: {found.get('cause', '')[:500]}")


def _read(target: Target, bucket: str, key: str) -> Any:
    return json.loads(target.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def _clear(target: Target, bucket: str, folder: str) -> None:
    for page in target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/"):
        for entry in page.get("Contents", []):
            target.s3.delete_object(Bucket=bucket, Key=entry["Key"])


def _draw(samples: list[Sample], scored: Scored, *, title: str, file: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    seconds = [sample.seconds for sample in samples]
    figure, (memory, count) = pyplot.subplots(
        2, sharex=True, figsize=(9, 6), height_ratios=(3, 1), layout="constrained"
    )
    for group in _groups(samples):
        sizes = [sample.memory_bytes.get(group, 0) / MB for sample in samples]
        memory.plot(seconds, sizes, label="functions together" if group == FUNCTIONS else group)
    largest = [sample.largest_function_bytes / MB for sample in samples]
    memory.plot(seconds, largest, label="largest function", linestyle="--")
    memory.set(ylabel="memory, MB", title=title, ylim=(0, None))
    memory.legend(loc="upper left", bbox_to_anchor=(1, 1))
    count.step(seconds, [sample.functions for sample in samples], label="functions", where="post")
    count.step(seconds, [sample.at_work for sample in samples], label="at work", where="post")
    count.set(xlabel="seconds", ylabel="number", ylim=(0, None))
    count.legend(loc="upper left", bbox_to_anchor=(1, 1))
    for name, place in scored.marks.items():
        for axes in (memory, count):
            axes.axvline(place, color="grey", linewidth=0.8, linestyle=":")
        memory.annotate(name, (place, 1), xycoords=("data", "axes fraction"), rotation=90, va="top", fontsize=8)
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def _groups(samples: list[Sample]) -> list[str]:
    return sorted({group for sample in samples for group in sample.memory_bytes})


def _report(target: str, samples: list[Sample], scored: Scored, picture: Path) -> Report:
    rest = [sample for sample in samples if sample.seconds < scored.marks["upload"]]
    busy = [sample for sample in samples if scored.marks["start"] <= sample.seconds <= scored.marks["end"]]
    seconds = scored.marks["end"] - scored.marks["start"]
    apart = statistics.median(after.seconds - before.seconds for before, after in itertools.pairwise(samples))
    series: dict[str, Callable[[Sample], float]] = {
        **{f"{group}, MB": _memory_of(group) for group in _groups(samples)},
        "largest function, MB": lambda sample: sample.largest_function_bytes / MB,
        "functions": lambda sample: sample.functions,
        "functions at work": lambda sample: sample.at_work,
    }
    return Report(
        title=f"Memory while {scored.size_bytes / MB:,.0f} MB of CSV are scored through {STARTED_BY[target]}",
        rows=[
            {
                "of": name,
                "before": round(max(map(value, rest), default=0)),
                "highest": round(max(map(value, busy), default=0)),
                "last": round(value(samples[-1])),
            }
            for name, value in series.items()
        ],
        notes=[
            f"{scored.rows:,} rows, {scored.parts} parts, {seconds:.1f} s from the start to the end of the execution;"
            f" upload {scored.marks['start'] - scored.marks['upload']:.1f} s before. Looked at every {apart:.1f} s.",
            "Resident memory of processes."
            if target == "embedded"
            else "Memory of containers as `docker stats` counts.",
            f"Plot: {picture}",
        ],
    )


def _memory_of(group: str) -> Callable[[Sample], float]:
    return lambda sample: sample.memory_bytes.get(group, 0) / MB
