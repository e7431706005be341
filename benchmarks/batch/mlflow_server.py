"""Beside MLflow's scoring server: the same model, the same CSV; MLflow over HTTP on loopback, Portico in its steps.

MLflow is installed by the benchmark into an environment of its own, with our image's scikit-learn, pandas and numpy.
"""

import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.batch.cases import CASES, Prepared
from benchmarks.batch.processes import ROOT, Processes
from benchmarks.report import Report

MLFLOW = "mlflow==3.17.2"
CACHE = Path.home() / ".cache" / "portico-benchmarks"
MB = 1_000_000

_STARTS_WITHIN_S = 120
_OF_OURS = ("scikit-learn", "pandas", "numpy")
_SAVE = """
import pickle, sys
import mlflow.sklearn
model = pickle.load(open(sys.argv[1], "rb"))
mlflow.sklearn.save_model(model, sys.argv[2], serialization_format="pickle", pyfunc_predict_fn="predict_proba")
"""
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
    python = _install(cache)
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-", dir=folder) as made:
        processes = Processes(Path(made), threads, predictor)
        prepared = processes.prepare(CASES["logreg4"], rows)
        body = Path(prepared.csv).read_bytes()
        theirs: list[float] = []
        ours: list[dict[str, Any]] = []
        with (
            _serving(python, prepared, Path(made), threads=threads) as address,
            processes.kept("Portico", prepared) as run,
        ):
            answer = _post(address, body)
            _require_equal(python, answer, prepared, Path(made))
            # The first time on either side is not counted.
            checked = run(True)
            for _ in range(rounds):
                began = time.perf_counter()
                again = _post(address, body)
                theirs.append(time.perf_counter() - began)
                ours.append(run(False))
                if again != answer or ours[-1]["digest"] != checked["digest"]:
                    raise RuntimeError("What was answered differs from one round to the next.")
    took = [run["seconds"] for run in ours]
    return Report(
        title=f"CSV of {rows:,} rows ({len(body) / MB:.1f} MB) beside MLflow's scoring server",
        rows=[
            _summarize("MLflow: POST /invocations, text/csv in, JSON out", theirs, theirs, rows, len(answer)),
            _summarize("Portico: CSV in storage in, CSV in storage out", took, theirs, rows, ours[0]["output_bytes"]),
        ],
        notes=[
            f"LogisticRegression, 4 columns; {rounds} rounds, A B A B. All probabilities equal scikit-learn's, bit for"
            " bit.",
            f"{MLFLOW}, one worker, warm, on loopback: its time has HTTP in it, and no CSV is written: it answers the"
            " probabilities alone, as JSON, and the client would still have to join them to its rows.",
            "Portico: plan, parts and finish in one process that is as warm, storage within its reach, no HTTP; it"
            " writes the input's columns with prediction, both probabilities and error behind them.",
            f"OMP_NUM_THREADS {'not set' if threads is None else threads}.",
        ],
    )


def _install(cache: Path) -> Path:
    """The interpreter of an environment that has MLflow."""
    home = cache / MLFLOW.replace("==", "-")
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "lambda_docker/requirements.txt").read_text(), re.M))
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", MLFLOW, *(f"{name}=={pins[name]}" for name in _OF_OURS)])
        (home / "complete").touch()
    return python


@contextlib.contextmanager
def _serving(python: Path, prepared: Prepared, folder: Path, *, threads: int | None) -> Iterator[str]:
    """The address of a server that answers for the model."""
    saved, log, port = folder / "mlflow-model", folder / "mlflow.log", _free_port()
    _run([str(python), "-c", _SAVE, prepared.model, str(saved)])
    command = [str(python), "-m", "mlflow", "models", "serve", "--model-uri", str(saved), "--env-manager", "local"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = _environment(python) | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)})
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603  # what was just installed
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/ping", server, log)
            yield address
        finally:
            # It starts workers of its own: they are one group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _post(address: str, body: bytes) -> bytes:
    request = urllib.request.Request(  # noqa: S310  # our own address
        f"{address}/invocations", data=body, headers={"Content-Type": "text/csv"}, method="POST"
    )
    with _opener().open(request, timeout=600) as answer:
        return bytes(answer.read())


def _opener() -> urllib.request.OpenerDirector:
    # A person's proxy is not for loopback.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _require_equal(python: Path, answer: bytes, prepared: Prepared, folder: Path) -> None:
    file = folder / "answer.json"
    file.write_bytes(answer)
    if _run([str(python), "-c", _COMPARE, str(file), prepared.answers]).strip() != "True":
        raise RuntimeError("MLflow's answers are not scikit-learn's.")


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            break
        try:
            with _opener().open(address, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"MLflow's server did not start:\n{log.read_text()[-3000:]}")


def _run(command: list[str]) -> str:
    done = subprocess.run(  # noqa: S603  # interpreters and programs of this module
        command, env=_environment(Path(command[0])), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def _environment(python: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "PYTHONPATH")}
    return {**kept, "PATH": f"{python.parent}{os.pathsep}{kept.get('PATH', '')}"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
