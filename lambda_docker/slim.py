"""Makes installed packages small: `python slim.py FOLDER`. Runs in the image's build.

Removes what the predictor never opens. Names that are imported are never removed: tests/containers/ imports every
module that is left.
"""

import ctypes
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

# What only a compiler, a type checker, a test runner or an installer reads.
UNUSED_FILES = (
    *("*.pyx", "*.pxd", "*.pxi", "*.tp", "*.in", "*.c", "*.cc", "*.cpp", "*.h", "*.hpp", "*.f", "*.f90", "*.a"),
    *("*.pyi", "py.typed", "meson.build", "conftest.py", "RECORD", "INSTALLER", "REQUESTED"),
)
# Wholly named "test" or "tests": numpy.testing and sklearn.utils._testing are imported at run time.
UNUSED_FOLDERS = ("test", "tests", "include", "bin", "__pycache__")
# Scikit-learn's example tables and photographs; its module that reads them stays.
UNUSED_PATHS = ("sklearn/datasets/data", "sklearn/datasets/images", "sklearn/datasets/descr")
# The services that are spoken to; botocore/data itself has the endpoints and the retry rules.
SERVICES = ("s3", "kms", "stepfunctions")


def main() -> None:
    root = Path(sys.argv[1])
    remove_unused(root)
    share_equal_libraries(root)
    strip_libraries(root)


def remove_unused(root: Path) -> None:
    folders = [path for name in UNUSED_FOLDERS for path in root.rglob(name)]
    folders += [root / path for path in UNUSED_PATHS]
    folders += [
        path
        for package in ("botocore", "boto3")
        for path in (root / package / "data").glob("*")
        if path.name not in SERVICES
    ]
    for folder in folders:
        if folder.is_dir():
            shutil.rmtree(folder)
    for pattern in UNUSED_FILES:
        for path in root.rglob(pattern):
            path.unlink()


def share_equal_libraries(root: Path) -> None:
    """numpy's and scipy's wheels bring the same Fortran runtime: the later ones become links to the first."""
    first: dict[str, Path] = {}
    for path in sorted(root.glob("*.libs/*.so*")):
        original = first.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
        if original is not path:
            path.unlink()
            path.symlink_to(Path("..") / original.relative_to(root))


def strip_libraries(root: Path) -> None:
    """Drop debuggers' symbols, and prove that each extension still loads: on some platforms a stripped one may not."""
    libraries = [path for path in sorted(root.rglob("*.so*")) if not path.is_symlink()]
    subprocess.run(["/usr/bin/strip", "--strip-unneeded", *libraries], check=True)  # noqa: S603  # our own files
    for path in libraries:
        # Those in *.libs find one another only through the extensions that need them.
        if not path.parent.name.endswith(".libs"):
            ctypes.CDLL(str(path))


if __name__ == "__main__":
    main()
