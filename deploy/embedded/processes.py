"""Child processes with labelled logs, stopped in order and never left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from deploy.errors import DeployError

STOP_GRACE_S = 10.0
_COLOURS = {"emulator": 35, "portal": 36, "site": 34, "history": 33}
_LABEL_WIDTH = 8


@dataclass
class Child:
    """A process in a session of its own: the terminal's Ctrl-C reaches its parent only."""

    name: str
    process: subprocess.Popen[str]
    is_quiet: bool = False
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=15))
    reader: threading.Thread | None = None

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()


class Supervisor:
    """Starts children and sees them off; a context manager that leaves nothing running.

    A quiet one keeps what its children say to itself: `last_words` has the end of it.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._children: list[Child] = []
        self._print_lock = threading.Lock()
        self._watchdog: subprocess.Popen[str] | None = None

    def __enter__(self) -> Supervisor:
        self._watchdog = subprocess.Popen(  # noqa: S603
            [sys.executable, str(Path(__file__).with_name("watchdog.py"))],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()
        if self._watchdog and self._watchdog.stdin:
            self._watchdog.stdin.close()
            self._watchdog.wait(timeout=STOP_GRACE_S)

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, is_quiet: bool = False
    ) -> Child:
        """Start `command`; unless quiet, its output appears here, each line behind the child's name."""
        process = subprocess.Popen(  # noqa: S603
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        child = Child(name, process, is_quiet or self._is_quiet)
        self._children.append(child)
        self._tell_watchdog(f"+{process.pid}")
        child.reader = threading.Thread(target=self._relay, args=(child,), daemon=True, name=f"{name}-log")
        child.reader.start()
        return child

    def run(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, is_quiet: bool = False
    ) -> str:
        """Run `command` to its end.

        Returns: its last lines of output
        Raises: DeployError: it ended with another code than 0
        """
        child = self.start(name, command, environment=environment, folder=folder, is_quiet=is_quiet)
        code = child.process.wait()
        self._forget(child)
        said = "\n".join(child.last_lines)
        if code != 0:
            reason = f"It said:\n{said}" if child.is_quiet else "What it said is above."
            raise DeployError(f"`{' '.join(command[1:])}` ended with code {code}. {reason}")
        return said

    def last_words(self) -> list[tuple[str, list[str]]]:
        """The last lines of every child that was not stopped yet, by its name."""
        return [(child.name, list(child.last_lines)) for child in self._children]

    def stop(self, child: Child) -> None:
        """Ask, wait, then force; with everything the child has started itself."""
        _signal_group(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=STOP_GRACE_S)
        self._forget(child)

    def stop_all(self) -> None:
        """Newest first: the portal before the emulator that it calls."""
        for child in reversed(list(self._children)):
            self.stop(child)

    def kill_all(self) -> None:
        for child in self._children:
            _signal_group(child, signal.SIGKILL)

    def wait_for_any(self) -> Child:
        """Block until a child ends by itself."""
        while True:
            for child in self._children:
                if child.exit_code is not None:
                    return child
            time.sleep(0.2)

    def _forget(self, child: Child) -> None:
        _signal_group(child, signal.SIGKILL)  # grandchildren that outlived it
        child.process.wait()
        if child.reader:
            child.reader.join(timeout=2)
        if child.process.stdout:
            child.process.stdout.close()
        self._children.remove(child)
        self._tell_watchdog(f"-{child.process.pid}")

    def _relay(self, child: Child) -> None:
        if child.process.stdout is None:
            return
        with contextlib.suppress(ValueError, OSError):  # closed under us while stopping
            for line in child.process.stdout:
                text = line.rstrip()
                if not text:
                    continue
                child.last_lines.append(text)
                if not child.is_quiet:
                    self._print(child.name, text)

    def _print(self, name: str, text: str) -> None:
        label = f"{name:<{_LABEL_WIDTH}} │"
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            label = f"\033[{_COLOURS.get(name, 33)}m{label}\033[0m"
        with self._print_lock:
            print(f"{label} {text}", flush=True)

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog and self._watchdog.stdin:
            with contextlib.suppress(OSError):
                self._watchdog.stdin.write(line + "\n")
                self._watchdog.stdin.flush()


def _signal_group(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)
