"""What a container prints: split into lines, shown as it comes, kept for the log of the invocation."""

import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable

# The emulator's own diary on stderr: worth reading only when a container does not start.
DIARY = re.compile(r"\d\d \w{3} \d{4} [\d:,]+ \[\w+\] \(rapid\) ")
LAST_LINES = 20

Chunk = tuple[bytes | None, bytes | None]


class Output:
    """Reads a container's standard output and error in a thread of its own, until the container ends."""

    def __init__(self, chunks: Iterable[Chunk], *, prefix: str, write: Callable[[str], object] = sys.stdout.write):
        self._prefix, self._write = prefix, write
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._reported: set[str] = set()
        self.ended = threading.Event()
        threading.Thread(target=self._read, args=(chunks,), name=f"output-{prefix}", daemon=True).start()

    def take(self, request_id: str, *, timeout_s: float) -> list[str]:
        """The lines since the last call, up to the report of this request if it comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: request_id in self._reported or self.ended.is_set(), timeout_s)
            lines, self._lines = self._lines, []
            self._reported.discard(request_id)
            return lines

    def last_lines(self) -> str:
        with self._changed:
            return "\n".join(self._last)

    def _read(self, chunks: Iterable[Chunk]) -> None:
        rest = [b"", b""]
        try:
            for chunk in chunks:
                for stream, piece in enumerate(chunk):
                    if piece:
                        *whole, rest[stream] = (rest[stream] + piece).split(b"\n")
                        self._add(whole)
        except OSError:
            # The connection to Docker broke off. The container may live, but nobody hears it: treat it as ended.
            pass
        finally:
            self._add([piece for piece in rest if piece])
            with self._changed:
                self.ended.set()
                self._changed.notify_all()

    def _add(self, raw_lines: list[bytes]) -> None:
        lines = [line for raw in raw_lines if (line := raw.decode(errors="replace").rstrip())]
        shown = [line for line in lines if not DIARY.match(line)]
        with self._changed:
            self._last.extend(lines)
            self._lines.extend(shown)
            self._reported.update(line.split()[2] for line in shown if line.startswith("REPORT RequestId: "))
            self._changed.notify_all()
        if shown:
            self._write("".join(f"{self._prefix} | {line}\n" for line in shown))
