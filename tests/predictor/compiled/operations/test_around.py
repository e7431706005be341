"""What is built around other models: AdaBoost, calibration, stacks, transformed targets; and dummies."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import dummy, ensemble
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from predictor.compiled.operations.certain import require_decisions
from predictor.compiled.terms import CannotCompile
from tests.predictor.compiled.comparing import Compared, Data, data_sets
from tests.predictor.compiled.fitting import few, fit

_LINEAR = make_pipeline(StandardScaler(), LogisticRegression())
_BOOSTING = ensemble.GradientBoostingClassifier(n_estimators=3, max_depth=2)


@pytest.mark.parametrize("base", (DecisionTreeClassifier(max_depth=1), LogisticRegression()), ids=str)
@few(4)
@given(data=data_sets())
def test_adaboost_classifier_with_any_rows_answers_alike(base: Any, data: Data) -> None:
    fitted = fit(ensemble.AdaBoostClassifier(base, n_estimators=6), data.table, data.labels)

    Compared(fitted).check(data)


@pytest.mark.parametrize("loss", ("linear", "exponential"))
@few(4)
@given(data=data_sets())
def test_adaboost_regressor_with_any_rows_answers_the_same_bits(data: Data, loss: str) -> None:
    base = DecisionTreeRegressor(max_depth=3)
    fitted = fit(ensemble.AdaBoostRegressor(base, n_estimators=6, loss=loss), data.table, data.values)

    Compared(fitted, is_exact=True).check(data)


@pytest.mark.parametrize("base", (_LINEAR, DecisionTreeClassifier(max_depth=3), _BOOSTING), ids=str)
@few(5)
@given(data=data_sets(), method=st.sampled_from(("sigmoid", "isotonic")), ensembled=st.booleans(), frozen=st.booleans())
def test_calibrated_classifier_with_any_rows_answers_alike(
    base: Any, data: Data, method: str, ensembled: bool, frozen: bool
) -> None:
    base = FrozenEstimator(fit(base, data.table, data.labels)) if frozen else base
    fitted = fit(CalibratedClassifierCV(base, method=method, ensemble=ensembled, cv=2), data.table, data.labels)

    Compared(fitted).check(data, answered=0.4)


@few(5)
@given(data=data_sets(), beyond=st.sampled_from(("clip", "nan")))
def test_isotonic_regression_within_and_beyond_its_points_answers_alike(data: Data, beyond: str) -> None:
    fitted = fit(IsotonicRegression(out_of_bounds=beyond), data.table[:, :1], data.values)
    fitted.n_features_in_ = 1

    Compared(fitted).check(Data(data.table[:, :1], data.labels, data.values, data.seed))


@pytest.mark.parametrize("final", (LogisticRegression(), DecisionTreeClassifier(max_depth=3)), ids=str)
@few(4)
@given(
    data=data_sets(),
    passthrough=st.booleans(),
    method=st.sampled_from(("auto", "predict_proba", "predict")),
)
def test_stacked_classifier_with_any_rows_answers_alike(data: Data, final: Any, passthrough: bool, method: str) -> None:
    models = [("linear", _LINEAR), ("tree", DecisionTreeClassifier(max_depth=2))]
    model = ensemble.StackingClassifier(models, final, cv=2, passthrough=passthrough, stack_method=method)
    fitted = fit(model, data.table, data.labels)

    Compared(fitted).check(data)


@few(5)
@given(data=data_sets(), passthrough=st.booleans())
def test_stacked_regressor_with_any_rows_answers_alike(data: Data, passthrough: bool) -> None:
    models = [("linear", Ridge()), ("tree", DecisionTreeRegressor(max_depth=2))]
    fitted = fit(ensemble.StackingRegressor(models, cv=2, passthrough=passthrough), data.table, data.values)

    Compared(fitted).check(data)


@pytest.mark.parametrize(
    "settings",
    (
        {"func": np.log1p, "inverse_func": np.expm1},
        {"func": np.log, "inverse_func": np.exp},
        {"func": np.sqrt, "inverse_func": np.square},
        {"transformer": StandardScaler()},
        {"transformer": MinMaxScaler()},
        {"transformer": RobustScaler()},
    ),
    ids=str,
)
@few(3)
@given(data=data_sets())
def test_transformed_target_with_any_rows_answers_alike(data: Data, settings: dict[str, Any]) -> None:
    model = TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge()), **settings)
    fitted = fit(model, data.table, abs(data.values) + 0.5)

    Compared(fitted).check(data)


def test_transformed_target_with_a_function_of_its_authors_is_not_written() -> None:
    table = np.arange(20.0).reshape(10, 2)
    model = TransformedTargetRegressor(Ridge(), func=np.sqrt, inverse_func=_squared, check_inverse=False)

    with pytest.raises(CannotCompile, match="a function that is not numpy's"):
        Compared(fit(model, table, table[:, 0]))


def test_part_that_tells_no_decisions_is_refused_when_another_is_to_look_at_them() -> None:
    table = np.random.default_rng(0).normal(size=(60, 2))
    part = Compared(fit(DecisionTreeClassifier(max_depth=2), table, table[:, 0] > 0)).document["model"]

    with pytest.raises(CannotCompile, match="tells no decisions"):
        require_decisions(part)


@few(4)
@given(data=data_sets(), strategy=st.sampled_from(("prior", "most_frequent")))
def test_dummy_classifier_with_any_rows_answers_alike(data: Data, strategy: str) -> None:
    Compared(fit(dummy.DummyClassifier(strategy=strategy), data.table, data.labels)).check(data)


@few(3)
@given(data=data_sets(), strategy=st.sampled_from(("mean", "median")))
def test_dummy_regressor_with_any_rows_answers_the_same_bits(data: Data, strategy: str) -> None:
    Compared(fit(dummy.DummyRegressor(strategy=strategy), data.table, data.values), is_exact=True).check(data)


def _squared(value: Any) -> Any:
    return value**2
