"""Every estimator of scikit-learn is served, alone or within a pipeline, or is on the list of those that cannot be."""

import pytest

from tests.predictor.estimators import ESTIMATORS, NOT_SERVED, make_served, outcome
from tests.predictor.examining import examine
from tests.predictor.factories import verified

# scikit-learn 1.9.1. A new version brings new ones: look at each, then count again.
_COUNT = 210


def test_all_estimators_are_counted():
    assert len(ESTIMATORS) == _COUNT
    assert set(NOT_SERVED) <= set(ESTIMATORS)


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - set(NOT_SERVED)))
def test_estimator_is_served_alone_or_in_a_pipeline(name):
    assert outcome(name, examine) in ("alone", "in a pipeline")


@pytest.mark.parametrize("name", sorted(NOT_SERVED))
def test_estimator_that_is_listed_cannot_be_served(name):
    assert outcome(name, examine).startswith("refused: ")


@pytest.mark.parametrize("name", ["KMeans", "IsolationForest", "TargetEncoder", "TfidfVectorizer", "StackingRegressor"])
def test_estimator_of_each_kind_is_served_behind_the_walls(name):
    assert verified(make_served(name))["ok"]
