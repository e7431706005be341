"""What a gigabyte, a hundred and a thousand take on AWS: steps measured here, the rest computed, AWS's limits."""

import json
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.batch import limits, quotas, simulation
from benchmarks.batch.cases import CASES
from benchmarks.batch.processes import ROOT, Processes
from benchmarks.report import Report
from deploy.costs.batches import Cloud, Line, Steps, cost_batch, plan_batch
from deploy.costs.measured import read_steps
from deploy.costs.prices import read_prices

MB, GB = 10**6, 10**9
SIZES = (GB, 100 * GB, 1_000 * GB)
CONCURRENCIES = (10, 100, 1_000)
PART_SIZES = (8 * quotas.MIB, 32 * quotas.MIB)


def measure(
    *,
    rows: int = 2_000_000,
    rounds: int = 3,
    threads: int | None = 1,
    steps_file: Path | None = None,
    folder: Path | None = None,
    predictor: Path = ROOT / "lambda_docker",
) -> Report:
    """A gigabyte, a hundred and a terabyte on AWS, computed from steps measured here.

    Args:   steps_file: what was measured earlier, or where it is to be written
    Raises: RuntimeError: an output is not what scikit-learn says
    """
    if steps_file is not None and steps_file.exists():
        steps = read_steps(steps_file.read_text("utf-8"))
        source = f"Steps: as measured earlier, {steps_file.name}."
    else:
        steps = _measure_steps(rows, rounds, threads=threads, folder=folder, predictor=predictor)
        source = (
            f"Steps: {rounds} rounds over {rows:,} rows, LogisticRegression, 4 columns, OMP_NUM_THREADS {threads},"
            " parts of 8 and of 32 MiB; medians of warm invokes."
        )
        if steps_file is not None:
            steps_file.write_text(json.dumps(asdict(steps), indent=1) + "\n", "utf-8")
    cloud = Cloud()
    return Report(
        title="Batches on AWS, computed from measured steps",
        rows=[row for size in SIZES for row in _simulate(size, steps, cloud)],
        notes=[source, *_explain(steps, cloud)],
        parts=[limits.compare(SIZES, steps, cloud)],
    )


def _measure_steps(rows: int, rounds: int, *, threads: int | None, folder: Path | None, predictor: Path) -> Steps:
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-", dir=folder) as made:
        processes = Processes(Path(made), threads, predictor)
        prepared = processes.prepare(CASES["logreg4"], rows)
        size = Path(prepared.csv).stat().st_size
        runs: dict[int, list[dict[str, Any]]] = {part_bytes: [] for part_bytes in PART_SIZES}
        for number in range(rounds):
            for part_bytes, taken in runs.items():
                taken.append(processes.run("Portico", prepared, check=number == 0, part_bytes=part_bytes))
    small, large = (_describe(runs[part_bytes]) for part_bytes in PART_SIZES)
    every = [*runs[PART_SIZES[0]], *runs[PART_SIZES[1]]]
    plan_s = statistics.median(step["seconds"] for step in _steps(every, "plan"))
    plan, part, finish = (_steps(runs[PART_SIZES[0]], name)[-1] for name in ("plan", "part", "finish"))
    return Steps(
        plan_bytes_per_s=size / plan_s,
        part_s=Line.through((small["bytes"], small["part_s"]), (large["bytes"], large["part_s"])),
        part_peak_bytes=Line.through((small["bytes"], small["peak"]), (large["bytes"], large["peak"])),
        finish_s=Line.through((large["parts"], large["finish_s"]), (small["parts"], small["finish_s"])),
        output_share=every[0]["output_bytes"] / size,
        cold_s=statistics.median(run["ready_seconds"] for run in every),
        plan_requests=(plan["gets"], plan["puts"]),
        part_requests=(part["gets"], part["puts"]),
        finish_requests=(finish["gets"] - small["parts"], finish["puts"]),
    )


