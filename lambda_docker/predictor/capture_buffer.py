"""What waits to be written, and the objects that it is written into.

Adding takes a microsecond and no network. What S3 does not take stays for the next try, up to a bound; then the oldest
goes, and the log says how many went.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from predictor import bucket, journal, signed_request
from predictor.signed_request import Connection

if TYPE_CHECKING:
    from predictor.captures import Capture

# Calls that come closer together share an object: S3 takes money for each.
FLUSH_S, FLUSH_COUNT, FLUSH_BYTES = 1.0, 100, 256 * 1024
MAX_COUNT, MAX_BYTES = 1000, 5_000_000
# After a failure: each try holds the sandbox for as long as S3 is silent.
RETRY_S = 10.0
_CONTENT_TYPE = "application/x-ndjson"


class Buffer:
    """Calls of one process, written a line each, in order. Threads may add and flush at the same time.

    clock: counts seconds and is there for tests to turn; waiting: set while there is something to write
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: deque[Capture] = deque()
        self._size_bytes = self._lost = 0
        self._lock, self._turn = threading.Lock(), threading.Lock()
        # A connection of its own: whoever waits for a model must not wait for this.
        self._connection = Connection("s3")
        self._stream, self._written = os.urandom(4).hex(), 0
        self._tried_at, self._failure = -FLUSH_S, ""
        self.waiting = threading.Event()

    def add(self, entry: "Capture") -> None:
        with self._lock:
            self._put(entry)
            while len(self._entries) > MAX_COUNT or (self._size_bytes > MAX_BYTES and len(self._entries) > 1):
                self._size_bytes -= self._entries.popleft().size_bytes
                self._lost += 1
        self.waiting.set()

    def is_due(self) -> bool:
        """Whether a flush is worth an object by now."""
        passed_s = self._clock() - self._tried_at
        if not self._entries or self._failure:
            return bool(self._entries) and passed_s >= RETRY_S
        is_full = len(self._entries) >= FLUSH_COUNT or self._size_bytes >= FLUSH_BYTES
        return is_full or passed_s >= FLUSH_S

    def flush(self, *, is_last: bool = False) -> None:
        """Write all that waits into one object. Never raises; what S3 does not take waits on, unless this `is_last`."""
        with self._turn:
            self.waiting.clear()
            with self._lock:
                entries, self._entries, self._size_bytes = self._entries, deque(), 0
            if entries:
                self._tried_at = self._clock()
                self._failure = self._write(entries)
            if self._failure and entries:
                self._put_back(entries, is_last=is_last)
            with self._lock:
                lost, self._lost = self._lost, 0
            if lost:
                journal.note("captures_lost", count=lost, reason=self._failure or "too_many")

    def close(self) -> None:
        self._connection.close()

    def _put(self, entry: "Capture") -> None:
        self._entries.append(entry)
        self._size_bytes += entry.size_bytes

    def _put_back(self, entries: "deque[Capture]", *, is_last: bool) -> None:
        with self._lock:
            if is_last:
                self._lost += len(entries)
                return
            newer, self._entries, self._size_bytes = self._entries, deque(), 0
            for entry in (*entries, *newer):
                self._put(entry)
        self.waiting.set()

    def _write(self, entries: "deque[Capture]") -> str:
        """Put the object; what went wrong, or nothing."""
        lines: list[str] = []
        for entry in entries:
            try:
                lines.append(entry.line())
            except Exception as problem:  # one that cannot be written must not keep the others
                journal.write_exception(problem, request_id="-")
                journal.note("captures_lost", count=1, reason=type(problem).__name__)
        if not lines:
            return ""
        self._written += 1
        body = "".join(f"{line}\n" for line in lines).encode()
        try:
            return self._put_object(self._key(), body)
        except Exception as problem:  # boto3's too
            return type(problem).__name__

    def _key(self) -> str:
        seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
        moment = time.strftime("%Y/%m/%d/%H%M%S", time.gmtime(seconds))
        return f"captures/{moment}.{microseconds:06d}-{self._stream}-{self._written}.jsonl"

    def _put_object(self, key: str, body: bytes) -> str:
        if not signed_request.can_reach():
            bucket.write(key, body, content_type=_CONTENT_TYPE)
            return ""
        headers = {"Content-Type": _CONTENT_TYPE}
        answer = self._connection.ask("PUT", f"/{bucket.name()}/{key}", body=body, headers=headers)
        return "" if answer.status == 200 else f"S3 answered {answer.status}"
