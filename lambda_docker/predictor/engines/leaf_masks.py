"""Small trees walked all at once: what each value of a feature rules out, looked up and combined.

Number the leaves of a tree from left to right. A node that sends a row to the right rules out the leaves on its left;
of the leaves that no node has ruled out, the first is the row's own. For each feature the values fall between the
sorted thresholds of all trees, so that a table says for every such interval which leaves of every tree it rules out:
one bit a leaf. A row's leaves are then the AND of one line of each table, whatever the trees' depth.

The comparisons are those of scikit-learn (`<=` on float64, NaN where the node sends what is missing), and the leaves'
values are added in the trees' order: the sums are the same, bit for bit.
Source: Lucchese et al., QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of Regression Trees,
SIGIR 2015
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor import native
from predictor.native.trees import MaskedLeaves

Floats = npt.NDArray[np.float64]

LEAVES_AT_MOST = 32
# So many rows' masks stay in the processor's cache.
_ROWS_AT_ONCE = 512
_TABLES_AT_MOST_BYTES = 64 * 1024 * 1024
_EXPONENT_BITS, _EXPONENT_BIAS = 23, 127
_FULL = np.uint32(0xFFFF_FFFF)


class LeafMasks:
    """Trees of histogram gradient boosting, ready to be summed.

    Args: trees: nodes as scikit-learn keeps them (PREDICTOR_RECORD_DTYPE), in the order in which they are added
    """

    def __init__(self, trees: Sequence[npt.NDArray[Any]], features: int) -> None:
        self._edges = [_edges_of(trees, feature) for feature in range(features)]
        # By feature: (intervals and NaN, trees); the last line is NaN's.
        self._ruled_out = [np.full((len(edges) + 2, len(trees)), _FULL) for edges in self._edges]
        self._values = np.zeros((len(trees), LEAVES_AT_MOST))
        for number, nodes in enumerate(trees):
            self._add(number, nodes)
        self._offsets = np.arange(len(trees), dtype=np.intp) * LEAVES_AT_MOST - _EXPONENT_BIAS
        self._compiled = MaskedLeaves(self._edges, self._ruled_out, self._values) if native.kernels() else None

    def sums(self, table: Floats, baseline: Floats) -> Floats:
        """What the trees add up to.

        Args:    table: (n, f); baseline: (k,) what each of k sums begins with; tree t belongs to sum t % k
        Returns: (n, k)
        """
        if self._compiled is not None:
            return self._compiled.sums(table, baseline)
        sums = np.empty((len(table), len(baseline)), order="F")
        for begin in range(0, len(table), _ROWS_AT_ONCE):
            rows = slice(begin, begin + _ROWS_AT_ONCE)
            sums[rows] = self._sums_of(table[rows], baseline)
        return sums

    def _sums_of(self, table: Floats, baseline: Floats) -> Floats:
        left: npt.NDArray[np.uint32] | None = None
        for column, edges, ruled_out in zip(table.T, self._edges, self._ruled_out, strict=True):
            if not len(edges):
                continue
            intervals = np.searchsorted(edges, column)
            intervals[np.isnan(column)] = len(edges) + 1
            lines = np.take(ruled_out, intervals, axis=0)
            left = lines if left is None else np.bitwise_and(left, lines, out=left)
        if left is None:
            left = np.full((len(table), len(self._values)), _FULL)
        lowest = left & (~left + np.uint32(1))
        # A power of two as a float has its exponent for the bit's place.
        places = (lowest.astype(np.float32).view(np.int32) >> _EXPONENT_BITS) + self._offsets
        values = np.take(self._values.ravel(), places, mode="clip")
        sums = np.repeat(baseline[None, :], len(table), axis=0)
        for tree in range(values.shape[1]):
            sums[:, tree % len(baseline)] += values[:, tree]
        return sums

    def _add(self, number: int, nodes: npt.NDArray[Any]) -> None:
        leaves: list[int] = []
        # (node, None) is to be walked; (node, first) has its left leaves from `first` on, and goes to the right now.
        waiting: list[tuple[int, int | None]] = [(0, None)]
        while waiting:
            node, first = waiting.pop()
            if nodes["is_leaf"][node]:
                leaves.append(node)
            elif first is None:
                waiting += [(node, len(leaves)), (int(nodes["left"][node]), None)]
            else:
                self._rule_out(number, nodes[node], range(first, len(leaves)))
                waiting.append((int(nodes["right"][node]), None))
        self._values[number, : len(leaves)] = nodes["value"][leaves]

    def _rule_out(self, number: int, node: Any, leaves: range) -> None:
        """What stands to the right of the node's threshold has none of these leaves."""
        kept = _FULL ^ np.uint32(sum(1 << leaf for leaf in leaves))
        feature = int(node["feature_idx"])
        place = int(np.searchsorted(self._edges[feature], node["num_threshold"]))
        ruled_out = self._ruled_out[feature]
        ruled_out[place + 1 : -1, number] &= kept
        if not node["missing_go_to_left"]:
            ruled_out[-1, number] &= kept


def masks_of(estimator: Any) -> LeafMasks | None:
    """The estimator's trees as masks, or None where they are of another kind: categories, or more leaves than bits."""
    trees = [predictor.nodes for iteration in estimator._predictors for predictor in iteration]
    features = int(estimator.n_features_in_)
    if not trees or estimator.is_categorical_ is not None or estimator._baseline_prediction.dtype != np.float64:
        return None
    if max(int(nodes["is_leaf"].sum()) for nodes in trees) > LEAVES_AT_MOST:
        return None
    nodes_in_all = sum(len(nodes) for nodes in trees)
    if (nodes_in_all + 2 * features) * len(trees) * 4 > _TABLES_AT_MOST_BYTES:
        return None
    return LeafMasks(trees, features)


def _edges_of(trees: Sequence[npt.NDArray[Any]], feature: int) -> Floats:
    """The thresholds of all nodes that look at the feature, sorted, each once."""
    found = [nodes["num_threshold"][(nodes["feature_idx"] == feature) & (nodes["is_leaf"] == 0)] for nodes in trees]
    return np.unique(np.concatenate(found)).astype(np.float64)
