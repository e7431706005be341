"""A peer asked within its process: by its own interpreter, in a process that reports its own times over a pipe."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.peers.environments import CACHE, environment_of, install

_HERE = Path(__file__).parent


class Peer:
    """Answers one row at a time."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[str]) -> None:
        self._rows, self._answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        self._log = log

    def answer(self, row: Mapping[str, Any]) -> tuple[list[float], float]:
        """The row's probabilities, and the seconds that its call took in its process. Raises: RuntimeError: it died."""
        with contextlib.suppress(BrokenPipeError):
            self._rows.write(json.dumps(row) + "\n")
            self._rows.flush()
        line = self._answers.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"The peer ended:\n{self._log.read()[-3000:]}")
        probabilities, seconds = json.loads(line)
        return probabilities, seconds

    def probabilities(self, row: Mapping[str, Any]) -> list[float]:
        return self.answer(row)[0]


@contextlib.contextmanager
def peer(name: str, model_file: Path, *, columns: Sequence[str], cache: Path = CACHE) -> Iterator[Peer]:
    """A process of the peer that has the pickled model.

    Args:   name: one of PEERS; columns: the model's, in their order
    Raises: RuntimeError: it cannot be installed
    """
    python = install(name, cache=cache)
    with tempfile.TemporaryDirectory(prefix="portico-benchmark-") as made, tempfile.TemporaryFile("w+") as log:
        folder = Path(made)
        shutil.copy(model_file, folder / "model.pkl")
        (folder / "columns.json").write_text(json.dumps(list(columns)), "utf-8")
        shutil.copy(_HERE / "service.py", folder)
        # It ends with its input, which the end of this closes.
        with subprocess.Popen(  # noqa: S603  # what was just installed, and our own program
            [str(python), "-P", str(_HERE / "asked.py"), name, str(folder)],
            env=environment_of(python, home=folder / "bentoml"),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process:
            yield Peer(process, log)
