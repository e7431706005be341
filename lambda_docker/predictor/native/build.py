"""Compiles the kernels: `python lambda_docker/predictor/native/build.py`. Nothing to do takes no time.

Standard library only; ends with 1 where there is no compiler for them, which only costs speed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from predictor import native

_COMPILERS = ("c++", "g++", "clang++")
# No fused multiplications: sums have to be the ones that Python gets.
_FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-ffp-contract=off", "-Wall", "-Wextra")
# GNU's C++ library goes inside, so that the machine which runs it needs none; others' linkers do not know these.
_LINKING = (("-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL", "-s"), ())


def build() -> Path | None:
    """The library, compiled if it is not there yet; None where no compiler can."""
    wanted = native.library_path()
    if wanted.exists():
        return wanted
    compilers = [path for name in (os.environ.get("CXX", ""), *_COMPILERS) if name and (path := shutil.which(name))]
    with tempfile.TemporaryDirectory(dir=native.FOLDER) as folder:
        made = Path(folder) / wanted.name
        for compiler in compilers:
            for linking in _LINKING:
                command = [compiler, *_FLAGS, *map(str, native.sources()), "-o", str(made), *linking]
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:  # noqa: S603
                    for old in native.FOLDER.glob("kernels-*.so"):
                        old.unlink()
                    # At once: whoever starts meanwhile finds it whole or not at all.
                    made.replace(wanted)
                    return wanted
    return None


if __name__ == "__main__":
    sys.exit(build() is None)
