"""CSV to CSV beside the original handler: interleaved rounds, fresh processes, equal outputs or no figures."""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.batch.cases import CASES, Case
from benchmarks.batch.processes import ROOT, Processes
from benchmarks.report import Report

MB = 1_000_000
ORIGINAL, OURS, LIMIT = "original", "Portico", "polars"


def measure(
    *,
    rows: int = 1_000_000,
    rounds: int = 7,
    models: Sequence[str] = (),
    threads: int | None = None,
    limit: bool = True,
    is_last_digit_free: bool = False,
    folder: Path | None = None,
    predictor: Path = ROOT / "lambda_docker",
) -> Report:
    """CSV to CSV beside the original handler, in time and memory.

    Args:   is_last_digit_free: whether probabilities may be in their last digit others than scikit-learn's
    Raises: RuntimeError: an output is not what scikit-learn says, or not the same in every round
    """
    variants = [ORIGINAL, OURS, *([LIMIT] if limit else [])]
    table, notes, threads_used = [], [], set()
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-", dir=folder) as made:
        processes = Processes(Path(made), threads, predictor)
        for name in models or CASES:
            prepared = processes.prepare(CASES[name], rows)
            found: dict[str, list[dict[str, Any]]] = {variant: [] for variant in variants}
            for number in range(rounds):
                for variant, runs in found.items():
                    run = processes.run(variant, prepared, check=number == 0, is_last_digit_free=is_last_digit_free)
                    runs.append(run)
            _require_stable(found)
            table += [_summarize(CASES[name], variant, runs, found[ORIGINAL], rows) for variant, runs in found.items()]
            notes.append(
                f"{CASES[name].title}: {prepared.says}; input {Path(prepared.csv).stat().st_size / MB:.0f} MB."
            )
            threads_used |= {runs[0]["threads"] for runs in found.values()}
    return Report(
        title=f"CSV to CSV, {rows:,} rows, from bytes in storage to bytes in storage in one process",
        rows=table,
        notes=[*notes, *_conditions(rounds, threads, threads_used)],
    )


def _conditions(rounds: int, threads: int | None, used: set[str]) -> list[str]:
    return [
        f"{rounds} rounds, interleaved, a fresh process for each run. Imports and the model's loading are not counted.",
        f"OMP_NUM_THREADS {'not set' if threads is None else threads}; threads in use: {'; '.join(sorted(used))}.",
        "Storage is files within the process's reach, the same for all variants: there is no network in it. MB are"
        " millions of bytes; peak MB is what the process took above what it had with the model loaded.",
        "All outputs equal scikit-learn's answers to the whole table, bit for bit but for the probabilities that are"
        " counted as other last digits.",
        "The original adds one column and keeps only the model's; Portico keeps all and adds prediction, both"
        " probabilities and error; polars adds one, holds everything at once, and is there as a limit.",
        "x original: the median of the rounds' own ratios.",
    ]


def _summarize(
    case: Case, variant: str, runs: list[dict[str, Any]], original: list[dict[str, Any]], rows: int
) -> dict[str, Any]:
    seconds = [run["seconds"] for run in runs]
    ratios = [base["seconds"] / run["seconds"] for base, run in zip(original, runs, strict=True)]
    return {
        "model": case.name,
        "variant": variant,
        "median s": round(statistics.median(seconds), 3),
        "min": round(min(seconds), 3),
        "max": round(max(seconds), 3),
        "x original": round(statistics.median(ratios), 2),
        "rows/s": round(rows / statistics.median(seconds)),
        "CPU s": round(statistics.median(run["cpu_seconds"] for run in runs), 2),
        "peak MB": round(statistics.median(run["peak_bytes"] for run in runs) / MB),
        "with model MB": round(statistics.median(run["base_bytes"] for run in runs) / MB),
        "output MB": round(runs[0]["output_bytes"] / MB),
        "columns added": runs[0]["columns"],
        "other last digits": runs[0]["last_digits"],
    }


def _require_stable(found: dict[str, list[dict[str, Any]]]) -> None:
    for variant, runs in found.items():
        if len({run["digest"] for run in runs}) != 1:
            raise RuntimeError(f"{variant} wrote different files in different rounds.")
