"""Columns of values as the table that an estimator wants to see."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from predictor.discovery import Inspection, read
from predictor.engines import Columns
from predictor.features import Feature
from predictor.pandas_path import open_pandas

# scikit-learn's own that only look at the numbers of a DataFrame: names and types of columns mean nothing to them.
_PLAIN = {
    "sklearn.preprocessing._data": ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer"),
    "sklearn.decomposition._pca": ("PCA",),
    "sklearn.impute._base": ("SimpleImputer",),
    "sklearn.linear_model._logistic": ("LogisticRegression",),
    "sklearn.linear_model._base": ("LinearRegression",),
    "sklearn.linear_model._ridge": ("Ridge",),
    "sklearn.linear_model._coordinate_descent": ("Lasso", "ElasticNet"),
    "sklearn.naive_bayes": ("GaussianNB",),
    "sklearn.neural_network._multilayer_perceptron": ("MLPClassifier", "MLPRegressor"),
    "sklearn.svm._classes": ("SVC", "SVR"),
    "sklearn.tree._classes": (
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
    ),
    "sklearn.ensemble._forest": (
        "RandomForestClassifier",
        "RandomForestRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
    ),
    "sklearn.ensemble._gb": ("GradientBoostingClassifier", "GradientBoostingRegressor"),
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": (
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
    ),
}


def takes_plain_arrays(estimator: Any) -> bool:
    """Whether it gives the same answers to an array as to the DataFrame on which it was fitted: 2 ms less a call."""
    kind = type(estimator)
    if kind.__module__ == "sklearn.pipeline" and kind.__qualname__ == "Pipeline":
        return all(takes_plain_arrays(step) for _, step in read(estimator, "steps") or [(None, None)])
    # What it was told to make of its output; histogram gradient boosting tells categories by a column's type.
    is_told = read(estimator, "_sklearn_output_config") or read(estimator, "is_categorical_") is not None
    return kind.__qualname__ in _PLAIN.get(kind.__module__, ()) and not is_told


def build_table(columns: Columns, *, inputs: Inspection, features: Sequence[Feature], is_plain: bool = False) -> Any:
    """Columns as the estimator was fitted on them: a DataFrame, an array, or a list of texts.

    Args: is_plain: whether an array of numbers will do where it was fitted on a DataFrame of them
    """
    arrays = [
        _to_array(column, feature=feature, marker=hint.missing_marker)
        for column, feature, hint in zip(columns, features, inputs.hints, strict=True)
    ]
    if inputs.shape == "texts":
        return arrays[0]
    are_numbers = all(array.dtype == np.float64 for array in arrays)
    if inputs.shape == "dataframe" and is_plain and are_numbers:
        # Column after column, as a DataFrame holds them: BLAS adds up in another order where rows lie together.
        return np.array(arrays).T
    if inputs.shape == "dataframe":
        open_pandas()
        import pandas as pd

        # As they are: pandas makes a column of texts and None one of texts and NaN, which an encoder tells apart.
        series = [pd.Series(array, dtype=array.dtype) if _has_none(array) else array for array in arrays]
        return pd.DataFrame(dict(zip(inputs.names, series, strict=True)))
    if are_numbers:
        return np.column_stack(arrays)
    table = np.empty((len(arrays[0]), len(arrays)), dtype=object)
    for place, array in enumerate(arrays):
        table[:, place] = array
    return table


def _to_array(column: Sequence[Any] | np.ndarray, *, feature: Feature, marker: Any) -> np.ndarray:
    if feature.is_numeric and not (feature.kind == "choice" and marker is None):
        return np.asarray(column, dtype=np.float64)
    if _is_boolean(feature) and None not in column:
        return np.asarray(column, dtype=bool)
    array = np.empty(len(column), dtype=object)
    array[:] = [marker if value is None else value for value in column]
    return array


def _has_none(array: np.ndarray) -> bool:
    return array.dtype == object and any(value is None for value in array)


def _is_boolean(feature: Feature) -> bool:
    return feature.kind == "choice" and all(isinstance(choice, bool) for choice in feature.choices or ())
