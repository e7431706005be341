"""Naive Bayes and discriminants."""

from typing import Any

import pytest
from hypothesis import given
from sklearn import naive_bayes
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_COUNTS = (naive_bayes.MultinomialNB(), naive_bayes.ComplementNB(), naive_bayes.ComplementNB(norm=True))
_OTHERS = (
    naive_bayes.GaussianNB(),
    naive_bayes.BernoulliNB(),
    naive_bayes.BernoulliNB(binarize=0.5),
    LinearDiscriminantAnalysis(),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2),
    QuadraticDiscriminantAnalysis(reg_param=0.2),
)


@pytest.mark.parametrize("model", _COUNTS, ids=str)
@few(4)
@given(data=data_sets(positive=True, least=2))
def test_bayes_of_counts_with_any_rows_answers_alike(model: Any, data: Data) -> None:
    fitted = fit(model, data.table, data.labels)

    Compared(fitted).check(data, answered=0.5)


@pytest.mark.parametrize("model", _OTHERS, ids=str)
@few(4)
@given(data=data_sets())
def test_bayes_and_discriminants_with_any_rows_answer_alike(model: Any, data: Data) -> None:
    Compared(fit(model, data.table, data.labels)).check(data)
