"""Peak memory of each step, on a small file and on one that is many times as large: what has to be flat."""

import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.batch.cases import CASES, Prepared
from benchmarks.batch.processes import ROOT, Processes
from benchmarks.report import Report

MB = 1_000_000
STEPS = ("plan", "part", "finish")


def measure(
    *,
    rows: int = 1_000_000,
    large_mb: int = 6_000,
    threads: int | None = None,
    folder: Path | None = None,
    predictor: Path = ROOT / "lambda_docker",
) -> Report:
    """Peak memory of a batch's steps, on a small file and a large one.

    The large file is the small one's rows over and over, its output has to be the small one's over and over.
    Raises: RuntimeError: it is not, or the small one's is not what scikit-learn says
    """
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-", dir=folder) as made:
        processes = Processes(Path(made), threads, predictor)
        small = processes.prepare(CASES["logreg4"], rows)
        large = _repeat(small, large_mb * MB)
        taken = [_run(processes, small, check=True), _run(processes, large, check=False)]
        _require_repeated(*taken)
    return Report(
        title="Memory of a batch's steps, all of them one after the other in one process",
        rows=[row for run in taken for row in _summarize(run)],
        notes=[
            f"LogisticRegression, 4 columns. OMP_NUM_THREADS {'not set' if threads is None else threads}."
            f" With the model loaded the process has {taken[1]['base_bytes'] / MB:.0f} MB; peaks are above that.",
            "MB are millions of bytes. The small output equals scikit-learn's answers bit for bit, and the large one"
            " is the same rows over and over.",
        ],
    )


def _repeat(small: Prepared, size_bytes: int) -> Prepared:
    header, newline, rows = Path(small.csv).read_bytes().partition(b"\n")
    times = max(1, round(size_bytes / len(rows)))
    file = Path(small.csv).with_name(f"{times}-times.csv")
    with file.open("wb") as stream:
        stream.write(header + newline)
        for _ in range(times):
            stream.write(rows)
    return replace(small, csv=str(file), rows=small.rows * times)


def _run(processes: Processes, prepared: Prepared, *, check: bool) -> dict[str, Any]:
    keep = Path(tempfile.mkdtemp(prefix="kept-", dir=processes.folder))
    size = Path(prepared.csv).stat().st_size
    return {
        **processes.run("Portico", prepared, check=check, keep=keep),
        "input_bytes": size,
        "rows": prepared.rows,
    }


def _require_repeated(small: dict[str, Any], large: dict[str, Any]) -> None:
    header, newline, rows = b"".join(Path(file).read_bytes() for file in small["files"]).partition(b"\n")
    seen, expected = 0, memoryview(rows)
    for chunk in _rows_of(large["files"], skip=len(header + newline)):
        while chunk:
            start = seen % len(rows)
            piece = expected[start : start + len(chunk)]
            if chunk[: len(piece)] != piece:
                raise RuntimeError(f"The large file's output is another one near byte {seen:,}.")
            seen, chunk = seen + len(piece), chunk[len(piece) :]
    if seen != large["rows"] // small["rows"] * len(rows):
        raise RuntimeError("The large file's output has another size than the small one's over and over.")


def _rows_of(files: list[str], *, skip: int) -> Iterator[memoryview]:
    for file in files:
        with Path(file).open("rb") as stream:
            stream.seek(skip)
            skip = 0
            while chunk := stream.read(1 << 24):
                yield memoryview(chunk)


def _summarize(run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in STEPS:
        steps = [step for step in run["steps"] if step["name"] == name]
        yield {
            "input MB": round(run["input_bytes"] / MB),
            "rows": run["rows"],
            "step": name,
            "invokes": len(steps),
            "median s": round(statistics.median(step["seconds"] for step in steps), 2),
            "all s": round(sum(step["seconds"] for step in steps), 1),
            "median peak MB": round(statistics.median(step["peak_bytes"] for step in steps) / MB),
            "highest peak MB": round(max(step["peak_bytes"] for step in steps) / MB),
        }
