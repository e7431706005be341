"""The two ways down trees: by the kernels and by the loops, to the same bits, and to the same refusals."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor import native
from predictor.compiled.operations.forest import Nodes, Trees
from predictor.compiled.operations.walking import AddLeaves, read_trees
from predictor.compiled.terms import HandOver
from tests.predictor.compiled.fitting import few

_COLUMNS = 3
_SPLITS = (-1.5, -0.0, 0.25, 3.4028235677973366e38)
_NEAR = [math.nextafter(split, end) for split in _SPLITS for end in (-math.inf, math.inf)]
_CELLS = st.sampled_from([*_SPLITS, *_NEAR, 0.0, math.nan, math.inf, -math.inf, 1.7e308, 5e-324])
_ROWS = st.lists(_CELLS, min_size=_COLUMNS, max_size=_COLUMNS)

needs_kernels = pytest.mark.skipif(native.kernels() is None, reason="no C++ compiler is here")


@st.composite
def _trees(draw: Any, outputs: int) -> Trees:
    trees = Trees(values=[[] for _ in range(outputs)])
    for _ in range(draw(st.integers(1, 19))):
        nodes = Nodes([], [], [], [], [], [])
        _grow(draw, nodes, outputs, depth=draw(st.integers(0, 4)))
        trees.add(nodes)
    return trees


def _grow(draw: Any, nodes: Nodes, outputs: int, *, depth: int) -> int:
    place, is_leaf = len(nodes.lefts), depth == 0 or draw(st.booleans())
    nodes.lefts.append(-1)
    nodes.rights.append(-1)
    nodes.features.append(draw(st.integers(0, _COLUMNS - 1)))
    nodes.thresholds.append(draw(st.sampled_from(_SPLITS)))
    nodes.missing_left.append(draw(st.integers(0, 1)))
    nodes.values.append([draw(st.floats(-1e3, 1e3)) for _ in range(outputs)])
    if not is_leaf:
        nodes.lefts[place] = _grow(draw, nodes, outputs, depth=depth - 1)
        nodes.rights[place] = _grow(draw, nodes, outputs, depth=depth - 1)
    return place


@needs_kernels
@few(60)
@given(data=st.data(), row=_ROWS, is_cast=st.booleans(), takes_missing=st.booleans(), is_single=st.booleans())
@pytest.mark.parametrize(("outputs", "sums"), [(1, 1), (2, 2), (3, 3), (1, 3)])
def test_kernels_and_loops_add_up_to_the_same_bits(data, row, is_cast, takes_missing, is_single, outputs, sums):
    entry = data.draw(_trees(outputs)).to_entry()
    settings = {"sums": sums, "is_cast": is_cast, "takes_missing": takes_missing, "is_single": is_single}
    start = [0.5 * place for place in range(sums)]

    by_kernels, by_loops = _both(entry, **settings)

    assert _ask(by_kernels, row, start) == _ask(by_loops, row, start)


@needs_kernels
@pytest.mark.parametrize(
    "changes",
    [
        {"rights": [0, 0, 1]},
        {"rights": [9, 0, 1]},
        {"rights": [2, 0, 2]},
        {"rights": [2, 0, -1]},
        {"rights": [2, 0]},
        {"roots": [3]},
        {"roots": [-1]},
        {"features": [0, -1, 1]},
        {"missing_left": [0, 1, 0]},
        {"values": [[1.0, 2.0], [1.0]]},
        {"thresholds": "i:AAAAAA=="},
        {"thresholds": "d:AAAA"},
    ],
    ids=str,
)
def test_arrays_that_no_walk_ends_in_are_refused_both_ways(monkeypatch, changes):
    entry = {"roots": [0], "features": [0, -1, -1], "thresholds": [0.5, 0.0, 0.0], "rights": [2, 0, 1],
             "missing_left": [0, 0, 0], "values": [[1.0, 2.0]]}  # fmt: skip

    settings = {"sums": len(changes.get("values", [0])), "is_cast": True, "takes_missing": True}
    for kernels in (native.kernels(), None):
        monkeypatch.setattr(native, "kernels", lambda kernels=kernels: kernels)
        with pytest.raises(ValueError):
            read_trees({**entry, **changes}, **settings)


def test_a_row_that_is_too_short_raises_instead_of_reading_on():
    entry = {"roots": [0], "features": [2, -1, -1], "thresholds": [0.5, 0.0, 0.0], "rights": [2, 0, 1],
             "missing_left": [0, 0, 0], "values": [[1.0, 2.0]]}  # fmt: skip

    for add in _both(entry, sums=1, is_cast=True, takes_missing=True):
        with pytest.raises(IndexError):
            add([0.0, 0.0], [0.0])


def _both(entry: Any, **settings: Any) -> tuple[AddLeaves, AddLeaves]:
    by_kernels = read_trees(entry, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "kernels", lambda: None)
        return by_kernels, read_trees(entry, **settings)


def _ask(add: AddLeaves, row: list[float], start: list[float]) -> list[str] | None:
    try:
        return [total.hex() for total in add(row, start)]
    except HandOver:
        return None