def _describe(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over warm, whole parts: all but the first, which meets cold caches, and the last, which is smaller."""
    whole = [step for run in runs for step in _steps([run], "part")[1:-1]]
    if not whole:
        raise RuntimeError("The file has too few parts to measure. Ask for more --rows.")
    return {
        "bytes": statistics.median(step["input_bytes"] for step in whole),
        "part_s": statistics.median(step["seconds"] for step in whole),
        "peak": max(step["peak_bytes"] for step in whole) + statistics.median(run["base_bytes"] for run in runs),
        "parts": len(_steps(runs[:1], "part")),
        "finish_s": statistics.median(step["seconds"] for step in _steps(runs, "finish")),
    }


def _steps(runs: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [step for run in runs for step in run["steps"] if step["name"] == name]


def _simulate(size_bytes: int, steps: Steps, cloud: Cloud) -> Iterator[dict[str, Any]]:
    batch = plan_batch(size_bytes, steps, cloud)
    for concurrency in CONCURRENCIES:
        run = simulation.run_parts(batch.parts, part_s=batch.part_s, cold_s=steps.cold_s, concurrency=concurrency)
        dollars = cost_batch(
            batch,
            cold_starts=run.environments,
            cold_s=steps.cold_s,
            memory_mb=cloud.memory_mb,
            prices=read_prices("us-east-1"),
        )
        yield {
            "GB": round(size_bytes / GB),
            "parts": batch.parts,
            "MB each": round(batch.part_bytes / MB, 1),
            "at a time": concurrency,
            "plan s": round(batch.plan_s),
            "a part s": round(batch.part_s, 2),
            "finish s": round(batch.finish_s),
            "wall": _clock(steps.cold_s + batch.plan_s + run.wall_s + batch.finish_s),
            "GB-s": round(batch.gb_s + run.environments * steps.cold_s * cloud.memory_mb / 1024),
            "transitions": batch.transitions,
            "Lambda $": round(dollars["Lambda"], 3),
            "Step Functions $": round(dollars["Step Functions"], 3),
            "S3 $": round(dollars["S3"], 3),
            "all $": round(dollars["all"], 2),
            "possible": "yes" if max(batch.part_s, batch.finish_s) <= quotas.TIMEOUT_S else "NO",
        }


def _explain(steps: Steps, cloud: Cloud) -> list[str]:
    network = cloud.network
    return [
        f"Measured without a network: plan reads {steps.plan_bytes_per_s / MB:,.0f} MB/s. A part takes"
        f" {steps.part_s.fixed * 1000:,.0f} ms and {steps.part_s.each * MB * 1000:,.1f} ms a MB of input; a process"
        f" with a part {steps.part_peak_bytes.fixed / MB:,.0f} MB of memory and {steps.part_peak_bytes.each:,.1f} bytes"
        f" a byte of input; {steps.output_share:,.2f} bytes of output come of a byte of input. Finish takes"
        f" {steps.finish_s.each * 1000:,.2f} ms a part, a cold start {steps.cold_s:,.2f} s. Requests (GET, PUT): plan"
        f" {steps.plan_requests}, a part {steps.part_requests}, finish {steps.finish_requests} and a GET a part.",
        f"Assumed: {network.request_s * 1000:.0f} ms a request and {network.bytes_per_s / MB:.0f} MB/s on the one"
        " connection that a step has (S3 Best practices design patterns); a function's processor as fast as this one;"
        f" {cloud.memory_mb:,} MB, one vCPU; a cold start without what AWS does before the process starts.",
        "Prices of November 2026, us-east-1, without free tiers: AWS Lambda Pricing (x86), AWS Step Functions Pricing"
        " (Standard), Amazon S3 Pricing (requests; what lies there costs more each month than it cost to score).",
        "Parts have 16 MiB, and where these would be more than 9,000 as much more as is needed: S3 takes 10,000. A plan"
        " that takes longer than 600 s is gone on with in a further invoke; plan s is all of them together. possible:"
        " no other step is over Lambda's 900 s.",
    ]


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
