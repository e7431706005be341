"""An environment for each peer: made once from its pins, with their hashes, and kept in a cache folder."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CACHE = Path.home() / ".cache" / "portico-benchmarks"

_PINS = Path(__file__).parent


def install(name: str, *, cache: Path = CACHE) -> Path:
    """The interpreter of an environment that has the peer; the first time it takes some minutes.

    Raises: RuntimeError: it cannot be installed
    """
    pins = _PINS / f"{name}.txt"
    # Other pins are another environment, and so is another Python.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache / f"{name}-{version}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        print(f"Installing {name} into {home}, once.", file=sys.stderr, flush=True)
        run([sys.executable, "-m", "venv", "--clear", str(home)], python=python)
        run([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(pins)], python=python)
        (home / "complete").touch()
    return python


def version_of(name: str) -> str:
    """What its pins say: `mlflow 3.17.2`."""
    found = re.search(rf"^{name}==(\S+)", (_PINS / f"{name}.txt").read_text("utf-8"), re.MULTILINE)
    return f"{name} {found.group(1) if found else '?'}"


def run(command: Sequence[str], *, python: Path, folder: Path | None = None) -> str:
    """What the command writes. Raises: RuntimeError: it fails."""
    done = subprocess.run(  # noqa: S603  # interpreters and programs of this package
        command, env=environment_of(python), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def environment_of(python: Path, *, threads: int | None = None, home: Path | None = None) -> Mapping[str, str]:
    """The variables of a process of that environment. Args: threads: OMP_NUM_THREADS; home: where it keeps its own"""
    left_out = ("OMP_NUM_THREADS", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {
        **kept,
        "PATH": f"{python.parent}{os.pathsep}{kept.get('PATH', '')}",
        # Neither is to call home, or to look for a newer one of itself, while it is measured.
        "BENTOML_DO_NOT_TRACK": "True",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        **({} if threads is None else {"OMP_NUM_THREADS": str(threads)}),
        **({} if home is None else {"BENTOML_HOME": str(home)}),
    }
