"""Puts byte code that starts fast in the place of libraries' sources: `python byte_code.py FOLDER`.

Runs in the image's build. Without docstrings a start reads a third less, and half of the Python files' size is saved;
what a start need not wait for is imported later (deferring.py). Tracebacks keep files and lines.
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

from deferring import DEFERRED, defer, names_taken

# These edit docstrings while they are imported, and may fail where there are none. A method of polars' Series that is
# nothing but a docstring is passed on to the expression of its name; without one it does nothing, silently.
READS_DOCSTRINGS = ("numpy", "polars", "lightgbm", "xgboost", "catboost")

# File, what stands there, and what instead.
EDITS = (
    # scipy builds docstrings while it is imported, a tenth of scikit-learn's start, though none are left to build on:
    # for distributions, which it has a switch for (python -OO, which drops assertions too), and as notes on backends.
    ("scipy/stats/_distn_infrastructure.py", "sys.flags.optimize", "2"),
    (
        "scipy/_lib/_array_api.py",
        "        capabilities_table[f] = capabilities\n",
        "        capabilities_table[f] = capabilities\n        return f\n",
    ),
    # scipy takes all names of numpy, and with them a compiler of Fortran and a test runner, a tenth of the start.
    # Whoever says numpy.testing gets it as before.
    ("numpy/__init__.py", '"ctypeslib", "testing", "typing",', '"ctypeslib", "typing",'),
    ("numpy/__init__.py", '"f2py", "test", "rec",', '"test", "rec",'),
)

_UNCHECKED_HASH = (0b01).to_bytes(4, "little")


def main() -> None:
    root = Path(sys.argv[1])
    edit(root)
    deferred = defer_imports(root)
    for source in sorted(root.rglob("*.py")):
        tree = deferred.pop(source, None) or ast.parse(source.read_bytes())
        if source.relative_to(root).parts[0] not in READS_DOCSTRINGS:
            leave_out_docstrings(tree)
        compile_in_place(source, tree)


def edit(root: Path) -> None:
    """Raises: ValueError: a release has other lines there"""
    for name, old, new in EDITS:
        if not (path := root / name).exists():  # an extra's folder
            continue
        text = path.read_text("utf-8")
        if old not in text:
            raise ValueError(f"{name} no longer has the line {old.strip()!r}: look what its import waits for now.")
        path.write_text(text.replace(old, new), "utf-8")


def defer_imports(root: Path) -> dict[Path, ast.Module]:
    """The modules in which imports move, as they are afterwards.

    Raises: ValueError: a package is there and has none: this has outlived its use
    """
    changed: dict[Path, ast.Module] = {}
    for package, modules in DEFERRED.items():
        trees = {source: ast.parse(source.read_bytes()) for source in sorted((root / package).rglob("*.py"))}
        taken = names_taken((_dotted(source.parent, root), tree) for source, tree in trees.items())
        here = {
            source: tree
            for source, tree in trees.items()
            if defer(tree, modules, keep=taken.get(_module(source, root), ()))
        }
        if trees and not here:
            raise ValueError(f"{package} no longer imports {', '.join(modules)}: look what its import waits for now.")
        changed |= here
    return changed


def _module(source: Path, root: Path) -> str:
    return _dotted(source.parent if source.name == "__init__.py" else source.with_suffix(""), root)


def _dotted(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).parts)


def leave_out_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node.body[0])]


def compile_in_place(source: Path, tree: ast.Module) -> None:
    """`name.py` becomes `name.pyc`; the byte code refers to the source's path and lines."""
    code = compile(tree, str(source), "exec", dont_inherit=True, optimize=0)
    # No source is left to compare with.
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + bytes(8)
    source.with_suffix(".pyc").write_bytes(header + marshal.dumps(code))
    source.unlink()


if __name__ == "__main__":
    main()
