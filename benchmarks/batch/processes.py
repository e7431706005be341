"""The processes of a benchmark: each one fresh, with the predictor on its path and the threads that were asked for."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.batch.cases import MANIFEST_KEY, Case, Prepared
from benchmarks.batch.runs import Spec

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
        warm: bool = False,
        is_last_digit_free: bool = False,
    ) -> dict[str, Any]:
        """What one variant took.

        Args:   keep: a folder where the output stays; the others as in Spec
        Raises: RuntimeError: it ended badly, or its output is not scikit-learn's
        """
        own = keep or Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        try:
            spec = Spec(
                variant,
                prepared,
                str(own),
                check=check,
                part_bytes=part_bytes,
                warm=warm,
                is_last_digit_free=is_last_digit_free,
            )
            return dict(json.loads(self._python("benchmarks.batch.runs", spec.to_json())))
        finally:
            if keep is None:
                shutil.rmtree(own)

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
