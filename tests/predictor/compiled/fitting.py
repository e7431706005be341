"""Fitting on few rows, of which scikit-learn warns, and how often a property is tried."""

import os
import warnings
from typing import Any

from hypothesis import HealthCheck, Phase, reject, settings
from sklearn.base import clone

# Many more by PORTICO_TEST_EXAMPLES=20, for whoever has changed an operation.
_TIMES = int(os.environ.get("PORTICO_TEST_EXAMPLES", "1"))


def few(count: int) -> settings:
    """A property is tried on `count` data sets, the same in each run."""
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(
        max_examples=count * _TIMES,
        deadline=None,
        derandomize=_TIMES == 1,
        database=None,
        # A data set is mostly its seed, of which a smaller one says no more.
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=slow,
    )


def fit(estimator: Any, table: Any, target: Any) -> Any:
    """A fitted clone. What scikit-learn cannot fit is no example."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return clone(estimator).fit(table, target)
        except (TypeError, ValueError):
            reject()
