"""One process that holds the model and the socket, and beside it as many as are to answer calls.

They are forked off once the model is loaded, so that it is read once and lies in memory once. The first process answers
nothing: it puts a new worker in the place of one that has died, and passes on the word to stop.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from predictor import journal

STOPS = frozenset({signal.SIGTERM, signal.SIGINT})

_DEATH = frozenset({signal.SIGCHLD})
# What dies sooner than this after its start would die again at once.
_SETTLED_S = 5.0
_PAUSE_S = 1.0


class Workers:
    """Args: run: what a worker does, with STOPS blocked until it unblocks them; it returns once it was stopped."""

    def __init__(self, run: Callable[[], None], *, count: int) -> None:
        self._run = run
        self._count = count
        self._begun: dict[int, float] = {}

    def serve(self, *, stop_within_s: float) -> None:
        """Keep the workers running until this process is told to stop, and wait for them to finish what they do.

        Args: stop_within_s: when what has not ended by then is killed
        """
        # Blocked and waited for: signals arrive at one place, never between two lines. A process 1 is sent only those
        # that it has a handler for, or has blocked.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS | _DEATH)
        for _ in range(self._count):
            self._start()
        while signal.sigwait(STOPS | _DEATH) == signal.SIGCHLD:
            if not self._replace_dead():
                break
        self._stop(time.monotonic() + stop_within_s)

    def _start(self) -> None:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _become_worker(self._run)
        self._begun[pid] = time.monotonic()

    def _replace_dead(self) -> bool:
        """Whether to go on; not, if the word to stop came meanwhile."""
        for pid, status in _collect():
            lived = time.monotonic() - self._begun.pop(pid)
            journal.note("worker died", worker=pid, status=os.waitstatus_to_exitcode(status), seconds=round(lived, 1))
            if lived < _SETTLED_S and signal.sigtimedwait(STOPS, _PAUSE_S) is not None:
                return False
            self._start()
        return True

    def _stop(self, ends: float) -> None:
        for pid in self._begun:
            os.kill(pid, signal.SIGTERM)
        while self._begun:
            left = ends - time.monotonic()
            if left <= 0:
                for pid in self._begun:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                journal.note("workers killed", workers=list(self._begun))
                return
            # Also before the first wait: a death that was noted before it is not told a second time.
            for pid, _ in _collect():
                del self._begun[pid]
            if self._begun:
                signal.sigtimedwait(_DEATH, min(left, _PAUSE_S))


def _collect() -> list[tuple[int, int]]:
    """The children that have ended and were not collected yet."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status))


def _become_worker(run: Callable[[], None]) -> None:
    status = 1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _DEATH)
        for number in STOPS:
            # When the server has stopped, it raises once more what stopped it. Not SIG_IGN: it would lose a signal that
            # came already.
            signal.signal(number, lambda number, frame: None)
        run()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: it would wait for a model's thread that does not come to an end.
        os._exit(status)
