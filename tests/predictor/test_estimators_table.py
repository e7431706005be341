"""docs/estimators.md is what becomes of scikit-learn's estimators today."""

import re

import pytest

from tests.predictor.estimators import ESTIMATORS
from tests.predictor.estimators_table import DOCS, by_writing, outcome_of

_LISTED = re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)


def test_documented_estimators_are_scikit_learns():
    assert [name for name, _ in _LISTED] == list(ESTIMATORS)


@pytest.mark.parametrize(("name", "kind"), _LISTED)
def test_estimator_becomes_what_is_documented(name, kind):
    assert outcome_of(name, by_writing).kind == kind
