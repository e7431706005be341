"""Who is asked by several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from predictor.description import describe


class Meeting(RegressorMixin, BaseEstimator):
    """Answers 1 where another call is inside at the same time, else 0."""

    barrier: Any = None

    def fit(self, table: Any, target: Any) -> "Meeting":
        self.n_features_in_ = 1
        return self

    def predict(self, table: Any) -> Any:
        try:
            if self.barrier is not None:
                self.barrier.wait(0.5)
                return np.ones(len(table))
        except BrokenBarrierError:
            pass
        return np.zeros(len(table))


@pytest.mark.parametrize(("is_scikit_learns_own", "met"), [(False, [0.0, 0.0]), (True, [1.0, 1.0])])
def test_estimator_of_others_answers_one_call_at_a_time(monkeypatch, is_scikit_learns_own, met):
    monkeypatch.setattr("predictor.engines.sklearn_engine.is_of_scikit_learn", lambda estimator: is_scikit_learns_own)
    estimator = Meeting().fit(None, None)
    engine = describe(estimator).engine
    estimator.barrier = Barrier(2)

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(engine.predict, [[[1.0]], [[2.0]]]))

    assert [answer.values[0] for answer in answers] == met
