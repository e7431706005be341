"""Writes the list of things a model file may name: `python lambda_docker/allowlist.py --write`.

Runs where scikit-learn is installed; the portal only reads the result, `portal/scanner/allowed.json`. Run it again
after a change of scikit-learn's version or of `packages.toml`, which adds names of other packages. A package that is
not installed here keeps the names it had. Four grants, from the widest to the narrowest:

    estimators    classes that may be made without arguments, given a state, and stand at the top of a file
    classes       the same, but only inside an estimator
    constructors  compiled classes that may be called with arguments and given a state
    values        functions and types that may be mentioned, never called while loading

Functions that rebuild numpy arrays and the like need their arguments checked one by one: these are not here but in
`portal/scanner/reconstructors.py`.
"""

import argparse
import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import pkgutil
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import sklearn
from sklearn.base import BaseEstimator

Pairs = set[tuple[str, str]]
Listed = dict[str, Any]

PACKAGES = Path(__file__).with_name("packages.toml")
LIST = Path(__file__).parents[1] / "portal" / "scanner" / "allowed.json"
GRANTS = ("estimators", "classes", "constructors", "values")

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
    sum tan tanh trunc
    add around clip cumsum diff divide hypot isfinite isinf isnan multiply nan_to_num nanmax nanmean nanmedian nanmin
    nanstd nansum power ravel reshape round squeeze subtract transpose"""

# skops names these by the module that compiled them, where pickle takes numpy's own.
NUMPY_UFUNCS = {name for name in NUMPY_FUNCTIONS.split() if isinstance(getattr(numpy, name), numpy.ufunc)}
SCIPY_UFUNCS = "boxcox boxcox1p cbrt erf erfc erfinv exp10 exp2 expit expm1 gammaln inv_boxcox inv_boxcox1p log1p logit"
UFUNCS = {("numpy._core._multiarray_umath", name) for name in NUMPY_UFUNCS}
UFUNCS |= {("scipy.special._ufuncs", name) for name in SCIPY_UFUNCS.split()}

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


class MisplacedError(Exception):
    """A name in packages.toml is not what it says; the message says which and why."""


def main() -> None:
    """Print the list as JSON, sorted, so that a change of version reads well as a diff."""
    parser = argparse.ArgumentParser(description="The list of things a model file may name.")
    parser.add_argument("--packages", type=Path, default=PACKAGES, help="names of other packages (%(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write {LIST.name} instead of printing it")
    options = parser.parse_args()
    before = json.loads(LIST.read_text(encoding="utf-8") or "{}") if LIST.exists() else {}
    try:
        packages = list_packages(
            tomllib.loads(options.packages.read_text(encoding="utf-8")), before.get("packages", {})
        )
    except (MisplacedError, tomllib.TOMLDecodeError) as fault:
        sys.exit(f"{options.packages}: {fault}")
    text = json.dumps({"scikit-learn": sklearn.__version__, **list_sklearn(), "packages": packages}, indent=1) + "\n"
    if options.write:
        LIST.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def list_sklearn() -> Listed:
    modules = list(import_modules())
    estimators = {pair for module in modules for pair in own_classes(module, BaseEstimator)}
    parts = PART_CLASSES | classes_of(PARTS) | classes_of(SPARSE_MODULES) | OLD_CLASSES
    values = VALUES | functions_of(VALUE_MODULES) | UFUNCS
    values |= {("numpy", name) for name in (NUMPY_TYPES + " " + NUMPY_FUNCTIONS).split()}
    grants = {
        "estimators": estimators,
        "classes": parts - estimators,
        "constructors": COMPILED_CLASSES | classes_of(COMPILED) | OLD_COMPILED,
        "values": values,
    }
    return {grant: group_by_module(pairs) for grant, pairs in grants.items()}


def list_packages(wanted: dict[str, Listed], before: Listed) -> Listed:
    """Import name → its version and its grants, each name looked up in the installed package.

    Raises: MisplacedError: a name that is not defined where it is said to be, or is not of the kind it is granted as
    """
    listed = {}
    for package, granted in sorted(wanted.items()):
        if unknown := set(granted) - set(GRANTS):
            raise MisplacedError(f"{package} has {sorted(unknown)[0]!r}; a package grants {', '.join(GRANTS)}")
        if importlib.util.find_spec(package) is not None:
            listed[package] = {"version": version_of(package), **check_package(package, granted)}
        elif package in before:
            print(f"{package} is not installed here: its names stay as they were listed.", file=sys.stderr)
            listed[package] = before[package]
        else:
            print(f"{package} is not installed here and was never listed: it is left out.", file=sys.stderr)
    return listed


def check_package(package: str, granted: Listed) -> Listed:
    for grant, modules in granted.items():
        for module, names in modules.items():
            for name in names:
                check_name(package, module, name, grant)
    return {
        grant: {module: sorted(names) for module, names in sorted(granted[grant].items())} for grant in sorted(granted)
    }


def check_name(package: str, module: str, name: str, grant: str) -> None:
    if module.split(".")[0] != package:
        raise MisplacedError(f"{module} is not a module of {package}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thing = getattr(importlib.import_module(module), name, None)
    if (getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)) != (module, name):
        raise MisplacedError(f"{module}.{name} is not defined there; name the module that defines it")
    if grant != "values" and not inspect.isclass(thing):
        raise MisplacedError(f"{module}.{name} is not a class, and can only be one of the values")
    if grant == "estimators" and not (callable(getattr(thing, "fit", None)) and hasattr(thing, "get_params")):
        raise MisplacedError(f"{module}.{name} is not an estimator: it has no fit and get_params")


def version_of(package: str) -> str | None:
    """The version of the distribution that brings the package, None for a folder on the path."""
    names = importlib.metadata.packages_distributions().get(package, [])
    return importlib.metadata.version(names[0]) if names else None


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
