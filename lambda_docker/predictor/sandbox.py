"""Runs `confined` in a process of its own, and believes nothing that comes out of it beyond its shape.

The process starts with an empty environment and no open files but three pipes, so it holds no credentials; it raises
its own walls. This side keeps the clock, ends the process and whatever is in its group, and turns each way to die into
a sentence for the model's author.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from predictor import journal
from predictor.errors import Rejected
from predictor.limits import MIB, limit

_PR_SET_DUMPABLE = 4
# Starting Python and importing scikit-learn, on a busy machine.
_STARTS_WITHIN_S = 60
_ANSWER_MAX_BYTES = 5 * MIB
_SENTENCE_MAX_CHARACTERS = 1_000
# The runtime and this process live in the same memory.
_OWN_BYTES = 192 * MIB
_LEAST_BYTES = 256 * MIB
# All that Python and the numeric libraries need. One thread: the limits and the filter are for a process, and its
# measurements should be those of a function, which has one.
_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",
    "LC_ALL": "C.UTF-8",
}
_PASSED_ON = ("PORTICO_PANDAS_PATH", "PORTICO_MODEL_MAX_BYTES", "LD_LIBRARY_PATH", "TZ")
# The clock counts from when the file is there; the libraries' import is not the model's fault.
_CPU_SECONDS_MORE = 20
_START = "import sys; sys.path[:0] = sys.argv[4:]; from predictor.confined import main; main(*map(int, sys.argv[1:4]))"

_WAYS_TO_DIE = {
    signal.SIGKILL: "was stopped by the system, most likely for want of memory. Train a smaller model.",
    signal.SIGXCPU: "took too long. Train a smaller or faster model.",
    signal.SIGSYS: "made a system call that no model needs. Save the model again from a clean environment.",
}
_CRASHED = (
    "crashed Python itself. The file is damaged, or needs more memory or other versions of its libraries than "
    "there are here. Save the model again with the versions named in this portal."
)


@dataclass(frozen=True, slots=True)
class Examined:
    """What came back: an unchecked manifest, unchecked tables, and the walls that stood before the model was there."""

    manifest: Any
    tables: Any
    walls: list[str]


@dataclass
class Sandbox:
    """A running process within walls. Feed it the file, then let it examine."""

    _process: subprocess.Popen[bytes]
    _answers: int
    _seconds: int
    _walls: list[str] | None = None
    _received: bytearray = field(default_factory=bytearray)
    _is_late: bool = False

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the file, which nobody looks at before `examine`."""
        self._wait_for_walls()
        if chunk:
            self._write(len(chunk).to_bytes(4, "big") + chunk)

    def examine(self, job: Mapping[str, Any]) -> Examined:
        """Load what was fed, describe it and try it. Raises: Rejected."""
        walls = self._wait_for_walls()
        self._write(bytes(4) + json.dumps(job).encode() + b"\n")
        self._receive(until_line=False, ends=time.monotonic() + self._seconds)
        stage, last = self._read_messages()
        if "manifest" in last:
            return Examined(manifest=last["manifest"], tables=last.get("compiled"), walls=walls)
        raise self._explain(stage, last)

    def _wait_for_walls(self) -> list[str]:
        """The walls' names, once the process has raised them and imported its libraries."""
        if self._walls is None:
            self._receive(until_line=True, ends=time.monotonic() + _STARTS_WITHIN_S)
            self._walls = self._read_walls()
        return self._walls

    def _write(self, content: bytes) -> None:
        try:
            assert self._process.stdin is not None  # noqa: S101  # for the type checker
            self._process.stdin.write(content)
            self._process.stdin.flush()
        except OSError:
            raise RuntimeError(f"The sandbox ended with {self._process.wait(5)} before it got a model.") from None

    def _receive(self, *, until_line: bool, ends: float) -> None:
        """Read until a line is complete, or to the end; stop the process when the time is over or it says too much."""
        while len(self._received) <= _ANSWER_MAX_BYTES and not (until_line and b"\n" in self._received):
            left = ends - time.monotonic()
            if left <= 0:
                self._is_late = True
                stop(self._process)
                return
            # A process that has ended cannot say more, though another one may still hold its pipe.
            has_ended = self._process.poll() is not None
            if not select.select([self._answers], [], [], 0.0 if has_ended else min(left, 0.2))[0]:
                if has_ended:
                    return
                continue
            chunk = os.read(self._answers, 64 * 1024)
            if not chunk:
                return
            self._received += chunk

    def _read_walls(self) -> list[str]:
        line, _, rest = bytes(self._received).partition(b"\n")
        try:
            # Nothing unknown has run so far.
            walls = json.loads(line)["walls"]
        except (ValueError, KeyError, TypeError):
            stop(self._process)
            raise RuntimeError(f"The sandbox did not start; it ended with {self._process.wait()}.") from None
        self._received = bytearray(rest)
        return list(walls)

    def _read_messages(self) -> tuple[str, dict[str, Any]]:
        """The last stage that was announced, and the last message."""
        stage, last = "loading", {}
        for line in bytes(self._received).splitlines():
            try:
                message = json.loads(line, parse_constant=_refuse_constant)
            except (ValueError, RecursionError):
                return stage, {}
            last = message if isinstance(message, dict) else {}
            if isinstance(last.get("stage"), str):
                stage = last["stage"][:60]
        return stage, last

    def _explain(self, stage: str, last: Mapping[str, Any]) -> Rejected:
        if isinstance(last.get("rejected"), str):
            return Rejected(last["rejected"][:_SENTENCE_MAX_CHARACTERS])
        if self._is_late:
            return Rejected(
                f"Loading the model and trying it out took longer than {self._seconds} seconds; "
                f"it was stopped while {stage}. Train a smaller or faster one."
            )
        if len(self._received) > _ANSWER_MAX_BYTES:
            return Rejected("The model's description is too long: it has too many features, classes or choices.")
        if "failed" in last:
            # Written through repr(): it comes from the model's process.
            journal.note("sandbox.failed", said=repr(last["failed"])[:4_000])
            return Rejected(
                f"The check stopped while {stage}: the model raised an error that nothing could catch. "
                "Save the fitted model again, and try to load it and predict with it in a new Python process."
            )
        code = self._end()
        if code < 0:
            way = _WAYS_TO_DIE.get(signal.Signals(-code), _CRASHED)
            return Rejected(f"The model was being checked ({stage}), and {way}")
        return Rejected(
            f"The model ended the check by itself while {stage}, without an answer. "
            "Save the fitted model alone, from a program that you trust."
        )

    def _end(self) -> int:
        """The exit code. A process that has closed its pipe and lives on is stopped."""
        try:
            return self._process.wait(1)
        except subprocess.TimeoutExpired:
            stop(self._process)
            self._process.wait()
            return 0


