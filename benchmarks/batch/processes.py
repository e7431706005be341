"""The processes of a benchmark: each one fresh, with the predictor on its path and the threads that were asked for."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.batch.cases import MANIFEST_KEY, Case, Prepared
from benchmarks.batch.runs import CHECK, RESULT, Spec

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Processes:
    """`folder` holds inputs and, while a process runs, its outputs.

    threads: OMP_NUM_THREADS, None to leave it unset; predictor: the folder of the package, of another checkout for once
    """

    folder: Path
    threads: int | None = None
    predictor: Path = ROOT / "lambda_docker"

    def prepare(self, case: Case, rows: int) -> Prepared:
        return Prepared.from_json(self._python("benchmarks.batch.cases", str(self.folder), case.name, str(rows)))

    def run(
        self,
        variant: str,
        prepared: Prepared,
        *,
        check: bool,
        keep: Path | None = None,
        part_bytes: int | None = None,
        is_last_digit_free: bool = False,
    ) -> dict[str, Any]:
        """What one variant took in a process of its own.

        Args:   keep: a folder where the output stays; the others as in Spec
        Raises: RuntimeError: it ended badly, or its output is not scikit-learn's
        """
        more = {"part_bytes": part_bytes, "is_last_digit_free": is_last_digit_free}
        with self.kept(variant, prepared, folder=keep, **more) as run:
            return run(check)

    @contextlib.contextmanager
    def kept(
        self, variant: str, prepared: Prepared, *, folder: Path | None = None, **more: Any
    ) -> Iterator[Callable[[bool], dict[str, Any]]]:
        """What runs a variant once more in one process, checked or not, and says what that took.

        Args and Raises: as run
        """
        own = folder or Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        spec = Spec(variant, prepared, str(own), **more)
        try:
            with tempfile.TemporaryFile("w+") as errors, self._process(spec, errors) as process:
                yield functools.partial(_run_again, process, errors)
        finally:
            if folder is None:
                shutil.rmtree(own)

    @contextlib.contextmanager
    def _process(self, spec: Spec, errors: IO[str]) -> "Iterator[subprocess.Popen[str]]":
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own module
            [sys.executable, "-m", "benchmarks.batch.runs", spec.to_json()],
            env=self._environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        # It ends with its input, which the end of this closes.
        with process:
            yield process

    def _python(self, module: str, *arguments: str) -> str:
        """The last line that a module prints."""
        done = subprocess.run(  # noqa: S603  # our own interpreter and our own module
            [sys.executable, "-m", module, *arguments],
            env=self._environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"python -m {module} failed:\n{done.stderr[-3000:]}")
        return done.stdout.splitlines()[-1]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        threads = {} if self.threads is None else {"OMP_NUM_THREADS": str(self.threads)}
        path = os.pathsep.join([str(ROOT), str(self.predictor)])
        return {**inherited, **threads, "PYTHONPATH": path, "PORTICO_MANIFEST_KEY": MANIFEST_KEY}


def _run_again(process: "subprocess.Popen[str]", errors: IO[str], check: bool) -> dict[str, Any]:
    wishes, lines = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
    with contextlib.suppress(BrokenPipeError):
        wishes.write(f"{CHECK if check else ''}\n")
        wishes.flush()
    for line in lines:
        if line.startswith(RESULT):
            return dict(json.loads(line.removeprefix(RESULT)))
    errors.seek(0)
    raise RuntimeError(f"python -m benchmarks.batch.runs failed:\n{errors.read()[-3000:]}")
