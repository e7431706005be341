"""What must pass: ordinary models, in every form that pickle and joblib write them."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from portal.scanner.limits import Limits
from portal.scanner.report import ScanReport
from portal.scanner.run import scan_file
from portal.scanner.scan import scan
from tests.portal.scanner.ordinary import MODELS

COMPRESSIONS = ["zlib", "gzip", "bz2", "xz", "lzma"]


def fit(name):
    estimator, rows, target = MODELS[name]()
    return estimator.fit(rows, target)


def fit_named_pipeline():
    rows = pd.DataFrame({"width": [0.0, 1.0, 2.0, 3.0], "height": [1.0, 0.0, 1.0, 0.0]})
    steps = [("scaler", StandardScaler()), ("classifier", LogisticRegression())]
    return Pipeline(steps).fit(rows, [0, 0, 1, 1])


@pytest.mark.parametrize("name", MODELS)
def test_scan_of_an_ordinary_model_in_pickle_and_joblib_passes(name, tmp_path):
    model = fit(name)
    as_pickle, as_joblib = tmp_path / "model.pkl", tmp_path / "model.joblib"
    as_pickle.write_bytes(pickle.dumps(model))
    joblib.dump(model, as_joblib, compress=3)

    reports = [scan(as_pickle, Limits()), scan(as_joblib, Limits())]

    assert [report.refusals for report in reports] == [(), ()]
    assert {report.estimator for report in reports} == {type(model).__name__}
    assert {report.fitted_with for report in reports} == {sklearn.__version__}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["forest", "columns", "neighbors, kd tree", "hist boosting", "grid search"])
def test_scan_of_every_protocol_passes(protocol, name, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fit(name), protocol=protocol))

    report = scan(path, Limits())

    assert (report.refusals, report.protocol, report.format) == ((), protocol, "pickle")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_scan_of_every_compression_passes(compression, tmp_path):
    path = tmp_path / "model.whatever"
    joblib.dump(fit("columns"), path, compress=(compression, 3))

    report = scan(path, Limits())

    assert (report.refusals, report.compression, report.format) == ((), compression, "joblib")
    assert report.uncompressed_bytes > report.size_bytes


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_scan_of_joblib_without_compression_passes(protocol, tmp_path):
    path = tmp_path / "model.joblib"
    joblib.dump(fit("columns"), path, protocol=protocol)

    report = scan(path, Limits())

    assert (report.refusals, report.compression, report.format) == ((), None, "joblib")


def test_scan_goes_by_content_and_not_by_suffix(tmp_path):
    path = tmp_path / "model.csv"
    path.write_bytes(pickle.dumps(fit_named_pipeline()))

    report = scan(path, Limits())

    assert (report.ok, report.format) == (True, "pickle")


def test_scan_of_large_arrays_counts_their_bytes(tmp_path):
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    model.coef_ = np.zeros((1, 200_000))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model, protocol=2))

    report = scan(path, Limits())

    assert report.refusals == ()
    assert report.uncompressed_bytes > 1_600_000


@pytest.mark.parametrize("save", [lambda m, p: p.write_bytes(pickle.dumps(m)), joblib.dump], ids=["pickle", "joblib"])
def test_report_names_steps_and_features(save, tmp_path):
    path = tmp_path / "model"
    save(fit_named_pipeline(), path)

    report = scan(path, Limits())

    assert report.steps == (
        {"name": "scaler", "class": "StandardScaler"},
        {"name": "classifier", "class": "LogisticRegression"},
    )
    assert (report.n_features, report.feature_names) == (2, ("width", "height"))


def test_scan_in_the_child_process_says_what_it_says_in_this_one(tmp_path):
    path = tmp_path / "model.joblib"
    joblib.dump(fit_named_pipeline(), path, compress=3)

    report = scan_file(path)

    assert report == scan(path, Limits())
    assert isinstance(report, ScanReport)


def test_scan_of_the_original_tools_model_passes(original_model):
    report = scan_file(original_model)

    assert report.refusals == ()
    assert (report.estimator, report.format, report.fitted_with) == ("Pipeline", "pickle", "1.2.0")
    assert [step["name"] for step in report.steps] == ["scaler", "classifier"]
    assert report.feature_names == ("var_1", "var_2", "var_3", "var_4")


def test_scan_of_a_model_with_a_function_of_ones_own_says_what_to_do(tmp_path):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    content = pickle.dumps(model, protocol=2).replace(b"sklearn.pipeline\nPipeline", b"__main__\nMyPipeline")
    path = tmp_path / "model.pkl"
    path.write_bytes(content)

    report = scan(path, Limits())

    assert [refusal.what for refusal in report.refusals] == [
        "It asks for __main__.MyPipeline, which is code of your own."
    ]
    assert "function of your own" in report.refusals[0].remedy
