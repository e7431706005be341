"""Writes the list of things a model file may name: `python lambda_docker/allowlist.py > portal/scanner/allowed.json`.

Runs where scikit-learn is installed; the portal only reads the result. Run it again after a change of scikit-learn's
version. Four grants, from the widest to the narrowest:

    estimators    classes that may be made without arguments, given a state, and stand at the top of a file
    classes       the same, but only inside an estimator
    constructors  compiled classes that may be called with arguments and given a state
    values        functions and types that may be mentioned, never called while loading

Functions that rebuild numpy arrays and the like need their arguments checked one by one: these are not here but in
`portal/scanner/reconstructors.py`.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType

import sklearn
from sklearn.base import BaseEstimator

Pairs = set[tuple[str, str]]

# Nothing in these belongs into a fitted model; some open files, start processes or fetch from the network.
SHUT = (
    "tests",
    "conftest",
    "datasets",
    "externals",
    "experimental",
    "_build_utils",
    "_plot",
    "_testing",
    "_mocking",
    "parallel",
    "_repr",
)

# Modules whose classes are parts of fitted estimators without being estimators themselves.
PARTS = (
    "sklearn._loss.link",
    "sklearn._loss.loss",
    "sklearn.calibration",
    "sklearn.cluster._birch",
    "sklearn.cluster._bisect_k_means",
    "sklearn.ensemble._hist_gradient_boosting.binning",
    "sklearn.ensemble._hist_gradient_boosting.predictor",
    "sklearn.gaussian_process.kernels",
    "sklearn.metrics._scorer",
    "sklearn.model_selection._split",
    "sklearn.neural_network._stochastic_optimizers",
    "sklearn.utils._bunch",
    "sklearn.utils._metadata_requests",
)
PART_CLASSES = {
    ("sklearn.compose._column_transformer", "make_column_selector"),
    ("sklearn.impute._iterative", "_ImputerTriplet"),
    ("scipy.interpolate._bsplines", "BSpline"),
}
COMPILED = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast", "sklearn.metrics._dist_metrics")
COMPILED_CLASSES = {
    ("sklearn.tree._tree", "Tree"),
    ("sklearn.neighbors._kd_tree", "KDTree"),
    ("sklearn.neighbors._kd_tree", "KDTree32"),
    ("sklearn.neighbors._kd_tree", "KDTree64"),
    ("sklearn.neighbors._ball_tree", "BallTree"),
    ("sklearn.neighbors._ball_tree", "BallTree32"),
    ("sklearn.neighbors._ball_tree", "BallTree64"),
}
SPARSE_MODULES = tuple(f"scipy.sparse._{kind}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"))

# Functions that estimators keep as parameters: scores, criteria of selection, kernels.
VALUE_MODULES = (
    "sklearn.feature_selection._mutual_info",
    "sklearn.feature_selection._univariate_selection",
    "sklearn.metrics._classification",
    "sklearn.metrics._ranking",
    "sklearn.metrics._regression",
    "sklearn.metrics.cluster._supervised",
)
VALUES = {
    ("sklearn.cluster._kmeans", "_kmeans_single_elkan"),
    ("sklearn.cluster._kmeans", "_kmeans_single_lloyd"),
    ("sklearn.utils.validation", "check_array"),
    ("scipy._lib.array_api_compat.numpy._aliases", "asarray"),
    *(
        ("sklearn.metrics.pairwise", f"{kind}_kernel")
        for kind in ("linear", "polynomial", "rbf", "laplacian", "sigmoid")
    ),
    *(
        ("builtins", kind)
        for kind in ("object", "int", "float", "bool", "str", "bytes", "list", "dict", "tuple", "set")
    ),
}
NUMPY_TYPES = (
    "bool_ bool float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 str_ object_ ndarray"
)
NUMPY_FUNCTIONS = """abs absolute arcsin arcsinh arctan arctanh cbrt ceil
    cos cosh exp exp2 expm1 floor log log10 log1p log2
    max maximum mean median min minimum negative positive rad2deg deg2rad reciprocal rint sign sin sinh sqrt square std
    sum tan tanh trunc"""

# Spellings of scikit-learn 1.0 to 1.8 and scipy before 1.8 that moved since; the classes were the same kind of thing.
OLD_CLASSES = {
    ("sklearn.utils", "Bunch"),
    *(("sklearn.ensemble._gb_losses", f"{kind}") for kind in ("BinomialDeviance", "MultinomialDeviance")),
    *(("sklearn.ensemble._gb_losses", f"{kind}") for kind in ("ExponentialLoss", "LeastSquaresError")),
    *(("sklearn.ensemble._gb_losses", f"{kind}LossFunction") for kind in ("Huber", "Quantile")),
    ("sklearn.ensemble._gb_losses", "LeastAbsoluteError"),
    *(
        ("sklearn.ensemble._hist_gradient_boosting.loss", f"{kind}")
        for kind in ("LeastSquares", "LeastAbsoluteDeviation")
    ),
    *(("sklearn.ensemble._hist_gradient_boosting.loss", f"{kind}CrossEntropy") for kind in ("Binary", "Categorical")),
    ("sklearn.ensemble._hist_gradient_boosting.loss", "Poisson"),
    *(("sklearn.metrics._scorer", f"_{kind}Scorer") for kind in ("Predict", "Proba", "Threshold")),
    ("scipy.sparse.csr", "csr_matrix"),
    ("scipy.sparse.csc", "csc_matrix"),
    ("scipy.sparse.coo", "coo_matrix"),
}
OLD_COMPILED = {
    *(("sklearn.linear_model._sgd_fast", kind) for kind in ("Log", "SquaredLoss", "Huber", "EpsilonInsensitive")),
    *(("sklearn.linear_model._sgd_fast", kind) for kind in ("SquaredEpsilonInsensitive", "Hinge", "ModifiedHuber")),
    *(
        (f"sklearn.{room}._dist_metrics", f"{kind}Distance")
        for room in ("neighbors", "metrics")
        for kind in ("Euclidean", "Manhattan", "Chebyshev", "Minkowski", "Haversine")
    ),
}


def main() -> None:
    """Print the list as JSON, sorted, so that a change of version reads well as a diff."""
    modules = list(import_modules())
    estimators = {pair for module in modules for pair in own_classes(module, BaseEstimator)}
    parts = PART_CLASSES | classes_of(PARTS) | classes_of(SPARSE_MODULES) | OLD_CLASSES
    compiled = COMPILED_CLASSES | classes_of(COMPILED) | OLD_COMPILED
    values = VALUES | functions_of(VALUE_MODULES)
    values |= {("numpy", name) for name in (NUMPY_TYPES + " " + NUMPY_FUNCTIONS).split()}
    grants = {
        "estimators": estimators,
        "classes": parts - estimators,
        "constructors": compiled,
        "values": values,
    }
    listed = {grant: group_by_module(pairs) for grant, pairs in grants.items()}
    json.dump({"scikit-learn": sklearn.__version__, **listed}, sys.stdout, indent=1)
    sys.stdout.write("\n")


def import_modules() -> Iterator[ModuleType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in pkgutil.walk_packages(sklearn.__path__, "sklearn."):
            if not any(part.startswith(SHUT) for part in found.name.split(".")):
                yield importlib.import_module(found.name)


def own_classes(module: ModuleType, base: type = object) -> Pairs:
    """Classes that the module itself defines: an imported name would be a second door to the same thing."""
    return {
        (module.__name__, name)
        for name, thing in vars(module).items()
        if inspect.isclass(thing)
        and issubclass(thing, base)
        and (thing.__module__, thing.__qualname__) == (module.__name__, name)
        and not issubclass(thing, BaseException)
        and not name.startswith(("PyFunc", "BaseEstimator"))
        and not name.endswith("Display")
    }


def classes_of(names: tuple[str, ...]) -> Pairs:
    return {pair for name in names for pair in own_classes(importlib.import_module(name))}


def functions_of(names: tuple[str, ...]) -> Pairs:
    modules = [importlib.import_module(name) for name in names]
    return {
        (module.__name__, name)
        for module in modules
        for name, thing in vars(module).items()
        if inspect.isfunction(thing) and thing.__module__ == module.__name__ and not name.startswith("_")
    }


def group_by_module(pairs: Pairs) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for module, name in sorted(pairs):
        grouped.setdefault(module, []).append(name)
    return grouped


if __name__ == "__main__":
    main()
