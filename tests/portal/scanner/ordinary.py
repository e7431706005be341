"""Ordinary fitted models, small: what data scientists upload, and what must pass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    linear_model,
    metrics,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

RANDOM = np.random.RandomState(20)
ROWS = RANDOM.normal(size=(40, 4)).round(3)
POSITIVE = np.abs(ROWS) + 0.1
TWO = (ROWS[:, 0] + ROWS[:, 1] > 0).astype(int)
THREE = np.array(["red", "green", "blue"], dtype=object)[np.arange(40) % 3]
NUMBER = ROWS @ [1.0, 2.0, 0.5, -1.0]
COUNTS = np.arange(40) % 5 + 1.0
TEXTS = ["red apple pie", "green pear", "apple green", "pear pie red"] * 10
FRAME = pd.DataFrame(ROWS, columns=["a", "b", "c", "d"]).assign(s=["x", "y"] * 20)
CATEGORIES = FRAME.astype({"s": "category"})


def columns(**options) -> Any:
    numbers = make_pipeline(impute.SimpleImputer(add_indicator=True), StandardScaler())
    words = make_pipeline(impute.SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return compose.ColumnTransformer([("numbers", numbers, ["a", "b"]), ("words", words, ["s"])], **options)


def choose_columns() -> Any:
    return compose.make_column_transformer(
        (StandardScaler(), compose.make_column_selector(dtype_include="number")),
        (OrdinalEncoder(), compose.make_column_selector(dtype_exclude="number")),
    )


LOGISTIC = linear_model.LogisticRegression()

# Name → (estimator, rows, target).
MODELS: dict[str, Callable[[], tuple[Any, Any, Any]]] = {
    "logistic": lambda: (linear_model.LogisticRegression(), ROWS, THREE),
    "ridge classifier": lambda: (linear_model.RidgeClassifierCV(), ROWS, TWO),
    "ridge": lambda: (linear_model.RidgeCV(), ROWS, NUMBER),
    "lasso": lambda: (linear_model.LassoCV(cv=2), ROWS, NUMBER),
    "poisson": lambda: (linear_model.PoissonRegressor(), ROWS, COUNTS),
    "tweedie": lambda: (linear_model.TweedieRegressor(power=1.5), ROWS, COUNTS),
    "bayesian ridge": lambda: (linear_model.BayesianRidge(), ROWS, NUMBER),
    "huber": lambda: (linear_model.HuberRegressor(), ROWS, NUMBER),
    "sgd": lambda: (linear_model.SGDClassifier(loss="modified_huber"), ROWS, TWO),
    "ransac": lambda: (linear_model.RANSACRegressor(random_state=1), ROWS, NUMBER),
    "svc": lambda: (svm.SVC(), ROWS, THREE),
    "linear svr": lambda: (svm.LinearSVR(), ROWS, NUMBER),
    "one-class svm": lambda: (svm.OneClassSVM(), ROWS, None),
    "tree": lambda: (tree.DecisionTreeClassifier(random_state=RANDOM), ROWS, THREE),
    "forest": lambda: (ensemble.RandomForestClassifier(3), FRAME[["a", "b"]], THREE),
    "extra trees": lambda: (ensemble.ExtraTreesRegressor(3), ROWS, np.c_[NUMBER, NUMBER]),
    "isolation forest": lambda: (ensemble.IsolationForest(n_estimators=3, max_samples=40), ROWS, None),
    "gradient boosting": lambda: (ensemble.GradientBoostingClassifier(n_estimators=3), ROWS, THREE),
    "hist boosting": lambda: (ensemble.HistGradientBoostingClassifier(max_iter=3), ROWS, THREE),
    "hist boosting, categories": lambda: (ensemble.HistGradientBoostingRegressor(max_iter=3), CATEGORIES, NUMBER),
    "hist boosting, quantile": lambda: (
        ensemble.HistGradientBoostingRegressor(loss="quantile", quantile=0.9, max_iter=3),
        ROWS,
        NUMBER,
    ),
    "ada boost": lambda: (ensemble.AdaBoostClassifier(n_estimators=3), ROWS, TWO),
    "bagging": lambda: (ensemble.BaggingRegressor(n_estimators=3), ROWS, NUMBER),
    "voting": lambda: (ensemble.VotingClassifier([("a", LOGISTIC), ("b", naive_bayes.GaussianNB())]), ROWS, TWO),
    "stacking": lambda: (ensemble.StackingRegressor([("a", linear_model.Ridge())], cv=2), ROWS, NUMBER),
    "neighbors, kd tree": lambda: (neighbors.KNeighborsClassifier(algorithm="kd_tree", p=3), ROWS, TWO),
    "neighbors, ball tree": lambda: (neighbors.KNeighborsRegressor(algorithm="ball_tree"), ROWS, NUMBER),
    "neighbors, sparse": lambda: (neighbors.KNeighborsClassifier(), csr_matrix(ROWS), TWO),
    "nearest centroid": lambda: (neighbors.NearestCentroid(), ROWS, THREE),
    "gaussian process": lambda: (
        gaussian_process.GaussianProcessClassifier(1.0 * gaussian_process.kernels.Matern()),
        ROWS,
        THREE,
    ),
    "naive bayes": lambda: (naive_bayes.GaussianNB(), ROWS, TWO),
    "discriminant": lambda: (discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1), ROWS, TWO),
    "perceptron": lambda: (neural_network.MLPClassifier((3,), tol=1.0, n_iter_no_change=2, random_state=1), ROWS, TWO),
    "k-means": lambda: (cluster.KMeans(2, n_init=1), ROWS, None),
    "birch": lambda: (cluster.Birch(), ROWS, None),
    "mixture": lambda: (mixture.GaussianMixture(2), ROWS, None),
    "isotonic": lambda: (isotonic.IsotonicRegression(), ROWS[:, 0], NUMBER),
    "dummy": lambda: (dummy.DummyClassifier(), ROWS, THREE),
    "calibrated": lambda: (calibration.CalibratedClassifierCV(svm.LinearSVC(), method="isotonic", cv=2), ROWS, TWO),
    "threshold": lambda: (model_selection.TunedThresholdClassifierCV(LOGISTIC, cv=2), ROWS, TWO),
    "one against one": lambda: (multiclass.OneVsOneClassifier(LOGISTIC), ROWS, THREE),
    "chain": lambda: (multioutput.ClassifierChain(LOGISTIC), ROWS, np.c_[TWO, 1 - TWO]),
    "grid search": lambda: (
        model_selection.GridSearchCV(make_pipeline(StandardScaler(), svm.SVC()), {"svc__C": [1, 2]}, cv=2),
        ROWS,
        TWO,
    ),
    "random search": lambda: (
        model_selection.RandomizedSearchCV(LOGISTIC, {"C": [1, 2]}, n_iter=1, cv=2, scoring="roc_auc"),
        ROWS,
        TWO,
    ),
    "grid search, own score": lambda: (
        model_selection.GridSearchCV(
            LOGISTIC, {"C": [1]}, cv=model_selection.KFold(2), scoring=metrics.make_scorer(metrics.fbeta_score, beta=2)
        ),
        ROWS,
        TWO,
    ),
    "columns": lambda: (make_pipeline(columns(), linear_model.LogisticRegression()), FRAME, THREE),
    "columns, rest kept": lambda: (
        make_pipeline(columns(remainder="passthrough"), linear_model.Ridge()),
        FRAME,
        NUMBER,
    ),
    "columns, selected": lambda: (make_pipeline(choose_columns(), linear_model.Ridge()), FRAME, NUMBER),
    "target encoder": lambda: (make_pipeline(TargetEncoder(cv=2), linear_model.Ridge()), FRAME[["s"]], NUMBER),
    "union": lambda: (
        make_pipeline(FeatureUnion([("p", decomposition.PCA(2)), ("s", StandardScaler())]), LOGISTIC),
        ROWS,
        TWO,
    ),
    "selection": lambda: (
        make_pipeline(feature_selection.SelectKBest(feature_selection.f_classif, k=2), LOGISTIC),
        ROWS,
        TWO,
    ),
    "powers, splines": lambda: (
        make_pipeline(
            PolynomialFeatures(2),
            PowerTransformer(standardize=False),
            SplineTransformer(3),
            linear_model.Ridge(),
        ),
        POSITIVE,
        NUMBER,
    ),
    "bins": lambda: (make_pipeline(KBinsDiscretizer(2, strategy="uniform"), LOGISTIC), ROWS, TWO),
    "quantiles": lambda: (make_pipeline(QuantileTransformer(n_quantiles=5), linear_model.Ridge()), ROWS, NUMBER),
    "knn imputer": lambda: (make_pipeline(impute.KNNImputer(), LOGISTIC), ROWS, TWO),
    "logarithm": lambda: (make_pipeline(FunctionTransformer(np.log1p), LOGISTIC), POSITIVE, TWO),
    "logarithm of target": lambda: (
        compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1),
        ROWS,
        COUNTS,
    ),
    "words": lambda: (make_pipeline(TfidfVectorizer(stop_words="english"), svm.LinearSVC()), TEXTS, TWO),
    "word counts": lambda: (make_pipeline(CountVectorizer(), naive_bayes.MultinomialNB()), TEXTS, TWO),
}
