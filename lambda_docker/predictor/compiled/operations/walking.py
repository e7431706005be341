"""The way down trees: a row → what the leaves in which it ends add up to, in the trees' order, as scikit-learn adds.

The compiled kernels walk where they are there, which takes a tenth of the time; where not, the loops here do, to the
same bits.
"""

import ctypes
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from predictor import native
from predictor.compiled.numbers import unpack_array
from predictor.compiled.terms import HandOver, Row

# Beyond this float32 has only infinity, which scikit-learn refuses.
_FLOAT32_MAX = 3.4028235677973366e38
_NODE_BYTES = 16

# A row, and what the sums begin with → the sums. Raises: HandOver: scikit-learn would refuse the row.
AddLeaves = Callable[[Row, Sequence[float]], list[float]]
# Row → the number of the leaf in which it ends, tree after tree.
_FindLeaves = Callable[[Row], list[int]]


class _Tables(NamedTuple):
    """An entry's arrays. values: by leaf, one array for each number that a leaf has"""

    roots: "array[int]"
    features: "array[int]"
    thresholds: "array[float]"
    rights: "array[int]"
    missing_left: "array[int]"
    values: "list[array[float]]"

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "_Tables":
        kinds = {"roots": "i", "features": "i", "thresholds": "d", "rights": "i", "missing_left": "b"}
        arrays = {name: unpack_array(entry[name], kind) for name, kind in kinds.items()}
        return cls(**arrays, values=[unpack_array(numbers, "d") for numbers in entry["values"]])


def read_trees(
    entry: Mapping[str, Any], *, sums: int, is_cast: bool, takes_missing: bool, is_single: bool = False
) -> AddLeaves:
    """What walks an entry's trees.

    Args:   sums: how many there are; a leaf has a number for each, or one for the sum whose turn its tree is;
            is_cast: whether scikit-learn casts to float32, and so refuses what is beyond it;
            takes_missing: whether it sends NaN down the trees; is_single: whether it adds up in float32
    Raises: ValueError: the arrays do not fit together, or a walk would not end at a leaf
    """
    tables = _Tables.of(entry)
    count, leaves_count = len(tables.features), len(tables.values[0])
    by_node = (tables.thresholds, tables.rights, tables.missing_left)
    is_even = all(len(one) == count for one in by_node) and all(len(one) == leaves_count for one in tables.values)
    if not is_even or len(tables.values) not in (1, sums) or not all(0 <= root < count for root in tables.roots):
        raise ValueError("arrays that do not fit together")
    walk = _by_loops if native.kernels() is None else _by_kernels
    return walk(tables, sums=sums, is_cast=is_cast, takes_missing=takes_missing, is_single=is_single)


class _Trees(ctypes.Structure):
    # As in one_row.cpp.
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("nodes", "leaves", "missing_left", "roots", "values")),
        *((name, ctypes.c_int64) for name in ("roots_count", "leaves_count", "outputs", "sums_count")),
        *((name, ctypes.c_int32) for name in ("is_cast", "is_single", "takes_missing")),
    )


def _by_kernels(tables: _Tables, *, sums: int, is_cast: bool, takes_missing: bool, is_single: bool) -> AddLeaves:
    count, leaves_count = len(tables.features), len(tables.values[0])
    nodes, leaves, values = array("b", bytes(count * _NODE_BYTES)), array("i", bytes(count * 4)), array("d")
    for numbers in tables.values:
        values += numbers
    columns = native.call(
        "portico_lay_out",
        *(_pointer(one) for one in (tables.features, tables.thresholds, tables.rights, tables.missing_left)),
        count,
        leaves_count,
        *(_pointer(one) for one in (nodes, leaves)),
    )
    if columns < 0:
        raise ValueError("a tree that does not end")
    arrays = (nodes, leaves, tables.missing_left, tables.roots, values)
    counts = (len(tables.roots), leaves_count, len(tables.values), sums)
    trees = _Trees(*(_pointer(one) for one in arrays), *counts, is_cast, is_single, takes_missing)
    # They have to live as long as what points to them.
    trees.arrays = arrays
    where, totals_of = ctypes.byref(trees), ctypes.c_double * sums
    packs: dict[int, Callable[..., bytes]] = {}
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    add_leaves = native.function("portico_add_leaves", pointer, ctypes.c_char_p, whole, pointer)

    def add(row: Row, start: Sequence[float]) -> list[float]:
        width = len(row)
        pack = packs.get(width)
        if pack is None:
            if width < columns:
                raise IndexError("a row that is too short")
            pack = packs[width] = struct.Struct(f"{width}d").pack
        totals = totals_of(*start)
        if add_leaves(where, pack(*row), width, totals):
            raise HandOver
        return totals[:]

    return add


