"""Beside MLflow's scoring server: the same model, the same CSV; MLflow over HTTP on loopback, Portico in its steps.

MLflow is installed by the benchmark into an environment of its own, with our image's scikit-learn, pandas and numpy.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.batch.cases import CASES, Prepared
from benchmarks.batch.processes import ROOT, Processes
from benchmarks.peers.environments import CACHE, install, run, version_of
from benchmarks.peers.servers import mlflow_server, post
from benchmarks.report import Report

MB = 1_000_000

_COMPARE = """
import json, sys
import numpy as np
answers = json.load(open(sys.argv[1]))["predictions"]
print(bool(np.array_equal(np.asarray(answers), np.load(sys.argv[2]))))
"""


def measure(
    *,
    rows: int = 100_000,
    rounds: int = 7,
    threads: int | None = None,
    cache: Path = CACHE,
    folder: Path | None = None,
    predictor: Path = ROOT / "lambda_docker",
) -> Report:
    """CSV beside MLflow's scoring server, which is installed on the first run.

    Raises: RuntimeError: an answer is not what scikit-learn says; MLflow cannot be installed or does not start
    """
    python = install("mlflow", cache=cache)
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-", dir=folder) as made:
        processes = Processes(Path(made), threads, predictor)
        prepared = processes.prepare(CASES["logreg4"], rows)
        body = Path(prepared.csv).read_bytes()
        theirs: list[float] = []
        ours: list[dict[str, Any]] = []
        with (
            mlflow_server(python, Path(prepared.model), folder=Path(made), threads=threads) as address,
            processes.kept("Portico", prepared) as score,
        ):
            answer = post(f"{address}/invocations", body, "text/csv")
            _require_equal(python, answer, prepared, Path(made))
            # The first time on either side is not counted.
            checked = score(True)
            for _ in range(rounds):
                began = time.perf_counter()
                again = post(f"{address}/invocations", body, "text/csv")
                theirs.append(time.perf_counter() - began)
                ours.append(score(False))
                if again != answer or ours[-1]["digest"] != checked["digest"]:
                    raise RuntimeError("What was answered differs from one round to the next.")
    took = [scored["seconds"] for scored in ours]
    return Report(
        title=f"CSV of {rows:,} rows ({len(body) / MB:.1f} MB) beside MLflow's scoring server",
        rows=[
            _summarize("MLflow: POST /invocations, text/csv in, JSON out", theirs, theirs, rows, len(answer)),
            _summarize("Portico: CSV in storage in, CSV in storage out", took, theirs, rows, ours[0]["output_bytes"]),
        ],
        notes=[
            f"LogisticRegression, 4 columns; {rounds} rounds, A B A B. All probabilities equal scikit-learn's, bit for"
            " bit.",
            f"{version_of('mlflow')}, one worker, warm, on loopback: its time has HTTP in it, and no CSV is written: it"
            " answers the probabilities alone, as JSON, and the client would still have to join them to its rows.",
            "Portico: plan, parts and finish in one process that is as warm, storage within its reach, no HTTP; it"
            " writes the input's columns with prediction, both probabilities and error behind them.",
            f"OMP_NUM_THREADS {'not set' if threads is None else threads}.",
        ],
    )


def _require_equal(python: Path, answer: bytes, prepared: Prepared, folder: Path) -> None:
    file = folder / "answer.json"
    file.write_bytes(answer)
    if run([str(python), "-c", _COMPARE, str(file), prepared.answers], python=python).strip() != "True":
        raise RuntimeError("MLflow's answers are not scikit-learn's.")


def _summarize(name: str, seconds: list[float], base: list[float], rows: int, output_bytes: int) -> dict[str, Any]:
    ratios = [theirs / own for theirs, own in zip(base, seconds, strict=True)]
    return {
        "variant": name,
        "median s": round(statistics.median(seconds), 3),
        "min": round(min(seconds), 3),
        "max": round(max(seconds), 3),
        "x MLflow": round(statistics.median(ratios), 2),
        "rows/s": round(rows / statistics.median(seconds)),
        "output MB": round(output_bytes / MB, 1),
    }
