"""Networks, support vector machines, and models of two classes put together."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import svm
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from predictor.compiled.terms import CannotCompile
from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_KERNELS = ("linear", "poly", "rbf", "sigmoid")


@pytest.mark.parametrize("activation", ("identity", "logistic", "tanh", "relu"))
@few(3)
@given(data=data_sets())
def test_network_classifier_with_any_rows_answers_alike(data: Data, activation: str) -> None:
    model = MLPClassifier(hidden_layer_sizes=(5, 3), activation=activation, max_iter=20, random_state=0)
    fitted = fit(make_pipeline(StandardScaler(), model), data.table, data.labels)

    Compared(fitted).check(data)


@pytest.mark.parametrize("activation", ("tanh", "relu"))
@few(3)
@given(data=data_sets())
def test_network_regressor_with_any_rows_answers_alike(data: Data, activation: str) -> None:
    model = MLPRegressor(hidden_layer_sizes=(5, 3), activation=activation, max_iter=20, random_state=0)
    fitted = fit(make_pipeline(StandardScaler(), model), data.table, data.values)

    Compared(fitted).check(data)


def test_network_too_large_to_win_is_not_written() -> None:
    table = np.random.default_rng(0).normal(size=(30, 4))

    with pytest.raises(CannotCompile, match="12,000 times"):
        Compared(fit(MLPRegressor(hidden_layer_sizes=(300, 80), max_iter=2), table, table[:, 0]))


@pytest.mark.parametrize("kernel", _KERNELS)
@few(5)
@given(
    data=data_sets(),
    shape=st.sampled_from(("ovr", "ovo")),
    ties=st.booleans(),
    nu=st.booleans(),
    size=st.floats(0.1, 9),
)
def test_support_classifier_with_any_rows_answers_alike(
    data: Data, kernel: str, shape: str, ties: bool, nu: bool, size: float
) -> None:
    settings: dict[str, Any] = {"kernel": kernel, "decision_function_shape": shape}
    settings["break_ties"] = ties and shape == "ovr"
    model = svm.NuSVC(nu=0.1, **settings) if nu else svm.SVC(C=size, coef0=size / 9, **settings)
    try:
        fitted = fit(make_pipeline(StandardScaler(), model), data.table, data.labels)
    except ValueError:  # libsvm finds no finite weights, as scikit-learn says
        return

    # Where much cancels, the row is handed over; a NuSVC may weigh so heavily that nearly all of it does.
    Compared(fitted).check(data, answered=0.0 if nu else 0.3)


@pytest.mark.parametrize("kernel", _KERNELS)
@few(4)
@given(data=data_sets(), nu=st.booleans(), size=st.floats(0.1, 9))
def test_support_regressor_with_any_rows_answers_alike(data: Data, kernel: str, nu: bool, size: float) -> None:
    model = svm.NuSVR(kernel=kernel, C=size) if nu else svm.SVR(kernel=kernel, C=size, degree=2)
    fitted = fit(make_pipeline(StandardScaler(), model), data.table, data.values)

    # Where much cancels, the row is handed over.
    Compared(fitted).check(data, answered=0.3)


@pytest.mark.parametrize("around", (OneVsRestClassifier, OneVsOneClassifier))
@pytest.mark.parametrize("base", (LogisticRegression(), svm.LinearSVC(), DecisionTreeClassifier(max_depth=2)), ids=str)
@few(3)
@given(data=data_sets())
def test_models_of_two_classes_with_any_rows_answer_alike(around: Any, base: Any, data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), around(base)), data.table, data.labels)

    Compared(fitted).check(data, answered=0.2 if isinstance(base, DecisionTreeClassifier) else 0.7)


@few(6)
@given(data=data_sets())
def test_modified_huber_with_any_rows_answers_alike(data: Data) -> None:
    fitted = fit(make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber")), data.table, data.labels)

    Compared(fitted).check(data)
