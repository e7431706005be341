"""skops files and MLflow models: what passes, and what the report says of it."""

import io
import json
import pickle
import zipfile

import joblib
import numpy as np
import pytest
import sklearn
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from skops import io as skops_io
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier
from xgboost.callback import EarlyStopping

from portal.scanner.limits import Limits
from portal.scanner.report import ScanReport
from portal.scanner.run import scan_file
from portal.scanner.scan import scan
from tests.portal.scanner.estimators import fit_any, list_estimators
from tests.portal.scanner.ordinary import MODELS
from tests.portal.scanner.test_ordinary import fit, fit_named_pipeline

ROWS = np.random.RandomState(4).normal(size=(60, 4))
TWO = (ROWS[:, 0] > 0).astype(int)
# skops itself refuses to save it.
NOT_IN_SKOPS = {"Birch"}
# These wrap another estimator or a dictionary that is given, not fitted.
NOT_FITTED = {"FrozenEstimator", "SparseCoder"}
FITTED = sorted(set(list_estimators()) - NOT_FITTED)
BOOSTERS = {
    "LGBMClassifier": lambda: LGBMClassifier(n_estimators=2, verbose=-1).fit(ROWS, np.array(["a", "b"])[TWO]),
    "LGBMRegressor": lambda: LGBMRegressor(n_estimators=2, verbose=-1).fit(ROWS, TWO),
    "LGBMRanker": lambda: LGBMRanker(n_estimators=2, verbose=-1).fit(ROWS, TWO, group=[30, 30]),
    "XGBClassifier": lambda: XGBClassifier(n_estimators=2).fit(ROWS, TWO),
    "XGBRegressor": lambda: XGBRegressor(n_estimators=2, callbacks=[EarlyStopping(rounds=1)]).fit(
        ROWS, TWO, eval_set=[(ROWS, TWO)], verbose=False
    ),
    "XGBRanker": lambda: XGBRanker(n_estimators=2).fit(ROWS, TWO, qid=np.repeat([0, 1], 30)),
    "XGBRFClassifier": lambda: XGBRFClassifier(n_estimators=2).fit(ROWS, TWO),
}
# As MLflow 3.17 and MLflow 2.9 write it.
MLMODELS = {
    "3.17": """flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: {0}
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: {0}
    serialization_format: skops
    sklearn_version: 1.9.1
    skops_trusted_types: null
mlflow_version: 3.17.2
signature:
  inputs: '[{{"type": "double", "name": "a", "required": true}}]'
""",
    "2.9": """artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
    loader_module: mlflow.sklearn
    model_path: {0}
  sklearn:
    code: null
    pickled_model: {0}
    serialization_format: cloudpickle
    sklearn_version: 1.3.2
mlflow_version: 2.9.2
run_id: 0123456789abcdef
""",
}


