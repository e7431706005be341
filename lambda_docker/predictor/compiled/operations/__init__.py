"""The operations of documents, each in the module that the list below names; `registry` has them all.

Reading imports the modules of a document's own operations alone: all of them take longer than the rest of a cold start.
"""

import importlib

from predictor.compiled.terms import Operation

NAMES_BY_MODULE = {
    "adaptive": ("adaptive_classifier", "adaptive_regressor"),
    "bayes": ("bayes_gaussian", "bayes_counts", "bayes_bernoulli", "quadratic"),
    "bending": ("power", "quantiles", "target_means"),
    "binning": ("bins",),
    "boosters": ("lightgbm_classifier", "lightgbm_regressor"),
    "calibrating": ("calibrate", "isotonic", "frozen", "consensus"),
    "columns": ("pipeline", "columns", "union", "select", "pass", "search"),
    "encoding": ("one_hot", "ordinal"),
    "imputing": ("impute", "tell_missing"),
    "linear": ("linear", "generalized_linear", "logistic", "decide", "sgd"),
    "neighbors": ("neighbors_classifier", "neighbors_regressor"),
    "networks": ("network_classifier", "network_regressor"),
    "one_against": ("one_against_rest", "one_against_one"),
    "products": ("polynomial", "components", "truncated_components"),
    "scaling": ("scale", "scale_robust", "scale_max_abs", "scale_min_max", "normalize", "binarize"),
    "stacking": ("stack_classifier", "stack_regressor"),
    "sums": ("boosting_classifier", "boosting_regressor", "histograms_classifier", "histograms_regressor"),
    "support": ("support_classifier", "support_regressor"),
    "targets": ("transformed_target", "dummy_classifier", "dummy_regressor"),
    "trees": ("forest_classifier", "forest_regressor"),
    "voting": ("voting_classifier", "voting_regressor", "bagging_classifier", "bagging_regressor"),
    "xgb": ("xgboost_classifier", "xgboost_regressor"),
}

_MODULES = {name: module for module, names in NAMES_BY_MODULE.items() for name in names}
_found: dict[str, Operation] = {}


def find(name: str) -> Operation:
    """The operation of that name in documents. Raises: KeyError: there is none."""
    if name not in _found:
        _found.update((operation.name, operation) for operation in load(_MODULES[name]))
    return _found[name]


def load(module: str) -> tuple[Operation, ...]:
    """The operations of one module of NAMES_BY_MODULE."""
    return tuple(importlib.import_module(f"{__name__}.{module}").OPERATIONS)
