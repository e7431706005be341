"""Removes what installed packages carry and the predictor never opens: `python slim.py FOLDER`.

Runs in the image's build. The tests in tests/containers/ import all that is left, so a rule that takes too much is found.
"""

import shutil
import sys
from pathlib import Path

# What only a compiler, a type checker or a test runner reads.
UNUSED_FILES = (
    *("*.pyx", "*.pxd", "*.pxi", "*.tp", "*.c", "*.cc", "*.cpp", "*.h", "*.hpp", "*.f", "*.f90", "*.a", "*.lib"),
    *("*.pyi", "py.typed", "meson.build", "conftest.py"),
)
UNUSED_FOLDERS = ("tests", "include", "__pycache__", "bin")
# S3 is the one service that is spoken to.
SERVICES = {"s3"}


def main() -> None:
    root = Path(sys.argv[1])
    for pattern in UNUSED_FILES:
        for path in root.rglob(pattern):
            path.unlink()
    for name in UNUSED_FOLDERS:
        for path in list(root.rglob(name)):
            if path.is_dir():
                shutil.rmtree(path)
    for package in ("botocore", "boto3"):
        for path in (root / package / "data").iterdir():
            if path.is_dir() and path.name not in SERVICES:
                shutil.rmtree(path)


if __name__ == "__main__":
    main()
