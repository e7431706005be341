"""Every estimator of scikit-learn, fitted on data that suit it, and which of them cannot be served.

PYTHONPATH=.:lambda_docker python -m tests.predictor.estimators_table     prints what becomes of each
"""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 -- two more estimators, once this is imported
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.discovery import all_estimators
from threadpoolctl import threadpool_limits

ESTIMATORS: dict[str, type[BaseEstimator]] = dict(all_estimators())

_SEVERAL = "it answers several targets at once; one model for each can be served"
_FITTED_ROWS = "it only labels or places the rows it was fitted on, and has nothing to say about a new one"
_DENSITY = "it describes a distribution and predicts nothing"
_TARGETS = "it turns targets into numbers, which is done before fit()"
_GROUPS = "it groups rows and columns of one table together, and has nothing to say about a new row"
NOT_SERVED = {
    **dict.fromkeys(("ClassifierChain", "MultiOutputClassifier", "MultiOutputRegressor", "RegressorChain"), _SEVERAL),
    **dict.fromkeys(("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"), _SEVERAL),
    **dict.fromkeys(("AgglomerativeClustering", "DBSCAN", "HDBSCAN", "OPTICS", "SpectralClustering"), _FITTED_ROWS),
    **dict.fromkeys(("ClassicalMDS", "MDS", "SpectralEmbedding", "TSNE"), _FITTED_ROWS),
    **dict.fromkeys(("EmpiricalCovariance", "GraphicalLasso", "GraphicalLassoCV", "KernelDensity"), _DENSITY),
    **dict.fromkeys(("LedoitWolf", "MinCovDet", "OAS", "ShrunkCovariance"), _DENSITY),
    **dict.fromkeys(("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"), _TARGETS),
    **dict.fromkeys(("SpectralBiclustering", "SpectralCoclustering"), _GROUPS),
    "NearestNeighbors": "it finds neighbours and predicts nothing; KNeighborsClassifier and -Regressor do",
    "DictVectorizer": "it takes dictionaries instead of a table",
    "FeatureHasher": "it takes dictionaries or lists of words instead of a table",
    "KernelCenterer": "it takes the kernel between a row and all rows of the training data",
    "PatchExtractor": "it takes images",
    "PLSSVD": "its fit_transform() gives two tables, so that no pipeline can hold it",
    "MiniBatchNMF": "its transform() goes on until the whole table is good enough, so a row's answer depends on others",
    **dict.fromkeys(
        ("SparsePCA", "MiniBatchSparsePCA"), "its transform() fails on a single row, in scikit-learn itself"
    ),
}

_FEW_TREES = {"n_estimators": 5}
# Arguments without a default, and some that make fitting quick.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("AdaBoostClassifier", "AdaBoostRegressor", "BaggingClassifier", "BaggingRegressor"), _FEW_TREES),
    **dict.fromkeys(("ExtraTreesClassifier", "ExtraTreesRegressor", "IsolationForest"), _FEW_TREES),
    **dict.fromkeys(("RandomForestClassifier", "RandomForestRegressor", "RandomTreesEmbedding"), _FEW_TREES),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), _FEW_TREES),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), {"max_iter": 5}),
    "ColumnTransformer": {"transformers": [("all", StandardScaler(), [0, 1, 2])]},
    "FeatureUnion": {"transformer_list": [("a", StandardScaler()), ("b", MinMaxScaler())]},
    "Pipeline": {"steps": [("scaler", StandardScaler()), ("model", LogisticRegression())]},
    "HalvingGridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
    "HalvingRandomSearchCV": {
        "estimator": LogisticRegression(),
        "param_distributions": {"C": [0.1, 1.0]},
        "n_candidates": 2,
        "cv": 2,
    },
    "GridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [0.1, 1.0]}, "cv": 2},
    "RandomizedSearchCV": {
        "estimator": LogisticRegression(), "param_distributions": {"C": [0.1, 1.0]}, "n_iter": 2, "cv": 2,
    },
    "HashingVectorizer": {"n_features": 64},
    "LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "MissingIndicator": {"features": "all"},
    "TSNE": {"max_iter": 250, "init": "random", "perplexity": 5.0},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
    **dict.fromkeys(("GaussianRandomProjection", "SparseRandomProjection"), {"n_components": 2}),
    "SparseCoder": {"dictionary": np.eye(3)},
    "StackingClassifier": {"estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier())]},
    "StackingRegressor": {"estimators": [("a", Ridge()), ("b", Ridge(2.0))]},
    "VotingClassifier": {"estimators": [("a", LogisticRegression()), ("b", DecisionTreeClassifier())]},
    "VotingRegressor": {"estimators": [("a", Ridge()), ("b", Ridge(2.0))]},
    "LocalOutlierFactor": {"novelty": True},
    **dict.fromkeys(("CCA", "PLSCanonical", "PLSRegression", "PLSSVD"), {"n_components": 1}),
    **dict.fromkeys(("RadiusNeighborsClassifier", "RadiusNeighborsRegressor"), {"radius": 50.0}),
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), {"hidden_layer_sizes": (5,), "max_iter": 50}),
}  # fmt: skip
# Beyond those whose tags say so.
_ONLY_POSITIVE = (
    "CategoricalNB",
    "LatentDirichletAllocation",
    "AdditiveChi2Sampler",
    "SkewedChi2Sampler",
    "TfidfTransformer",
)
_TEXTS = ("CountVectorizer", "HashingVectorizer", "TfidfVectorizer")
_ROWS = 60


