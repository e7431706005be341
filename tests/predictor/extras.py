"""Models of LightGBM, XGBoost and CatBoost for the tests: small, of one thread, the same at each run.

Runs in the inference image too, where nothing but this file and the packages is there.
"""

from typing import Any

import numpy as np
import pandas as pd

KINDS = ["binary", "multiclass", "regression"]
SHAPES = ["array", "dataframe"]
FEATURES = ["length", "width", "mass"]
_SETTINGS: dict[str, dict[str, Any]] = {
    "lightgbm": {"n_jobs": 1, "verbose": -1, "deterministic": True, "force_row_wise": True},
    "xgboost": {"n_jobs": 1},
    "catboost": {"thread_count": 1, "verbose": 0, "allow_writing_files": False},
}
_ASKED = 6


def fit(library: str, kind: str, shape: str, *, in_pipeline: bool = False) -> Any:
    """A fitted model. The labels of a multiclass model of XGBoost are numbers, as it will have no others."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = np.random.default_rng(3).normal(size=(90, 3))
    total = numbers.sum(axis=1)
    labels = np.array([0, 1, 2]) if library == "xgboost" else np.array(["low", "middle", "high"])
    target = {
        "binary": (total > 0).astype(int),
        "multiclass": labels[np.digitize(total, [-1, 1])],
        "regression": total,
    }[kind]
    model = _make(library, kind)
    if in_pipeline:
        model = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
    return model.fit(_as_shape(numbers, shape), target)


def table_of(shape: str) -> Any:
    """The rows that are asked for, as the library takes them."""
    return _as_shape(np.random.default_rng(4).normal(size=(_ASKED, 3)), shape)


def rows_of(shape: str) -> list[dict[str, float]]:
    """The same rows as a request has them."""
    names = FEATURES if shape == "dataframe" else ["x0", "x1", "x2"]
    return [dict(zip(names, row, strict=True)) for row in np.asarray(table_of(shape)).tolist()]


def own_answers(model: Any, table: Any, kind: str) -> list[dict[str, Any]]:
    """What the library itself says for each row, asked one by one, written as docs/contract.md §3 writes it."""
    answers = []
    for place in range(len(table)):
        row = table.iloc[[place]] if isinstance(table, pd.DataFrame) else table[[place]]
        answer = {"label": None, "value": None, "probabilities": None, "scores": None}
        predicted = np.ravel(model.predict(row))[0]
        if kind == "regression":
            answer["value"] = float(predicted)
        else:
            answer["label"] = predicted.item() if isinstance(predicted, np.generic) else predicted
            answer["probabilities"] = np.asarray(model.predict_proba(row), dtype=np.float64)[0].tolist()
        answers.append(answer)
    return answers


def _make(library: str, kind: str) -> Any:
    import importlib

    package = importlib.import_module(library)
    prefix = {"lightgbm": "LGBM", "xgboost": "XGB", "catboost": "CatBoost"}[library]
    made = getattr(package, prefix + ("Regressor" if kind == "regression" else "Classifier"))
    return made(n_estimators=8, random_state=0, **_SETTINGS[library])


def _as_shape(numbers: np.ndarray, shape: str) -> Any:
    return pd.DataFrame(numbers, columns=FEATURES) if shape == "dataframe" else numbers
