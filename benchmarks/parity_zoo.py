"""Pipelines of many kinds, each fitted on the same table of numbers and words, some of them missing."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

ROWS = 2_000
_NUMBERS = ["age", "income", "score", "gapped"]
_FEW: dict[str, Any] = {"n_estimators": 30, "random_state": 0}
_SINGLE: dict[str, Any] = {"n_estimators": 30, "n_jobs": 1}


def zoo() -> Iterator[tuple[str, Any, Any]]:
    """(name, fitted pipeline, its table): every model behind two of the preparations, taken in turn."""
    frame, amounts, labels = _table()
    preparations = list(_preparations().items())
    for place, (model, is_regression) in enumerate(_models()):
        for turn in (0, 5):
            name, prepare = preparations[(place + turn) % len(preparations)]
            yield f"{name} + {_short(model)}", _fit(prepare, model, frame, amounts if is_regression else labels), frame


def _fit(prepare: Any, model: Any, frame: Any, target: Any) -> Any:
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make_pipeline(clone(prepare), clone(model)).fit(frame, target)


def _short(model: Any) -> str:
    return type(model).__name__


def _table() -> tuple[Any, Any, Any]:
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, ROWS).astype(float),
            "income": random.lognormal(10, 1, ROWS),
            "score": random.normal(size=ROWS),
            "gapped": random.gamma(2.0, 3.0, ROWS),
            "city": random.choice(["Basel", "Bern", "Chur", "Genf", "Zug"], ROWS),
            "size": random.choice(["small", "medium", "large"], ROWS),
        }
    )
    amounts = frame["age"] / 20 + frame["score"] + 0.1 * frame["gapped"] + random.normal(0, 0.3, ROWS)
    frame.loc[frame.index[::9], "gapped"] = np.nan
    # XGBoost takes no names for classes.
    return frame, np.exp(amounts / 4), np.digitize(amounts, [2.0, 4.0])


def _preparations() -> dict[str, Any]:
    from sklearn import preprocessing as pre
    from sklearn.compose import make_column_transformer
    from sklearn.decomposition import PCA
    from sklearn.feature_selection import SelectKBest
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    words, imputer = ["city", "size"], SimpleImputer()
    one_hot = pre.OneHotEncoder(handle_unknown="ignore")
    ordinal = pre.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    bins = pre.KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf")
    scaled = make_pipeline(imputer, pre.StandardScaler())

    def both(numbers: Any, encoder: Any) -> Any:
        return make_column_transformer((numbers, _NUMBERS), (encoder, words))

    return {
        "scaled, one-hot": both(scaled, one_hot),
        "imputed, ordinal": both(imputer, ordinal),
        "quantiles, one-hot": both(make_pipeline(imputer, pre.QuantileTransformer(n_quantiles=100)), one_hot),
        "squares, scaled": both(make_pipeline(imputer, pre.PolynomialFeatures(2), pre.StandardScaler()), one_hot),
        "powers, targets": both(make_pipeline(imputer, pre.PowerTransformer()), pre.TargetEncoder(random_state=0)),
        "components": make_pipeline(both(scaled, one_hot), PCA(6)),
        "bins": both(make_pipeline(imputer, bins), one_hot),
        "robust, selected": make_pipeline(both(make_pipeline(imputer, pre.RobustScaler()), ordinal), SelectKBest(k=4)),
        "with indicators": both(make_pipeline(SimpleImputer(add_indicator=True), pre.MinMaxScaler()), one_hot),
    }


def _models() -> Iterator[tuple[Any, bool]]:
    """Models, and whether they are regressors."""
    from sklearn.base import is_regressor

    for model in (*_linear(), *_trees(), *_around(), *_others(), *_boosters()):
        yield model, is_regressor(model)


def _linear() -> Iterator[Any]:
    from sklearn import linear_model, svm

    yield linear_model.LogisticRegression(max_iter=500)
    yield linear_model.RidgeClassifier()
    yield linear_model.SGDClassifier(loss="log_loss", random_state=0)
    yield svm.LinearSVC()
    yield linear_model.LinearRegression()
    yield linear_model.ElasticNet(0.01)
    yield linear_model.HuberRegressor(max_iter=300)
    yield linear_model.PoissonRegressor()


def _trees() -> Iterator[Any]:
    from sklearn import ensemble, tree

    yield tree.DecisionTreeClassifier(random_state=0)
    yield ensemble.RandomForestClassifier(**_FEW)
    yield ensemble.GradientBoostingClassifier(**_FEW)
    yield ensemble.HistGradientBoostingClassifier(max_iter=30)
    yield ensemble.AdaBoostClassifier(**_FEW)
    yield ensemble.ExtraTreesRegressor(**_FEW, max_depth=8)
    yield ensemble.GradientBoostingRegressor(**_FEW)
    yield ensemble.HistGradientBoostingRegressor(max_iter=30)


def _around() -> Iterator[Any]:
    import numpy as np
    from sklearn import ensemble
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    logistic, tree = LogisticRegression(max_iter=500), DecisionTreeClassifier(max_depth=5)
    yield ensemble.VotingClassifier([("a", logistic), ("b", tree)], voting="soft")
    yield ensemble.StackingClassifier([("a", logistic), ("b", tree)], cv=3)
    yield ensemble.BaggingClassifier(logistic, n_estimators=5, random_state=0)
    yield CalibratedClassifierCV(logistic, cv=3)
    yield CalibratedClassifierCV(tree, method="isotonic", cv=3)
    yield GridSearchCV(logistic, {"C": [0.1, 1.0]}, cv=2)
    yield TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)


def _others() -> Iterator[Any]:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.svm import SVR

    yield GaussianNB()
    yield LinearDiscriminantAnalysis()
    yield QuadraticDiscriminantAnalysis(reg_param=0.1)
    yield KNeighborsClassifier()
    yield MLPClassifier(hidden_layer_sizes=(20,), max_iter=50, random_state=0)
    yield MLPRegressor(hidden_layer_sizes=(20,), max_iter=50, random_state=0)
    yield SVR()


def _boosters() -> Iterator[Any]:
    with contextlib.suppress(ImportError):
        from lightgbm import LGBMClassifier, LGBMRegressor

        yield LGBMClassifier(**_SINGLE, verbose=-1)
        yield LGBMRegressor(**_SINGLE, verbose=-1)
    with contextlib.suppress(ImportError):
        from xgboost import XGBClassifier, XGBRegressor

        yield XGBClassifier(**_SINGLE)
        yield XGBRegressor(**_SINGLE)
