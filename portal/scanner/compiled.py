"""Numbers that compiled code follows without looking: children of tree nodes, places in a search tree, sparse columns.

scikit-learn checks the kind of these arrays when it loads them, not what they hold; a number out of range makes a
prediction read, or write, outside its memory, and a node that is its own child never lets it end.
Source: sklearn/tree/_tree.pyx, ensemble/_gradient_boosting.pyx, ensemble/_hist_gradient_boosting/_predictor.pyx,
neighbors/_binary_tree.pxi.tp (scikit-learn 1.9.1); scipy/sparse/_compressed.py; numpy/random/_mt19937.pyx, _philox.pyx.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from portal.scanner.allowed import Pair
from portal.scanner.records import read_columns, read_numbers, refuse_numbers
from portal.scanner.standins import Array, Instance

TREE: Pair = ("sklearn.tree._tree", "Tree")
TREE_MODULE = "sklearn.tree._classes"
PREDICTOR: Pair = ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor")
HIST_MODULE = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"
METRIC_MODULES = ("sklearn.metrics._dist_metrics", "sklearn.neighbors._dist_metrics")
WEIGHTED_METRICS = ("SEuclideanDistance", "MahalanobisDistance")
MAX_DEGREE = 100
# Where a generator of random numbers stands in its own table: name → one past the last place.
PLACES = {"pos": 625, "buffer_pos": 5}
Check = Callable[[Instance], None]


def is_followed(pair: Pair) -> bool:
    return pair in CHECKS or pair[0] in CHECKS_OF_MODULES


def check_compiled(compiled: list[Instance]) -> None:
    """All that must fit together once the whole file has been read. Raises: RefusedError"""
    for instance in compiled:
        check = CHECKS.get(instance.made_by.pair) or CHECKS_OF_MODULES.get(instance.made_by.pair[0])
        if check is not None:
            check(instance)


def check_tree(tree: Instance) -> None:
    """A decision tree: children come after their parent and lie in the tree, features lie in the table.

    Called as soon as the tree has its state, so that the nodes of a large forest need not all be held.
    """
    check_tree_arguments(tree.arguments)
    n_features, nodes = tree.arguments[0], tree.state.get("nodes")
    if type(nodes) is not Array or len(nodes.shape) != 1 or tree.state.get("node_count") != nodes.shape[0]:
        raise refuse_numbers(tree)
    count = nodes.shape[0]
    depths = [0] * count
    for node, (left, right, feature) in enumerate(read_columns(nodes, ("left_child", "right_child", "feature"), tree)):
        if left == -1:
            continue
        if not (node < left < count and node < right < count and 0 <= feature < n_features):
            raise refuse_numbers(tree)
        depths[left] = depths[right] = depths[node] + 1
    max_depth = tree.state.get("max_depth")
    if not count or type(max_depth) is not int or max_depth < max(depths):
        raise refuse_numbers(tree)
    nodes.content = None


def check_tree_arguments(arguments: tuple[Any, ...]) -> None:
    if len(arguments) != 3:
        raise refuse_numbers(None)
    n_features, n_classes, n_outputs = arguments
    if type(n_features) is not int or type(n_outputs) is not int or type(n_classes) is not Array:
        raise refuse_numbers(None)
    if n_features < 0 or n_outputs < 1 or n_classes.shape != (n_outputs,) or min(read_numbers(n_classes, None)) < 1:
        raise refuse_numbers(None)


def check_tree_is_filled(tree: Instance) -> None:
    if "nodes" not in tree.state:
        raise refuse_numbers(tree)


def check_tree_model(model: Instance) -> None:
    """The one tree of a decision tree looks at no more columns than the model asks for."""
    tree = model.state.get("tree_")
    if tree is None:
        return
    if type(tree) is not Instance or tree.made_by.pair != TREE or tree.arguments[0] != count_features(model):
        raise refuse_numbers(model)


def check_forest(forest: Instance) -> None:
    """Forests and boosted trees check the table once, and hand it to every tree unchecked."""
    if "estimators_" not in forest.state:
        return
    for model in list_trees(forest):
        if count_features(model) != count_features(forest):
            raise refuse_numbers(forest)


def check_boosting(boosting: Instance) -> None:
    check_forest(boosting)
    array = boosting.state.get("estimators_")
    if array is None:
        return
    n_columns = boosting.state.get("n_trees_per_iteration_")
    if type(array) is not Array or len(array.shape) != 2 or (n_columns is not None and array.shape[1] != n_columns):
        raise refuse_numbers(boosting)


def check_isolation_forest(forest: Instance) -> None:
    """Its trees may each see some columns only: as many as are chosen for them."""
    if "estimators_" not in forest.state:
        return
    trees, chosen = list(list_trees(forest)), forest.state.get("estimators_features_")
    if type(chosen) is not list or len(chosen) != len(trees):
        raise refuse_numbers(forest)
    for model, columns in zip(trees, chosen, strict=True):
        n_columns = count_features(model)
        if type(columns) is not Array or columns.shape != (n_columns,) or n_columns > count_features(forest):
            raise refuse_numbers(forest)


def list_trees(forest: Instance) -> Iterator[Instance]:
    held = forest.state["estimators_"]
    rows = held.cells if type(held) is Array else held
    for row in rows if type(rows) is list else [None]:
        for model in row if type(row) is list else [row]:
            if type(model) is not Instance or model.made_by.pair[0] != TREE_MODULE or "tree_" not in model.state:
                raise refuse_numbers(forest)
            yield model


def count_features(model: Instance) -> int:
    count = model.state.get("n_features_in_")
    if type(count) is not int:
        raise refuse_numbers(model)
    return count


def check_hist_boosting(boosting: Instance) -> None:
    """Histogram boosting: every predictor looks at columns that are there, and at categories of categorical ones."""
    iterations = boosting.state.get("_predictors")
    if iterations is None:
        return
    mapper = boosting.state.get("_bin_mapper")
    flags = mapper.state.get("is_categorical_") if type(mapper) is Instance else None
    n_features = count_features(boosting)
    categorical = set()
    if type(flags) is Array and flags.shape == (n_features,):
        categorical = {column for column, flag in enumerate(read_numbers(flags, boosting)) if flag}
    for iteration in iterations if type(iterations) is list else [None]:
        for predictor in iteration if type(iteration) is list else [None]:
            if type(predictor) is not Instance or predictor.made_by.pair != PREDICTOR:
                raise refuse_numbers(boosting)
            check_predictor(predictor, n_features, categorical)


def check_predictor(predictor: Instance, n_features: int, categorical: set[int]) -> None:
    nodes, bitsets = predictor.state.get("nodes"), predictor.state.get("raw_left_cat_bitsets")
    if type(nodes) is not Array or type(bitsets) is not Array or len(nodes.shape) != 1 or bitsets.shape[1:] != (8,):
        raise refuse_numbers(predictor)
    names = ("is_leaf", "left", "right", "feature_idx", "is_categorical", "bitset_idx")
    count = nodes.shape[0]
    for node, numbers in enumerate(read_columns(nodes, names, predictor)):
        is_leaf, left, right, feature, is_categorical, bitset = numbers
        if is_leaf:
            continue
        if not (node < left < count and node < right < count and 0 <= feature < n_features):
            raise refuse_numbers(predictor)
        if is_categorical and (feature not in categorical or bitset >= bitsets.shape[0]):
            raise refuse_numbers(predictor)
    if not count:
        raise refuse_numbers(predictor)


def check_search_tree(tree: Instance) -> None:
    """KD and ball trees: nodes halve the points, node i has the children 2i + 1 and 2i + 2."""
    if len(tree.numbers) != 13 or not all(type(part) is Array for part in tree.numbers[:4]):
        raise refuse_numbers(tree)
    points, places, nodes, bounds = tree.numbers[:4]
    metric, weights = tree.numbers[11:]
    if len(points.shape) != 2 or places.shape != points.shape[:1] or len(nodes.shape) != 1:
        raise refuse_numbers(tree)
    n_points, count = points.shape[0], nodes.shape[0]
    if len(bounds.shape) != 3 or bounds.shape[1:] != (count, points.shape[1]) or bounds.shape[0] not in (1, 2):
        raise refuse_numbers(tree)
    if ("KDTree" in tree.made_by.pair[1]) != (bounds.shape[0] == 2) or not count:
        raise refuse_numbers(tree)
    if any(not 0 <= place < n_points for place in read_numbers(places, tree)):
        raise refuse_numbers(tree)
    for node, (start, end, is_leaf) in enumerate(read_columns(nodes, ("idx_start", "idx_end", "is_leaf"), tree)):
        if not 0 <= start <= end <= n_points or (not is_leaf and 2 * node + 2 >= count):
            raise refuse_numbers(tree)
    if weights is not None and (type(weights) is not Array or weights.shape != (n_points,)):
        raise refuse_numbers(tree)
    check_metric(tree, metric, points.shape[1])


def check_metric(tree: Instance, metric: Any, n_features: int) -> None:
    """A distance that weighs each column has as many weights as there are columns."""
    if type(metric) is not Instance or metric.made_by.pair[0] not in METRIC_MODULES:
        raise refuse_numbers(tree)
    is_weighted = metric.made_by.pair[1].rstrip("3264") in WEIGHTED_METRICS
    arrays = [part for part in metric.numbers if type(part) is Array]
    sides = {side for array in arrays for side in array.shape}
    if (is_weighted and not arrays) or not sides <= ({n_features} if is_weighted else {n_features, 0, 1}):
        raise refuse_numbers(tree)


def check_sparse(matrix: Instance) -> None:
    """A compressed sparse matrix: its rows (or columns) follow one another, and every entry lies in the table."""
    indices, indptr, values = (matrix.state.get(name, None) for name in ("indices", "indptr", "data"))
    n_major, n_minor = read_sides(matrix)
    if "csc" in matrix.made_by.pair[1]:
        n_major, n_minor = n_minor, n_major
    if type(values) is not Array or len(values.shape) != 1:
        raise refuse_numbers(matrix)
    starts, places = read_numbers(indptr, matrix), read_numbers(indices, matrix)
    if len(starts) != n_major + 1 or starts[0] != 0 or any(later < sooner for sooner, later in pairwise(starts)):
        raise refuse_numbers(matrix)
    if not starts[-1] <= len(places) or not starts[-1] <= values.shape[0]:
        raise refuse_numbers(matrix)
    if len(places) and not (min(places) >= 0 and max(places) < n_minor):
        raise refuse_numbers(matrix)


def check_coordinates(matrix: Instance) -> None:
    parts = matrix.state.get("coords") or (matrix.state.get("row"), matrix.state.get("col"))
    sides = read_sides(matrix)
    if type(parts) is not tuple or len(parts) != 2 or not all(type(part) is Array for part in parts):
        raise refuse_numbers(matrix)
    for part, side in zip(parts, sides, strict=True):
        places = read_numbers(part, matrix)
        if len(places) and not (min(places) >= 0 and max(places) < side):
            raise refuse_numbers(matrix)


def read_sides(matrix: Instance) -> tuple[int, int]:
    shape = matrix.state.get("_shape")
    if type(shape) is not tuple or len(shape) != 2 or any(type(side) is not int or side < 0 for side in shape):
        raise refuse_numbers(matrix)
    return shape


def check_spline(spline: Instance) -> None:
    """As many coefficients as the knots call for."""
    knots = spline.state.get("_t", spline.state.get("t"))
    coefficients = spline.state.get("_c", spline.state.get("c"))
    degree = spline.state.get("k")
    if type(knots) is not Array or type(coefficients) is not Array or type(degree) is not int:
        raise refuse_numbers(spline)
    if not 0 <= degree <= MAX_DEGREE or len(knots.shape) != 1 or not coefficients.shape:
        raise refuse_numbers(spline)
    if not 2 * degree + 2 <= knots.shape[0] <= coefficients.shape[0] + degree + 1:
        raise refuse_numbers(spline)


def check_random(made: Instance | None, state: Any) -> None:
    """A generator of random numbers stands within its own table. Called with the state, which numpy reads at once."""
    parts = state if type(state) is tuple else (state,)
    if len(parts) > 2 or not all(type(part) in (dict, Instance, type(None)) for part in parts):
        raise refuse_numbers(made)
    for part in parts:
        for inner in (part, part.get("state")) if type(part) is dict else ():
            for name, end in PLACES.items():
                place = inner.get(name, 0) if type(inner) is dict else 0
                if type(place) is not int or not 0 <= place < end:
                    raise refuse_numbers(made)


CHECKS: dict[Pair, Check] = {
    TREE: check_tree_is_filled,
    ("sklearn.ensemble._iforest", "IsolationForest"): check_isolation_forest,
    ("scipy.interpolate._bsplines", "BSpline"): check_spline,
    **{(f"scipy.sparse.{room}csr", f"csr_{kind}"): check_sparse for room in ("_", "") for kind in ("matrix", "array")},
    **{(f"scipy.sparse.{room}csc", f"csc_{kind}"): check_sparse for room in ("_", "") for kind in ("matrix", "array")},
    **{
        (f"scipy.sparse.{room}coo", f"coo_{kind}"): check_coordinates
        for room in ("_", "")
        for kind in ("matrix", "array")
    },
    **{
        (f"sklearn.neighbors._{room}", f"{kind}{bits}"): check_search_tree
        for room, kind in (("kd_tree", "KDTree"), ("ball_tree", "BallTree"))
        for bits in ("", "32", "64")
    },
}
CHECKS_OF_MODULES: dict[str, Check] = {
    TREE_MODULE: check_tree_model,
    "sklearn.ensemble._forest": check_forest,
    "sklearn.ensemble._gb": check_boosting,
    HIST_MODULE: check_hist_boosting,
}
