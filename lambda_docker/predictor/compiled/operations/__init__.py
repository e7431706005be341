"""All operations, by the document's names and by the estimators that they write."""

import importlib

from predictor.compiled.terms import Operation

_MODULES = (
    "adaptive",
    "bayes",
    "bending",
    "binning",
    "boosters",
    "calibrating",
    "columns",
    "encoding",
    "imputing",
    "linear",
    "neighbors",
    "networks",
    "one_against",
    "products",
    "scaling",
    "stacking",
    "sums",
    "support",
    "targets",
    "trees",
    "voting",
    "xgb",
)

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for module in _MODULES
    for operation in importlib.import_module(f"{__name__}.{module}").OPERATIONS
}
BY_CLASS: dict[str, Operation] = {name: operation for operation in OPERATIONS.values() for name in operation.classes}
