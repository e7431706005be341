"""The servers that are asked over HTTP: Portico's `serve`, MLflow's scoring server, BentoML's. One worker each."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.batch.processes import ROOT
from benchmarks.peers.environments import CACHE, environment_of, install, run

PORTICO, MLFLOW, BENTOML = "Portico", "MLflow", "BentoML"
SERVERS = (PORTICO, MLFLOW, BENTOML)

# Importing what they import takes a while on a machine that does other things, too.
_STARTS_WITHIN_S = 180
_SAVE = """
import pickle, sys
import mlflow.sklearn
model = pickle.load(open(sys.argv[1], "rb"))
mlflow.sklearn.save_model(model, sys.argv[2], serialization_format="pickle", pyfunc_predict_fn="predict_proba")
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers. write: one row → a request's body; read: an answer's body → the row's probabilities"""

    name: str
    port: int
    path: str
    write: Callable[[Row], bytes]
    read: Callable[[bytes], list[float]]


@contextlib.contextmanager
def serving(
    name: str, model: Any, columns: Sequence[str], *, folder: Path, threads: int | None = None, cache: Path = CACHE
) -> Iterator[Served]:
    """A running server of that name, which answers for the model.

    Args:   columns: the model's, in their order; folder: for what it needs; threads: OMP_NUM_THREADS; cache: of peers
    Raises: RuntimeError: it cannot be installed, or does not start
    """
    home = folder / name.lower()
    home.mkdir()
    (home / "model.pkl").write_bytes(pickle.dumps(model))
    (home / "columns.json").write_text(json.dumps(list(columns)), "utf-8")
    start = {PORTICO: _start_portico, MLFLOW: _start_mlflow, BENTOML: _start_bentoml}[name]
    with start(home, list(columns), threads, cache) as served:
        yield served


def ask(served: Served, row: Row) -> list[float]:
    """The row's probabilities, over a connection of its own."""
    return served.read(post(f"http://127.0.0.1:{served.port}{served.path}", served.write(row)))


def post(address: str, body: bytes, content_type: str = "application/json") -> bytes:
    request = urllib.request.Request(  # noqa: S310  # our own address
        address, data=body, headers={"Content-Type": content_type}, method="POST"
    )
    with _opener().open(request, timeout=600) as answer:
        return bytes(answer.read())


@contextlib.contextmanager
def mlflow_server(python: Path, model_file: Path, *, folder: Path, threads: int | None = None) -> Iterator[str]:
    """The address of MLflow's own server for a pickled model, saved so that it answers probabilities."""
    saved, port = folder / "mlflow-model", free_port()
    run([str(python), "-c", _SAVE, str(model_file), str(saved)], python=python)
    command = [str(python), "-m", "mlflow", "models", "serve", "--model-uri", str(saved), "--env-manager", "local"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with _process(command, environment_of(python, threads=threads), port=port, ping="/ping", folder=folder):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _start_portico(home: Path, columns: list[str], threads: int | None, cache: Path) -> Iterator[Served]:
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTICO_")}
    settings = {
        "PYTHONPATH": str(ROOT / "lambda_docker"),
        "PORTICO_MODEL_FILE": str(home / "model.pkl"),
        "PORTICO_SERVE_PORT": str(port),
        "PORTICO_SERVE_WORKERS": "1",
    }
    command = [sys.executable, "-m", "predictor.serving"]
    with _process(command, inherited | settings, port=port, ping="/ping", folder=home):
        wish = {"params": {"predict_method": "predict_proba"}}
        yield Served(PORTICO, port, "/invocations", _split(columns, wish), _read_predictions)


@contextlib.contextmanager
def _start_mlflow(home: Path, columns: list[str], threads: int | None, cache: Path) -> Iterator[Served]:
    python = install("mlflow", cache=cache)
    with mlflow_server(python, home / "model.pkl", folder=home, threads=threads) as address:
        port = int(address.rpartition(":")[2])
        yield Served(MLFLOW, port, "/invocations", _split(columns, {}), _read_predictions)


@contextlib.contextmanager
def _start_bentoml(home: Path, columns: list[str], threads: int | None, cache: Path) -> Iterator[Served]:
    python, port = install("bentoml", cache=cache), free_port()
    shutil.copy(Path(__file__).with_name("service.py"), home)
    command = [str(python), "-m", "bentoml", "serve", "service:Model", "--host", "127.0.0.1", "--port", str(port)]
    environment = environment_of(python, threads=threads, home=home / "bentoml")
    with _process(command, environment, port=port, ping="/readyz", folder=home):
        yield Served(
            BENTOML,
            port,
            "/predict",
            lambda row: json.dumps({"rows": [[row[name] for name in columns]]}).encode(),
            lambda body: list(json.loads(body)[0]),
        )


def _split(columns: list[str], wish: Mapping[str, Any]) -> Callable[[Row], bytes]:
    def write(row: Row) -> bytes:
        data = [[row[name] for name in columns]]
        return json.dumps({"dataframe_split": {"columns": columns, "data": data}, **wish}).encode()

    return write


def _read_predictions(body: bytes) -> list[float]:
    return list(json.loads(body)["predictions"][0])


@contextlib.contextmanager
def _process(
    command: list[str], environment: Mapping[str, str], *, port: int, ping: str, folder: Path
) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603  # programs of this package
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}{ping}", server, log)
            yield
        finally:
            # They start workers of their own: those are one group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < ends and server.poll() is None:
        try:
            with _opener().open(address, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{address} does not answer:\n{log.read_text('utf-8', 'replace')[-3000:]}")


def _opener() -> urllib.request.OpenerDirector:
    # A person's proxy is not for loopback.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
