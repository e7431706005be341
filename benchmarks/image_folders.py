"""What a function's process finds around it, laid out as in the image, without Docker.

An interpreter that has nothing but its standard library; a folder of packages, those of the environment that runs the
benchmark and Lambda's runtime client of the image's own pins; and pandas in a folder apart. The packages that a model
in full waits for are there twice: as pip installs them, and as the image's build makes them ready.
"""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from benchmarks.batch.processes import ROOT
from benchmarks.peers.environments import CACHE

CODE = ROOT / "lambda_docker"
_PINS = CODE / "runtime.txt"
_APART = ("pandas",)
_STARTED = ("numpy", "scipy", "sklearn", "scikit_learn")
_BUILDERS = (CODE / "byte_code.py", CODE / "deferring.py")


@dataclass(frozen=True, slots=True)
class Folders:
    """bin: where `python` lies; packages: without pandas, which lies in `pandas`; ready: some, as in the image"""

    bin: Path
    packages: Path
    pandas: Path
    ready: Path


def lay_out(folder: Path, *, cache: Path = CACHE) -> Folders:
    """The folders, made in `folder`. Raises: RuntimeError: the runtime client cannot be installed."""
    packages, pandas = folder / "packages", folder / "pandas"
    packages.mkdir()
    pandas.mkdir()
    installed = Path(sysconfig.get_path("purelib"))
    for origin in (install_runtime(cache), installed):
        for entry in origin.iterdir():
            is_apart = entry.name in _APART or entry.name.startswith(tuple(f"{name}-" for name in _APART))
            link = (pandas if is_apart else packages) / entry.name
            if entry.suffix != ".pth" and not link.exists():
                link.symlink_to(entry)
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "python"))
    _run(sys.executable, "-m", "compileall", "-q", str(CODE / "predictor"), str(ROOT / "benchmarks"))
    return Folders(bin=folder / "python" / "bin", packages=packages, pandas=pandas, ready=make_ready(cache))


def make_ready(cache: Path = CACHE) -> Path:
    """A folder with numpy, scipy and scikit-learn of this environment, after the image's byte_code.py."""
    installed = Path(sysconfig.get_path("purelib"))
    releases = [folder.name for name in _STARTED for folder in installed.glob(f"{name}-*")]
    key = hashlib.sha256(b"".join(builder.read_bytes() for builder in _BUILDERS) + repr(releases).encode())
    home = cache / f"ready-{sys.version_info.major}.{sys.version_info.minor}-{key.hexdigest()[:12]}"
    if not (home / "complete").exists():
        for entry in installed.iterdir():
            if entry.name.removesuffix(".libs") in _STARTED:
                left_out = shutil.ignore_patterns("tests", "__pycache__")
                shutil.copytree(entry, home / entry.name, dirs_exist_ok=True, ignore=left_out)
        _run(sys.executable, str(_BUILDERS[0]), str(home))
        (home / "complete").touch()
    return home


def install_runtime(cache: Path = CACHE) -> Path:
    """A folder that has Lambda's runtime client, of the image's pins. Raises: RuntimeError: it cannot be installed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache / f"lambda-runtime-{version}-{hashlib.sha256(_PINS.read_bytes()).hexdigest()[:12]}"
    if not (home / "complete").exists():
        pip = (
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--only-binary=:all:",
            "--require-hashes",
            "--upgrade",
        )
        _run(*pip, "--target", str(home), "-r", str(_PINS))
        (home / "complete").touch()
    return home


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own interpreter
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
