"""Ensembles of trees by the compiled kernels: sums of leaves' values, added in the trees' order."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predictor import native

Floats = npt.NDArray[np.float64]

# As in trees.cpp.
_ROWS_IN_STEP, _ROWS_MASKED = 8, 4
_NODE = np.dtype([("threshold", np.float32), ("feature", np.uint32), ("children", np.uint32, (2,))])


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as scikit-learn keeps it, (n,) each; a node whose left child is below 0 is a leaf.

    thresholds: float64, of which float32 values are not above to go left; values: (n, k)
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]
    thresholds: Floats
    missing_to_left: npt.NDArray[np.bool_]
    values: Floats


class WalkedTrees:
    """Trees on float32 values, ready to be walked."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._nodes = np.concatenate([_nodes_of(tree) for tree in trees])
        self._missing = np.concatenate([~(tree.missing_to_left | (tree.left < 0)) for tree in trees]).astype(np.uint8)
        self._values = np.concatenate([tree.values for tree in trees])
        self._begins = np.cumsum([0, *(len(tree.left) for tree in trees[:-1])], dtype=np.int64)

    def sums(self, table: npt.NDArray[np.float32]) -> Floats:
        """What the rows' leaves add up to. Args: table: (n, f). Returns: (n, k)"""
        count, features = table.shape
        padded = np.zeros((-(-count // _ROWS_IN_STEP) * _ROWS_IN_STEP, features), np.float32)
        padded[:count] = table
        groups = np.ascontiguousarray(padded.reshape(-1, _ROWS_IN_STEP, features).swapaxes(1, 2))
        sums = np.zeros((count, self._values.shape[1]))
        native.call(
            "portico_walk_trees",
            self._nodes,
            self._missing,
            self._begins,
            len(self._begins),
            self._values,
            groups,
            count,
            features,
            sums.shape[1],
            ctypes.c_int32(bool(np.isnan(table).any())),
            sums,
        )
        return sums


class MaskedLeaves:
    """Small trees on float64 values, as `leaf_masks` prepares them.

    Args: edges: a feature's thresholds, sorted; ruled_out: a feature's (intervals and NaN, trees) masks of 32 leaves;
          values: (trees, 32)
    """

    def __init__(self, edges: Sequence[Floats], ruled_out: Sequence[npt.NDArray[np.uint32]], values: Floats) -> None:
        self._edges, self._masks = np.concatenate(edges), np.concatenate(ruled_out)
        self._edges_begin = np.cumsum([0, *map(len, edges)], dtype=np.int64)
        self._lines_begin = np.cumsum([0, *map(len, ruled_out)], dtype=np.int64)
        self._values = np.ascontiguousarray(values)

    def sums(self, table: Floats, baseline: Floats) -> Floats:
        """As LeafMasks.sums."""
        count, features = table.shape
        columns = np.ascontiguousarray(table.T, np.float64)
        sums = np.repeat(np.asarray(baseline, np.float64)[None, :], count, axis=0)
        left = np.empty((_ROWS_MASKED, len(self._values)), np.uint32)
        native.call(
            "portico_mask_leaves",
            self._edges,
            self._edges_begin,
            self._masks,
            self._lines_begin,
            len(self._values),
            self._values,
            columns,
            count,
            features,
            sums.shape[1],
            left,
            sums,
        )
        return sums


def _nodes_of(tree: Tree) -> npt.NDArray[np.void]:
    is_leaf = tree.left < 0
    here = np.arange(len(tree.left))
    nodes = np.zeros(len(here), _NODE)
    nodes["threshold"] = _rounded_down(tree.thresholds)
    nodes["feature"] = np.where(is_leaf, 0, tree.features) * _ROWS_IN_STEP * np.dtype(np.float32).itemsize
    children = np.where(is_leaf[:, None], here[:, None], np.column_stack([tree.left, tree.right]))
    nodes["children"] = children * _NODE.itemsize
    return nodes


def _rounded_down(thresholds: Floats) -> npt.NDArray[np.float32]:
    """The largest float32 that is not above: a float32 value is above both or neither."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
