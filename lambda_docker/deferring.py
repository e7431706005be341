"""Moves imports into the functions that use what they bring, so that a start does not wait for what it does not use.

A third of scikit-learn's import is scipy.stats, of which some functions use a little, most of them while fitting.

Nothing changes but the moment of the import. A name moves if nothing but that import binds it, nothing but bodies of
functions uses it, and no other module of the package takes it from there.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from importlib.util import resolve_name

# Package → modules that its modules shall not wait for.
DEFERRED = {"sklearn": ("scipy.stats", "scipy.integrate", "scipy.interpolate")}

_Import = ast.Import | ast.ImportFrom
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def defer(tree: ast.Module, modules: Collection[str], *, keep: Collection[str] = ()) -> bool:
    """Moves a module's imports from `modules`; all else stays on its line.

    Args:    modules: by their full names; keep: names that other modules take from this one
    Returns: whether anything moved
    """
    functions = list(_outermost_functions(tree))
    bound, used_outside = Counter(_bound_in(tree)), set(_used_outside_functions(tree))
    is_changed, moved = False, dict[str, tuple[_Import, ast.alias]]()
    for node, alias in list(_imports(tree, modules)):
        name = _name(alias)
        if isinstance(node, ast.Import) and alias.asname is None:
            # It binds the package alone, and scipy loads its parts when they are asked for.
            alias.name, is_changed = name, True
        elif bound[name] == 1 and name not in used_outside and not {name, "*"} & set(keep):
            node.names.remove(alias)
            moved[name] = (node, alias)
    for function in functions:
        _import_within(function, moved)
    tree.body = [node for node in tree.body if not isinstance(node, _Import) or node.names]
    return is_changed or bool(moved)


def names_taken(packages: Iterable[tuple[str, ast.Module]]) -> Mapping[str, set[str]]:
    """Module → the names that others import from it, `*` for all.

    Args: packages: modules, each with the package that it lies in; a package lies in itself
    """
    taken: dict[str, set[str]] = defaultdict(set)
    for package, tree in packages:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                origin = resolve_name("." * node.level + (node.module or ""), package)
                taken[origin].update(alias.name for alias in node.names)
    return taken


def _imports(tree: ast.Module, modules: Collection[str]) -> Iterator[tuple[_Import, ast.alias]]:
    """The module's own imports of these modules, or of something in them."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((node, alias) for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            is_one = node.module in modules
            yield from ((node, alias) for alias in node.names if is_one or f"{node.module}.{alias.name}" in modules)


def _import_within(function: _Function, moved: dict[str, tuple[_Import, ast.alias]]) -> None:
    """Import at the beginning of a function what it uses. A traceback names the line of what follows."""
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    first = 1 if ast.get_docstring(function, clean=False) is not None and len(function.body) > 1 else 0
    place = function.body[first]
    for name in sorted(used & moved.keys()):
        node, alias = moved[name]
        statement = deepcopy(node)
        statement.names = [alias]
        for part in ast.walk(statement):
            ast.copy_location(part, place)
        function.body.insert(first, statement)


def _outermost_functions(tree: ast.AST) -> Iterator[_Function]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _Function):
            yield node
        else:
            yield from _outermost_functions(node)


def _used_outside_functions(tree: ast.AST) -> Iterator[str]:
    """Names that are read while the module is imported: also by decorators, defaults and annotations."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, _Function):
            head = (part for part in ast.iter_child_nodes(node) if part not in node.body)
            yield from (part.id for root in head for part in ast.walk(root) if isinstance(part, ast.Name))
        else:
            yield from _used_outside_functions(node)


def _bound_in(tree: ast.AST) -> Iterator[str]:
    """Every name that something in the module gives a value, wherever."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.alias():
                yield _name(node)


def _name(alias: ast.alias) -> str:
    """What an import binds."""
    return alias.asname or alias.name.partition(".")[0]
