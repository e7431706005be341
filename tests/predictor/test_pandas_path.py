"""pandas stays out of the way of models that do without it, and is there for all others, with equal answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from predictor import pandas_path
from tests.predictor.factories import ROOT

# A process of its own, in which pandas is found nowhere but in the folder; prints whether pandas came, and the answers.
SERVE = """
import importlib.machinery, json, os, sys
class Hidden(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "pandas" and os.environ["HIDE"] == "1":
            path = [os.environ["PORTICO_PANDAS_PATH"]] if os.environ["PORTICO_PANDAS_PATH"] in sys.path else []
        return super().find_spec(name, path, target)
sys.meta_path[:] = [Hidden if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
from predictor.description import describe
from predictor.loading import load
loaded = load(open(sys.argv[1], "rb").read(), format="pickle")
before = "pandas" in sys.modules
description = describe(loaded.estimator)
print(json.dumps([before, "pandas" in sys.modules, description.to_json(), loaded.warnings]))
"""


def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"length": rng.normal(size=80), "depth": rng.normal(size=80), "sex": ["f", "m"] * 40})
    frame["sex"] = frame["sex"].astype(object)
    return frame, (frame["length"] + (frame["sex"] == "m") > 0.5).to_numpy()


def fitted_on_array():
    frame, species = table()
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(
        frame[["length", "depth"]].to_numpy(), species
    )


def fitted_on_dataframe():
    frame, species = table()
    columns = ColumnTransformer([("sex", OneHotEncoder(), ["sex"])], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression()).fit(frame, species)


def with_frames_inside():
    """Fitted on an array, with a step that hands a DataFrame to the next."""
    frame, species = table()
    scaler = StandardScaler().set_output(transform="pandas")
    return make_pipeline(scaler, LogisticRegression()).fit(frame[["length", "depth"]].to_numpy(), species)


def naming_pandas():
    """Fitted on an array; the file refers to an object of pandas."""
    model = fitted_on_array()
    model.marker = pd.NA
    return model


def serve(model: object, folder: Path, *, hide: bool, compress: int = 0) -> list:
    path = folder / "model.joblib"
    joblib.dump(model, path, compress=compress)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SERVE, str(path)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "lambda_docker"),
            "HIDE": str(int(hide)),
            # Unhidden, as on the embedded emulator: no folder.
            "PORTICO_PANDAS_PATH": f"{Path(pd.__path__[0]).parent}/." if hide else "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_model_fitted_on_array_is_served_without_pandas(tmp_path):
    at_load, in_the_end, _, _ = serve(fitted_on_array(), tmp_path, hide=True)

    assert (at_load, in_the_end) == (False, False)


def test_model_fitted_on_dataframe_brings_pandas_with_its_first_table(tmp_path):
    at_load, in_the_end, described, _ = serve(fitted_on_dataframe(), tmp_path, hide=True)

    assert (at_load, in_the_end, described["fitted_on"]) == (False, True, "dataframe")


def test_file_that_names_pandas_is_loaded_with_it(tmp_path):
    at_load, _, _, warned = serve(naming_pandas(), tmp_path, hide=True, compress=3)

    assert (at_load, warned) == (True, [])


@pytest.mark.parametrize("make", [fitted_on_array, fitted_on_dataframe, with_frames_inside, naming_pandas])
def test_description_and_golden_rows_are_equal_with_pandas_hidden_and_not(tmp_path, make):
    model = make()

    hidden, plain = serve(model, tmp_path, hide=True), serve(model, tmp_path, hide=False)

    assert hidden[2:] == plain[2:]
    assert hidden[2]["golden"]


def test_work_that_lacks_another_module_is_not_repeated(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTICO_PANDAS_PATH", str(tmp_path))
    calls = []

    def work():
        calls.append(1)
        raise ModuleNotFoundError("No module named 'xgboost'", name="xgboost")

    with pytest.raises(ModuleNotFoundError, match="xgboost"):
        pandas_path.with_pandas_at_need(work)

    assert calls == [1]
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize("name", ["pandas", "lightgbm.sklearn"])
def test_work_that_lacks_what_lies_there_is_repeated_once_with_the_folder_open(monkeypatch, tmp_path, name):
    (tmp_path / name.split(".")[0]).mkdir()
    (tmp_path / name.split(".")[0] / "__init__.py").touch()
    monkeypatch.setenv("PORTICO_PANDAS_PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    paths = []

    def work():
        paths.append(str(tmp_path) in sys.path)
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    with pytest.raises(ModuleNotFoundError, match=name):
        pandas_path.with_pandas_at_need(work)

    assert paths == [False, True]


def test_without_the_variable_the_path_stays_as_it_is(monkeypatch):
    monkeypatch.delenv("PORTICO_PANDAS_PATH", raising=False)
    before = list(sys.path)

    assert pandas_path.open_pandas() is False
    assert sys.path == before
