"""Splits by categories, of histogram gradient boosting: for each the side that a category goes to.

Every distinct split gets a column of its own, which says 0 for left, 1 for right and NaN for what is missing or
unknown, so that the trees compare with one half and need to know nothing of categories.
"""

from collections.abc import Mapping
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.encoding import write_categories
from predictor.compiled.operations.forest import Nodes
from predictor.compiled.terms import Entry, Row, Transform


class Sides:
    """The splits by categories of one model, found in its trees."""

    def __init__(self, model: Any) -> None:
        is_categorical = [bool(one) for one in model.is_categorical_]
        # The model puts categories first, and then numbers.
        self._categorical = [place for place, one in enumerate(is_categorical) if one]
        self._numeric = [place for place, one in enumerate(is_categorical) if not one]
        encoder = model._preprocessor.named_transformers_["encoder"]
        self._categories = [write_categories(categories) for categories in encoder.categories_]
        self._splits: list[tuple[int, tuple[int, ...]]] = []
        self._places: dict[tuple[int, tuple[int, ...]], int] = {}

    def replace(self, nodes: Nodes, predictor: Any) -> Nodes:
        """The nodes, comparing with columns of numbers and of sides."""
        features, thresholds = nodes.features[:], nodes.thresholds[:]
        for place, node in enumerate(predictor.nodes):
            if node["is_leaf"]:
                continue
            if node["is_categorical"]:
                bits = predictor.raw_left_cat_bitsets[int(node["bitset_idx"])].tolist()
                left = tuple(code for code in range(256) if bits[code // 32] >> code % 32 & 1)
                features[place], thresholds[place] = self._place_of(nodes.features[place], left), 0.5
            else:
                features[place] -= len(self._categorical)
        return nodes._replace(features=features, thresholds=thresholds)

    def _place_of(self, column: int, left: tuple[int, ...]) -> int:
        split = (column, left)
        if split not in self._places:
            self._places[split] = len(self._numeric) + len(self._splits)
            self._splits.append(split)
        return self._places[split]

    def to_entry(self) -> Entry:
        return {
            "numeric": self._numeric,
            "columns": self._categorical,
            "categories": self._categories,
            "splits": [{"column": column, "left": pack("i", left)} for column, left in self._splits],
        }


def read_categorical(entry: Mapping[str, Any]) -> Transform:
    """A row → its numbers, and the side that it goes to at each split."""
    numeric, splits = entry["numeric"], [(split["column"], set(unpack(split["left"]))) for split in entry["splits"]]
    # Splits stand in the order in which the trees have them; a column's own are written into their places at once.
    columns = []
    for at, (column, categories) in enumerate(zip(entry["columns"], entry["categories"], strict=True)):
        own = [(place, left) for place, (of, left) in enumerate(splits) if of == at]
        sides = {
            category: [(place, 0.0 if code in left else 1.0) for place, left in own]
            for code, category in enumerate(categories)
            if category is not None
        }
        columns.append((column, sides))
    unknown = [float("nan")] * len(splits)

    def prepare(row: Row) -> Row:
        told = unknown[:]
        for column, sides in columns:
            for place, side in sides.get(row[column], ()):
                told[place] = side
        return [row[place] for place in numeric] + told

    return prepare