@contextlib.contextmanager
def start(*, seconds: int) -> Iterator[Sandbox]:
    """Start a process that imports its libraries while the file is fetched; it is gone when the block ends."""
    _hide_from_children()
    answers, told = os.pipe()
    try:
        process = _start_process(told, seconds)
    finally:
        os.close(told)
    try:
        yield Sandbox(process, answers, seconds)
    finally:
        stop(process)
        os.close(answers)
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        process.wait()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and all in its group, whatever they do."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _start_process(told: int, seconds: int) -> subprocess.Popen[bytes]:
    numbers = told, seconds + _CPU_SECONDS_MORE, memory_limit_bytes()
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        # -I: neither the environment nor the current folder adds modules. -B: nothing could be written.
        [sys.executable, "-I", "-B", "-c", _START, *map(str, numbers), *_code_folders()],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(told,),
        cwd="/",
        env={**_SETTINGS, **{name: os.environ[name] for name in _PASSED_ON if name in os.environ}},
        start_new_session=True,
    )


def memory_limit_bytes() -> int:
    """What the model may take: the function's memory less what this process and the runtime need."""
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    whole = int(megabytes) * MIB if megabytes.isdigit() and int(megabytes) > 0 else limit("PORTICO_VERIFY_MEMORY_BYTES")
    return max(whole - _OWN_BYTES, _LEAST_BYTES)


def _code_folders() -> list[str]:
    """The folders of this package and of scikit-learn, in that order; Python adds its own."""
    found = importlib.util.find_spec("sklearn")
    installed = [Path(found.origin).parents[1]] if found is not None and found.origin else []
    return list(dict.fromkeys(str(folder) for folder in (Path(__file__).resolve().parents[1], *installed)))


def _hide_from_children() -> None:
    """Let no process of the same user read this one's environment, where the credentials are, or its memory."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
