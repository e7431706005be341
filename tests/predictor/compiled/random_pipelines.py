"""Pipelines put together at random, and the rows that are most likely to tell two answers apart."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from hypothesis import strategies as st
from sklearn import ensemble, linear_model, naive_bayes, neighbors, neural_network, svm, tree
from sklearn import preprocessing as pre
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union

from tests.predictor.compiled.comparing import Data, data_sets

_WORDS = np.array(["red", "green", "blue", "gray", ""], dtype=object)
_FEW: dict[str, Any] = {"n_estimators": 5, "random_state": 0}
_SINGLE: dict[str, Any] = {"n_jobs": 1, "n_estimators": 5}
_QUIET: dict[str, Any] = {**_SINGLE, "min_child_samples": 3, "verbose": -1}
_LOGISTIC = linear_model.LogisticRegression()

CLASSIFIERS: tuple[Any, ...] = (
    _LOGISTIC,
    linear_model.RidgeClassifier(),
    linear_model.SGDClassifier(loss="log_loss", random_state=0),
    linear_model.SGDClassifier(loss="modified_huber", random_state=0),
    svm.LinearSVC(),
    svm.SVC(),
    tree.DecisionTreeClassifier(max_depth=4, random_state=0),
    ensemble.RandomForestClassifier(**_FEW),
    ensemble.ExtraTreesClassifier(**_FEW),
    ensemble.GradientBoostingClassifier(**_FEW, max_depth=2),
    ensemble.HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3),
    ensemble.AdaBoostClassifier(**_FEW),
    ensemble.BaggingClassifier(tree.DecisionTreeClassifier(max_depth=3), **_FEW),
    ensemble.BaggingClassifier(_LOGISTIC, **_FEW, max_features=0.7),
    ensemble.VotingClassifier([("a", _LOGISTIC), ("b", tree.DecisionTreeClassifier(max_depth=3))]),
    ensemble.VotingClassifier([("a", _LOGISTIC), ("b", naive_bayes.GaussianNB())], voting="soft"),
    ensemble.StackingClassifier([("a", _LOGISTIC), ("b", tree.DecisionTreeClassifier(max_depth=3))], cv=2),
    CalibratedClassifierCV(_LOGISTIC, cv=2),
    CalibratedClassifierCV(tree.DecisionTreeClassifier(max_depth=3), method="isotonic", cv=2),
    OneVsRestClassifier(_LOGISTIC),
    OneVsOneClassifier(svm.LinearSVC()),
    GridSearchCV(_LOGISTIC, {"C": [0.1, 1.0]}, cv=2),
    naive_bayes.GaussianNB(),
    LinearDiscriminantAnalysis(),
    QuadraticDiscriminantAnalysis(reg_param=0.1),
    neighbors.KNeighborsClassifier(3),
    neural_network.MLPClassifier(hidden_layer_sizes=(5,), max_iter=30, random_state=0),
    lightgbm.LGBMClassifier(**_QUIET),
    xgboost.XGBClassifier(**_SINGLE),
)
REGRESSORS: tuple[Any, ...] = (
    linear_model.LinearRegression(),
    linear_model.Ridge(),
    linear_model.ElasticNet(0.1),
    linear_model.HuberRegressor(),
    linear_model.PoissonRegressor(),
    svm.SVR(),
    svm.LinearSVR(),
    tree.DecisionTreeRegressor(max_depth=4, random_state=0),
    ensemble.RandomForestRegressor(**_FEW),
    ensemble.GradientBoostingRegressor(**_FEW, max_depth=2),
    ensemble.HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3),
    ensemble.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=3), **_FEW),
    ensemble.BaggingRegressor(linear_model.Ridge(), **_FEW),
    ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=3))]),
    ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=3))], cv=2),
    TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1),
    TransformedTargetRegressor(linear_model.Ridge(), transformer=pre.StandardScaler()),
    neighbors.KNeighborsRegressor(3),
    neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=30, random_state=0),
    lightgbm.LGBMRegressor(**_QUIET),
    xgboost.XGBRegressor(**_SINGLE),
    xgboost.XGBRegressor(**_SINGLE, objective="count:poisson"),
)
_AS_IT_IS = pre.FunctionTransformer()
_SCALERS: tuple[Any, ...] = (
    _AS_IT_IS,
    pre.StandardScaler(),
    pre.MinMaxScaler(),
    pre.MinMaxScaler(clip=True),
    pre.RobustScaler(),
    pre.MaxAbsScaler(),
    pre.PowerTransformer(),
    pre.QuantileTransformer(n_quantiles=10),
    pre.KBinsDiscretizer(n_bins=3, encode="ordinal", quantile_method="averaged_inverted_cdf"),
    pre.PolynomialFeatures(2),
    make_union(pre.StandardScaler(), pre.Binarizer(threshold=0.5)),
)
_IMPUTERS: tuple[Any, ...] = (
    SimpleImputer(),
    SimpleImputer(strategy="median", add_indicator=True),
    make_union(SimpleImputer(strategy="most_frequent"), MissingIndicator(error_on_new=False)),
)
_ENCODERS: tuple[Any, ...] = (
    pre.OneHotEncoder(handle_unknown="ignore"),
    pre.OneHotEncoder(handle_unknown="ignore", sparse_output=False, drop="first"),
    pre.OneHotEncoder(),
    pre.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    pre.TargetEncoder(cv=2, random_state=0),
)
_AFTER: tuple[Any, ...] = (
    *("passthrough",) * 4,
    SelectKBest(k=2),
    VarianceThreshold(),
    PCA(2),
    pre.Normalizer(),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A pipeline that is not fitted yet, and what to fit it on."""

    pipeline: Any
    frame: pd.DataFrame = field(repr=False)
    target: Any = field(repr=False)
    seed: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Numbers and words, either with gaps or without; columns dealt out, prepared, put together, selected, modelled."""
    data: Data = draw(data_sets(least=2))
    gaps, has_words = draw(st.booleans()), draw(st.booleans())
    frame = _frame(data, gaps=gaps, has_words=has_words)
    is_regression = draw(st.booleans())
    model = draw(st.sampled_from(REGRESSORS if is_regression else CLASSIFIERS))
    parts = [_prepare_numbers(draw, gaps=gaps), draw(st.sampled_from(_SCALERS))]
    numbers = make_pipeline(*parts)
    numeric = [name for name in frame if name not in ("word", "size")]
    if not has_words:
        dealt: Any = numbers
    else:
        by_place = draw(st.booleans())
        words = ["word", "size"]
        dealt = ColumnTransformer(
            [
                ("numbers", numbers, list(range(len(numeric))) if by_place else numeric),
                ("words", draw(st.sampled_from(_ENCODERS)), words),
            ],
            sparse_threshold=draw(st.sampled_from((0.0, 0.3, 1.0))),
        )
    pipeline = make_pipeline(dealt, draw(st.sampled_from(_AFTER)), model)
    if is_regression:
        return Case(pipeline, frame, abs(data.values) + 0.1, data.seed)
    is_named = not type(model).__module__.startswith("xgboost")
    return Case(pipeline, frame, data.labels if is_named else np.unique(data.labels, return_inverse=True)[1], data.seed)


def _prepare_numbers(draw: Callable[[Any], Any], *, gaps: bool) -> Any:
    # Trees of some kinds take gaps as they are; what refuses them is no example.
    return draw(st.sampled_from((*_IMPUTERS, *_IMPUTERS, _AS_IT_IS) if gaps else (_AS_IT_IS, *_IMPUTERS)))


def _frame(data: Data, *, gaps: bool, has_words: bool) -> pd.DataFrame:
    random, count = np.random.default_rng(data.seed), len(data.table)
    frame = pd.DataFrame(data.table, columns=[f"n{place}" for place in range(data.table.shape[1])])
    if has_words:
        frame["word"] = _WORDS[random.integers(0, len(_WORDS), count)]
        frame["size"] = np.array(["s", "m", "l"], dtype=object)[random.integers(0, 3, count)]
    if gaps:
        frame.iloc[::6, 0] = np.nan
        if has_words:
            frame.loc[frame.index[::5], "word"] = np.nan
    return frame