def make_served(name: str) -> Any:
    """The estimator, fitted; one without predict() as the first step of a fitted pipeline.

    Raises: whatever fit() raises
    """
    # Threads that wait for one another take longer than these small tables do.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = _make(name)
        table, target = _data_for(name, estimator)
        # Some have predict() only once they are fitted.
        predicts = hasattr(type(estimator), "predict") or hasattr(estimator, "predict")
        if predicts or not hasattr(estimator, "transform"):
            return estimator.fit(table, target)
        return make_pipeline(estimator, LogisticRegression()).fit(table, target)


def outcome(name: str, examine: Callable[[Any], Any]) -> str:
    """ "alone", "in a pipeline", or why `examine`, or fit() before it, refuses it."""
    try:
        model = make_served(name)
        with threadpool_limits(1):
            examine(model)
    except Exception as problem:  # any is an answer here
        return f"refused: {problem}"
    return "in a pipeline" if name != "Pipeline" and hasattr(model, "steps") else "alone"


def _make(name: str) -> Any:
    estimator_class = ESTIMATORS[name]
    arguments = dict(_ARGUMENTS.get(name, {}))
    wanted = inspect.signature(estimator_class.__init__).parameters
    if "estimator" in wanted and wanted["estimator"].default is inspect.Parameter.empty:
        arguments.setdefault("estimator", Ridge() if name.endswith("Regressor") or name == "RegressorChain" else None)
        arguments["estimator"] = arguments["estimator"] or LogisticRegression()
    if "random_state" in wanted:
        arguments["random_state"] = 0
    if name == "FrozenEstimator":
        arguments["estimator"] = LogisticRegression().fit(*_data_for(name, LogisticRegression()))
    return estimator_class(**arguments)


def _data_for(name: str, estimator: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    table: Any = rng.normal(size=(_ROWS, 1 if name == "IsotonicRegression" else 3))
    total = table.sum(axis=1)
    if name in _ONLY_POSITIVE or _tags(estimator).input_tags.positive_only:
        table = np.abs(table)
    if name == "CategoricalNB":
        table = np.floor(table).clip(0, 2)
    if name in _TEXTS:
        table = ["good film" if value > 0 else "bad film" for value in total]
    target: Any = np.where(total > 0, "yes", "no")
    if _tags(estimator).estimator_type == "regressor" or name in ("CCA", "PLSCanonical", "PLSSVD"):
        target = np.exp(total / 4)
    if NOT_SERVED.get(name) == _SEVERAL:
        target = np.column_stack([target, target[::-1]])
    if name in ("ClassifierChain", "MultiOutputClassifier", "SelfTrainingClassifier"):
        target = (target == "yes").astype(int)
    return table, target


def _tags(estimator: Any) -> Any:
    return estimator.__sklearn_tags__()
