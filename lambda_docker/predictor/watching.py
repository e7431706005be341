"""What a model does beside calculating: files, connections and programs that it asks Python for.

Told by Python's audit events, whether or not a wall then refuses the thing. What compiled code does by itself is not
seen here; the walls stand there as well.
"""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

# The beginning of an event's name → what that is in words. "open" alone is looked at more closely.
_KINDS = {
    "socket.": "opens network connections",
    "urllib.": "opens network connections",
    "subprocess.": "starts other programs",
    "os.system": "starts other programs",
    "os.exec": "starts other programs",
    "os.posix_spawn": "starts other programs",
    "os.spawn": "starts other programs",
    "os.fork": "starts other programs",
    "pty.": "starts other programs",
    "os.kill": "sends signals to other processes",
    "os.listdir": "looks into folders",
    "os.scandir": "looks into folders",
    "glob.": "looks into folders",
    "os.remove": "changes files",
    "os.rename": "changes files",
    "os.mkdir": "changes files",
    "os.chmod": "changes files",
    "shutil.": "changes files",
    "tempfile.": "changes files",
}
_OPENS = "opens files"


class Watch:
    """Notes kinds of deeds between `start` and `take`. Each adds one audit hook, and those cannot be removed."""

    def __init__(self, *, ignored_folders: Sequence[str] = ()) -> None:
        # Importing a module at its first use is no deed of the model.
        self._ignored = tuple(folder for folder in ignored_folders if folder)
        self._is_on = False
        self._seen: set[str] = set()
        sys.addaudithook(self._note)

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    def take(self) -> list[str]:
        """The kinds seen since the last call, in words."""
        seen, self._seen = sorted(self._seen), set()
        return seen

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on:
            return
        if event == "open":
            path = arguments[0]
            if isinstance(path, str) and not path.startswith(self._ignored):
                self._seen.add(_OPENS)
            return
        for beginning, kind in _KINDS.items():
            if event.startswith(beginning):
                self._seen.add(kind)
                return
