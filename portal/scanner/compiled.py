"""Numbers that compiled code follows without looking: children of tree nodes, places in a search tree, sparse columns.

scikit-learn checks the kind of these arrays when it loads them, not what they hold; a number out of range makes a
prediction read, or write, outside its memory, and a node that is its own child never lets it end.
Source: sklearn/tree/_tree.pyx (`__setstate__`, `_apply_dense`), sklearn/neighbors/_binary_tree.pxi, 1.9.1.
"""

from portal.scanner.allowed import Pair
from portal.scanner.standins import Instance

TREE: Pair = ("sklearn.tree._tree", "Tree")


def is_followed(pair: Pair) -> bool:
    return pair == TREE


def check_tree(tree: Instance) -> None:
    """A decision tree: children come after their parent, and within the tree; features within the table."""


def check_compiled(compiled: list[Instance]) -> None:
    """All that must fit together once the whole file has been read."""
