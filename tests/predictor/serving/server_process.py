"""`serve` as a container runs it: a process of its own, asked over HTTP."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[3]
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
_STARTS_WITHIN_S = 60


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def environment(**settings: str) -> dict[str, str]:
    """A container's: nothing of Portico's is set but what is given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PORTICO_")}
    paths = os.pathsep.join([str(ROOT / "lambda_docker"), str(ROOT)])
    return {**ours, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PORTICO_MODEL_FOLDER": "/nowhere", **settings}


def start(log: IO[str], **settings: str) -> subprocess.Popen:
    """Args: log: what it writes; a pipe that nobody empties would stop it"""
    command = [sys.executable, "-m", "predictor.serving"]
    return subprocess.Popen(command, env=environment(**settings), stdout=log, stderr=subprocess.STDOUT)


class Server:
    """Answers when it has been made; `stop` ends it."""

    def __init__(self, *, workers: int = 1, **settings: str) -> None:
        self.port = _free_port()
        more = {"PORTICO_SERVE_PORT": str(self.port), "PORTICO_SERVE_WORKERS": str(workers)}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed when the server stops
        self.process = start(self._log, **more, **settings)
        ends = time.monotonic() + _STARTS_WITHIN_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > ends:
                self.process.kill()
                raise AssertionError(f"It does not serve.\n{self._read_log()}")
            time.sleep(0.05)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answered:
        """Dictionaries are sent as JSON, all else as it is."""
        if isinstance(body, dict):
            body, headers = json.dumps(body), JSON | (headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def invoke(self, body: Any, headers: dict[str, str] | None = None) -> Answered:
        return self.ask("POST", "/invocations", body, headers)

    def workers(self) -> set[int]:
        """Their process ids."""
        pid = self.process.pid
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def stop(self) -> tuple[int, str]:
        """The exit code, and all that was written."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        if not self._log.closed:
            self._written = self._read_log()
            self._log.close()
        return code, self._written

    def _read_log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/ping").status == 200
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