def zip_mlflow(path, content, *, member="model.pkl", folder="", release="3.17", **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{folder}MLmodel", MLMODELS[release].format(member))
        archive.writestr(f"{folder}{member}", content)
        archive.writestr(f"{folder}input_example.json", '{"columns": ["a"], "data": [[1.0]]}')
        for name, text in more.items():
            archive.writestr(f"{folder}{name}", text)


@pytest.mark.parametrize("name", FITTED)
def test_scan_of_every_fitted_estimator_in_joblib_and_skops_passes(name, tmp_path):
    model = fit_any(list_estimators()[name])
    as_joblib, as_skops = tmp_path / "model.joblib", tmp_path / "model.skops"
    joblib.dump(model, as_joblib, compress=1)
    if name not in NOT_IN_SKOPS:
        as_skops.write_bytes(skops_io.dumps(model))

    reports = [scan(path, Limits()) for path in (as_joblib, as_skops) if path.exists()]

    assert [report.refusals for report in reports] == [()] * len(reports)
    assert {report.estimator for report in reports} == {name}


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"birch"}))
def test_scan_of_an_ordinary_model_in_skops_names_all_that_skops_asks_about(name, tmp_path):
    model = fit(name)
    content = skops_io.dumps(model)
    path = tmp_path / "model.skops"
    path.write_bytes(content)

    report = scan(path, Limits())

    assert (report.refusals, report.format, report.fitted_with) == ((), "skops", sklearn.__version__)
    assert set(skops_io.get_untrusted_types(data=content)) <= set(report.trusted)
    assert type(skops_io.loads(content, trusted=list(report.trusted))) is type(model)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_report_of_a_skops_file_names_steps_and_features(compression, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(skops_io.dumps(fit_named_pipeline(), compression=compression))

    report = scan_file(path)

    assert report.refusals == ()
    assert (report.format, report.protocol, report.n_features) == ("skops", 2, 2)
    assert [step["class"] for step in report.steps] == ["StandardScaler", "LogisticRegression"]
    assert report.feature_names == ("width", "height")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", BOOSTERS)
def test_scan_of_boosters_of_other_packages_passes(name, protocol, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(BOOSTERS[name](), protocol=protocol))

    report = scan(path, Limits())

    assert (report.refusals, report.estimator) == ((), name)


@pytest.mark.parametrize("name", BOOSTERS)
def test_scan_of_boosters_in_joblib_and_skops_passes(name, tmp_path):
    model = BOOSTERS[name]()
    as_joblib, as_skops = tmp_path / "model.joblib", tmp_path / "model.skops"
    joblib.dump(model, as_joblib, compress=3)
    as_skops.write_bytes(skops_io.dumps(model))

    reports = [scan(as_joblib, Limits()), scan(as_skops, Limits())]

    assert [report.refusals for report in reports] == [(), ()]


def test_scan_of_catboost_passes(tmp_path):
    catboost = pytest.importorskip("catboost", reason="CatBoost is not installed here")
    model = catboost.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False).fit(ROWS, TWO)
    as_pickle, as_skops = tmp_path / "model.pkl", tmp_path / "model.skops"
    as_pickle.write_bytes(pickle.dumps(model))
    as_skops.write_bytes(skops_io.dumps(model))

    reports = [scan(as_pickle, Limits()), scan(as_skops, Limits())]

    assert [report.refusals for report in reports] == [(), ()]


@pytest.mark.parametrize("folder", ["", "penguins/"])
@pytest.mark.parametrize("release", MLMODELS)
@pytest.mark.parametrize("form", ["pickle", "joblib", "skops"])
def test_scan_of_a_zipped_mlflow_model_passes(form, release, folder, tmp_path):
    model, buffer = fit_named_pipeline(), io.BytesIO()
    joblib.dump(model, buffer, compress=3)
    content = {"pickle": pickle.dumps(model), "joblib": buffer.getvalue(), "skops": skops_io.dumps(model)}[form]
    path = tmp_path / "model.zip"
    zip_mlflow(path, content, folder=folder, release=release)

    report = scan_file(path)

    assert report.refusals == ()
    assert (report.format, report.member, report.member_format) == ("mlflow", f"{folder}model.pkl", form)
    assert (report.estimator, report.feature_names) == ("Pipeline", ("width", "height"))
    assert sorted(report.attachments) == ["MLmodel", "input_example.json"]
    assert bool(report.trusted) == (form == "skops")


def test_examples_of_many_rows_are_left_out_of_the_report(tmp_path):
    path = tmp_path / "model.zip"
    zip_mlflow(path, pickle.dumps(fit_named_pipeline()), **{"serving_input_example.json": "[" + "1," * 200_000 + "1]"})

    report = scan(path, Limits())

    assert (report.ok, sorted(report.attachments)) == (True, ["MLmodel", "input_example.json"])


def test_report_of_an_earlier_release_is_still_read():
    stored = {"ok": True, "format": "pickle", "steps": [{"name": "a", "class": "B"}], "globals": ["numpy.dtype"]}
    stored |= {"feature_names": ["x"], "refusals": [], "sha256": "0", "estimator": "B"}

    report = ScanReport.from_json(stored)

    assert (report.member, report.member_format, report.trusted, report.attachments) == (None, None, (), {})
    assert report.feature_names == ("x",)


def test_report_survives_json():
    report = ScanReport(ok=True, format="mlflow", member="a/model.pkl", trusted=("x.Y",), attachments={"MLmodel": "t"})

    again = ScanReport.from_json(json.loads(json.dumps(report.to_json())))

    assert again == report


def test_text_that_is_no_report_raises():
    with pytest.raises(KeyError):
        ScanReport.from_json({"format": "pickle"})


def test_scan_of_a_searchs_distributions_says_to_save_the_best_estimator(tmp_path):
    from scipy.stats import loguniform
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import RandomizedSearchCV

    search = RandomizedSearchCV(LogisticRegression(), {"C": loguniform(0.1, 1)}, n_iter=1, cv=2).fit(ROWS, TWO)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(search))

    report = scan(path, Limits())

    assert any("best_estimator_" in refusal.remedy for refusal in report.refusals)
