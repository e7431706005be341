"""Decision trees as tables: the nodes of all trees in one row of arrays, as `walking` walks them.

A node's left child is the node after it; `right` says where the other one stands, or, at a leaf, which leaf it is.
scikit-learn's trees cast what they see to float32 before they compare. Rounding is monotonic, so a float32 is at most
the threshold if, and only if, the number that it was is at most another threshold: that one is written, exactly, and
nothing is cast when a row is walked.
"""

from typing import Any, NamedTuple

from predictor.compiled.numbers import pack
from predictor.compiled.terms import CannotCompile, Entry

NODES_MAX = 120_000

_LEAF = -1


class Trees:
    """Trees that are being written. values: by leaf, one list for each number that a leaf has"""

    def __init__(self, values: list[list[float]]) -> None:
        self.values = values
        self.roots: list[int] = []
        self.features: list[int] = []
        self.thresholds: list[float] = []
        self.rights: list[int] = []
        self.missing_left: list[int] = []

    def add(self, nodes: "Nodes") -> None:
        """Raises: CannotCompile: there are too many nodes for this to win."""
        self.roots.append(len(self.features))
        # (node, the place of the parent whose right child it is)
        waiting: list[tuple[int, int | None]] = [(0, None)]
        while waiting:
            node, parent = waiting.pop()
            place = len(self.features)
            if parent is not None:
                self.rights[parent] = place
            if place >= NODES_MAX:
                raise CannotCompile(f"its trees have more than {NODES_MAX:,} nodes")
            is_leaf = nodes.lefts[node] < 0
            self.features.append(_LEAF if is_leaf else nodes.features[node])
            self.thresholds.append(0.0 if is_leaf else nodes.thresholds[node])
            self.missing_left.append(0 if is_leaf else nodes.missing_left[node])
            self.rights.append(len(self.values[0]) if is_leaf else 0)
            if is_leaf:
                for numbers, value in zip(self.values, nodes.values[node], strict=True):
                    numbers.append(value)
            else:
                waiting += [(nodes.rights[node], place), (nodes.lefts[node], None)]

    def to_entry(self) -> Entry:
        return {
            "roots": pack("i", self.roots),
            "features": pack("i", self.features),
            "thresholds": pack("d", self.thresholds),
            "rights": pack("i", self.rights),
            "missing_left": pack("b", self.missing_left),
            "values": [pack("d", numbers) for numbers in self.values],
        }


class Nodes(NamedTuple):
    """One tree, node by node; a leaf's left is negative. values: a list of numbers for each node"""

    lefts: list[int]
    rights: list[int]
    features: list[int]
    thresholds: list[float]
    missing_left: list[int]
    values: list[list[float]]


def nodes_of(tree: Any) -> Nodes:
    """scikit-learn's own tree (a `tree_`), its thresholds made ready for numbers that are not cast."""
    splits = tree.children_left >= 0
    return Nodes(
        lefts=tree.children_left.tolist(),
        rights=tree.children_right.tolist(),
        features=tree.feature.tolist(),
        thresholds=_uncast(tree.threshold, splits),
        missing_left=tree.missing_go_to_left.astype(int).tolist(),
        values=tree.value.reshape(tree.node_count, -1).tolist(),
    )


def _uncast(thresholds: Any, splits: Any) -> list[float]:
    """For each threshold the largest float64 whose float32 is at most that threshold."""
    import numpy as np

    wide = np.where(splits, thresholds, 0.0)
    highest = wide.astype(np.float32)
    # The cast rounds to nearest.
    too_high = highest.astype(np.float64) > wide
    highest[too_high] = np.nextafter(highest[too_high], np.float32(-np.inf))
    following = np.nextafter(highest, np.float32(np.inf)).astype(np.float64)
    beyond = ~np.isfinite(following)
    following[beyond] = 2.0**128
    middle = (highest.astype(np.float64) + following) / 2
    # A tie goes to the even one.
    is_even = highest.view(np.uint32) % 2 == 0
    uncast = np.where(is_even, middle, np.nextafter(middle, -np.inf))
    # Infinity parts what is missing from all else.
    return np.minimum(uncast, np.finfo(np.float64).max).tolist()
