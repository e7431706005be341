"""Makes installed packages small and ready to start: `python slim.py FOLDER`. Runs in the image's build.

Removes what the predictor never opens, and puts byte code without docstrings in the place of library sources: a start
reads a third less, and half of the Python files' size is saved. Tracebacks keep files and line numbers.
Names that are imported are never removed: tests/containers/ imports every module that is left.
"""

import ast
import ctypes
import hashlib
import importlib.util
import marshal
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
# These edit docstrings while they are imported, and may fail where there are none. A method of polars' Series that is
# nothing but a docstring is passed on to the expression of its name; without one it does nothing, silently.
READS_DOCSTRINGS = ("numpy", "polars", "lightgbm", "xgboost", "catboost")

# scipy builds docstrings while it is imported, a tenth of scikit-learn's start, though none are left to build on: for
# distributions, which it has a switch for (python -OO, which drops assertions too), and as notes on array backends.
BUILDS_DOCSTRINGS = {
    "scipy/stats/_distn_infrastructure.py": ("sys.flags.optimize", "2"),
    "scipy/_lib/_array_api.py": (
        "        capabilities_table[f] = capabilities\n",
        "        capabilities_table[f] = capabilities\n        return f\n",
    ),
}

_UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def main() -> None:
    root = Path(sys.argv[1])
    remove_unused(root)
    share_equal_libraries(root)
    strip_libraries(root)
    leave_out_docstrings(root)
    for source in sorted(root.rglob("*.py")):
        compile_in_place(source, docstrings=source.relative_to(root).parts[0] in READS_DOCSTRINGS)


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


def leave_out_docstrings(root: Path) -> None:
    """Raises: ValueError: a release of scipy has other lines there"""
    for name, (old, new) in BUILDS_DOCSTRINGS.items():
        if not (path := root / name).exists():  # an extra's folder
            continue
        text = path.read_text("utf-8")
        if old not in text:
            raise ValueError(f"{name} no longer has the line {old.strip()!r}: look where it builds docstrings now.")
        path.write_text(text.replace(old, new), "utf-8")


def compile_in_place(source: Path, *, docstrings: bool) -> None:
    """`name.py` becomes `name.pyc`; the byte code refers to the source's path and lines."""
    tree = ast.parse(source.read_bytes())
    for node in () if docstrings else ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _remove_docstring(node)
    code = compile(tree, str(source), "exec", dont_inherit=True, optimize=0)
    # No source is left to compare with.
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + bytes(8)
    source.with_suffix(".pyc").write_bytes(header + marshal.dumps(code))
    source.unlink()


def _remove_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if ast.get_docstring(node, clean=False) is None:
        return
    node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node.body[0])]


if __name__ == "__main__":
    main()
