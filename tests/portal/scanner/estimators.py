"""Every estimator that scikit-learn has, fitted on the first of several small data sets that it takes."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.utils._test_common.instance_generator import _construct_instances
from sklearn.utils.discovery import all_estimators

RANDOM = np.random.RandomState(7)
ROWS = np.abs(RANDOM.normal(size=(60, 4)).round(3)) + 0.1
TWO = (ROWS[:, 0] > np.median(ROWS[:, 0])).astype(int)
NUMBER = ROWS @ [1.0, 2.0, 0.5, 1.0]
TEXTS = ["red apple pie", "green pear", "apple green", "pear pie red"] * 15

# What `fit` is tried with, in turn; the first that works counts.
DATA: tuple[tuple[Any, ...], ...] = (
    (ROWS, TWO),
    (ROWS, NUMBER),
    (ROWS,),
    (ROWS, np.c_[TWO, 1 - TWO]),
    (ROWS, np.c_[NUMBER, NUMBER[::-1]]),
    (ROWS[:, 0], NUMBER),
    (TEXTS,),
    ([{"a": 1.0, "b": word} for word in TEXTS],),
    (TWO,),
    ([["red"], ["green"]] * 30,),
    (ROWS @ ROWS.T,),
)
# Kind of estimator, by the room it lives in: rows of the table in `table.py`.
FAMILIES = {
    "linear_model": "linear",
    "ensemble": "ensembles",
    "tree": "trees",
    "neighbors": "neighbours",
    "svm": "support vectors",
    "naive_bayes": "naive Bayes",
    "neural_network": "neural networks",
    "gaussian_process": "Gaussian processes",
    "cluster": "clusters",
    "mixture": "mixtures",
    "decomposition": "decomposition",
    "cross_decomposition": "decomposition",
    "manifold": "manifold",
    "preprocessing": "preprocessing",
    "impute": "preprocessing",
    "feature_extraction": "text and features",
    "feature_selection": "selection",
    "model_selection": "searches",
    "covariance": "covariance",
    "pipeline": "compositions",
    "compose": "compositions",
    "multiclass": "compositions",
    "multioutput": "compositions",
    "calibration": "compositions",
}


def list_estimators() -> dict[str, type]:
    return dict(all_estimators())


def family_of(estimator: type) -> str:
    return FAMILIES.get(estimator.__module__.split(".")[1], "others")


def fit_any(estimator: type) -> Any:
    """A fitted one.

    Raises: ValueError: it can be fitted on none of the data
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for attempt in attempts(estimator):
            try:
                return attempt()
            except Exception:  # noqa: S112  (whatever one estimator says to data that is not for it)
                continue
    raise ValueError(f"{estimator.__name__} takes none of the data")


def attempts(estimator: type) -> Iterator[Callable[[], Any]]:
    for instance in _construct_instances(estimator):
        for data in DATA:
            yield lambda instance=instance, data=data: instance.fit(*data)
