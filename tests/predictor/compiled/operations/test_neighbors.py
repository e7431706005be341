"""Nearest neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from predictor.compiled.terms import CannotCompile
from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_METRICS = st.sampled_from(("euclidean", "manhattan", "minkowski"))
_WEIGHTS = st.sampled_from(("uniform", "distance"))


@few(12)
@given(data=data_sets(), metric=_METRICS, weights=_WEIGHTS, count=st.integers(1, 6))
def test_neighbors_classifier_with_any_rows_answers_alike(data: Data, metric: str, weights: str, count: int) -> None:
    model = KNeighborsClassifier(count, metric=metric, weights=weights)

    # Counts tie all the time.
    Compared(fit(model, data.table, data.labels)).check(data, answered=0.0)


@few(12)
@given(data=data_sets(), metric=_METRICS, weights=_WEIGHTS, count=st.integers(1, 6))
def test_neighbors_regressor_with_any_rows_answers_alike(data: Data, metric: str, weights: str, count: int) -> None:
    model = KNeighborsRegressor(count, metric=metric, weights=weights)

    Compared(fit(model, data.table, data.values)).check(data, answered=0.0)


def test_neighbors_of_measured_rows_are_answered_by_the_walker() -> None:
    table = np.random.default_rng(3).normal(size=(40, 3))
    data = Data(table, np.arange(40) % 3, table[:, 0], 3)

    for algorithm in ("brute", "kd_tree", "ball_tree"):
        Compared(fit(KNeighborsClassifier(algorithm=algorithm), table, data.labels)).check(data, answered=1.0)


def test_neighbors_too_many_to_win_are_not_written() -> None:
    table = np.random.default_rng(3).normal(size=(7000, 3))

    with pytest.raises(CannotCompile, match="20,000 numbers"):
        Compared(fit(KNeighborsRegressor(), table, table[:, 0]))