def _pointer(numbers: "array[Any]") -> ctypes.c_void_p:
    return ctypes.c_void_p(numbers.buffer_info()[0])


def _by_loops(tables: _Tables, *, sums: int, is_cast: bool, takes_missing: bool, is_single: bool) -> AddLeaves:
    _require_ends(tables)
    add_up = _add_up_singly if is_single else _add_up
    find = _leaf_finder(tables, is_cast=is_cast, takes_missing=takes_missing)
    values = [numbers.tolist() for numbers in tables.values]

    def add_to_each(row: Row, start: Sequence[float]) -> list[float]:
        leaves = find(row)
        return [add_up(first, numbers, leaves) for first, numbers in zip(start, values, strict=True)]

    def add_in_turns(row: Row, start: Sequence[float]) -> list[float]:
        leaves = find(row)
        return [add_up(first, values[0], leaves[place::sums]) for place, first in enumerate(start)]

    return add_to_each if len(values) == sums else add_in_turns


def _require_ends(tables: _Tables) -> None:
    """As portico_lay_out. Raises: ValueError: a walk would not end at a leaf."""
    count, leaves_count = len(tables.features), len(tables.values[0])
    nodes = zip(tables.features, tables.rights, tables.missing_left, strict=True)
    for place, (feature, right, stays_left) in enumerate(nodes):
        is_leaf = feature < 0
        ends = 0 <= right < leaves_count and not stays_left if is_leaf else place < right < count
        if not ends:
            raise ValueError("a tree that does not end")


def _add_up(start: float, numbers: Sequence[float], leaves: Sequence[int]) -> float:
    # Not sum(), which is more exact, and so another number.
    total = start
    for leaf in leaves:
        total += numbers[leaf]
    return total


def _add_up_singly(start: float, numbers: Sequence[float], leaves: Sequence[int]) -> float:
    total = array("f", [start])
    for leaf in leaves:
        # Written there it is a float32.
        total[0] += numbers[leaf]
    return total[0]


def _leaf_finder(tables: _Tables, *, is_cast: bool, takes_missing: bool) -> _FindLeaves:
    roots, features, thresholds = tables.roots.tolist(), tables.features.tolist(), tables.thresholds.tolist()
    rights, missing_left = tables.rights.tolist(), tables.missing_left.tolist()
    most = _FLOAT32_MAX if is_cast else float("inf")

    def find(row: Row) -> list[int]:
        total = sum(row)
        if total - total != 0.0:
            return find_with_gaps(row)
        if is_cast and row and (max(row) >= most or min(row) <= -most):
            raise HandOver
        leaves = []
        for node in roots:
            feature = features[node]
            while feature >= 0:
                node = node + 1 if row[feature] <= thresholds[node] else rights[node]  # noqa: PLW2901  # it walks
                feature = features[node]
            leaves.append(rights[node])
        return leaves

    def find_with_gaps(row: Row) -> list[int]:
        if not all(takes_missing if value != value else abs(value) < most for value in row):
            raise HandOver
        leaves = []
        for node in roots:
            feature = features[node]
            while feature >= 0:
                value = row[feature]
                goes_left = missing_left[node] if value != value else value <= thresholds[node]
                node = node + 1 if goes_left else rights[node]  # noqa: PLW2901  # it walks
                feature = features[node]
            leaves.append(rights[node])
        return leaves

    return find
