"""Has a model's work done on one of a few threads, within a time.

A worker process has SEATS threads. Who finds them taken waits; too many are sent away.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from predictor.serving.calls import Answer, Refusal

# Model work holds Python's lock for much of its time, so more threads would only share it. More than one: a call of
# one row must not wait for a call of many.
SEATS = 4
WAITING_AT_MOST = 64

_RETRY = {"Retry-After": "5"}


class NeedsThread(Exception):
    """This takes its time, and was asked for on the event loop: it is to be done once more by `Pace.run`."""


def is_on_event_loop() -> bool:
    """Whether all other calls of this process wait for what is done here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Pace:
    """One process's. Args: seconds: how long a call may take, with the time that it waits."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(SEATS, thread_name_prefix="model")
        self._open = 0
        self._overdue = 0

    @property
    def is_stuck(self) -> bool:
        """Whether every seat is taken by work that nobody waits for any longer: only a new process helps."""
        return self._overdue >= SEATS

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """What `work()` returns. Raises: Refusal: too many wait (503), or it takes too long; whatever it raises."""
        if self._open >= SEATS + WAITING_AT_MOST:
            raise Refusal(503, "Too many calls are waiting here. Try again in some seconds.", _RETRY)
        future = asyncio.wrap_future(given := self._threads.submit(work))
        self._open += 1
        future.add_done_callback(self._close)
        done, _ = await asyncio.wait({future}, timeout=self._seconds)
        if done:
            return future.result()
        if given.cancel():
            raise Refusal(503, f"The calls before this one took more than {self._seconds:g} s.", _RETRY)
        # A thread cannot be stopped: it keeps its seat until it ends by itself.
        self._overdue += 1
        future.add_done_callback(self._note_end)
        raise Refusal(504, f"The model has not answered within {self._seconds:g} s. Send fewer rows in one call.")

    def _close(self, future: "asyncio.Future[Answer]") -> None:
        self._open -= 1

    def _note_end(self, future: "asyncio.Future[Answer]") -> None:
        self._overdue -= 1
        # Whatever it raised, nobody waits for it; asyncio would complain that nobody looked.
        if not future.cancelled():
            future.exception()
