"""Forests walked by the compiled kernels: scikit-learn's own trees, sums and means, bit for bit.

A forest's answer is the mean of its trees' answers, added in the trees' order. scikit-learn sends each row down each
tree on its own; here eight go down together, so that the processor waits for none of them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from predictor import native
from predictor.native.trees import Tree, WalkedTrees

Floats = npt.NDArray[np.float64]

# What is held beside the forest itself.
_NODES_AT_MOST_BYTES = 64 * 1024 * 1024
_NODE_BYTES = 16


class Forest:
    """The trees of a fitted random forest or extra trees, ready to be asked about many rows."""

    def __init__(self, trees: list[Tree]) -> None:
        self._trees, self._count = WalkedTrees(trees), len(trees)

    def ask(self, estimator: Any, table: Any) -> Floats:
        """What the forest's `predict_proba` gives, (n, classes), or a regressor's `predict`, (n,).

        Args: estimator: whose trees they are. Raises: as it does
        """
        sums = self._trees.sums(estimator._validate_X_predict(table))
        sums /= self._count
        return sums if hasattr(estimator, "classes_") else sums[:, 0]


def forest_of(estimator: Any) -> Forest | None:
    """The estimator's forest, or None where it has several outputs, would take much memory, or nothing is compiled."""
    if native.kernels() is None or estimator.n_outputs_ != 1:
        return None
    trees = [tree.tree_ for tree in estimator.estimators_]
    outputs = int(trees[0].value.shape[2])
    if sum(tree.node_count for tree in trees) * (_NODE_BYTES + 8 * outputs) > _NODES_AT_MOST_BYTES:
        return None
    return Forest([_read(tree) for tree in trees])


def _read(tree: Any) -> Tree:
    return Tree(
        left=np.asarray(tree.children_left, np.int64),
        right=np.asarray(tree.children_right, np.int64),
        features=np.asarray(tree.feature, np.int64),
        thresholds=np.asarray(tree.threshold, np.float64),
        missing_to_left=np.asarray(tree.missing_go_to_left, np.bool_),
        values=np.asarray(tree.value[:, 0, :], np.float64),
    )
