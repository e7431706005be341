"""From bytes to an estimator: each format, and what is said where it does not load."""

import hashlib
import io
import pickle
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from predictor import bucket
from predictor.errors import ModelBroken
from predictor.loading import load
from tests.predictor.factories import ROOT, array_model, dump, forest, penguin_model, predict, publish, write_manifest

TREE = "sklearn.tree._tree.Tree"
ROW = {"x0": 0.1, "x1": -0.2, "x2": 0.3}


def zipped(**files):
    """A zip of files; names are given with two underscores for a slash and one for a dot."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream.getvalue()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_load_pickle_of_any_protocol(protocol):
    loaded = load(pickle.dumps(forest(), protocol=protocol), format="pickle")

    assert type(loaded.estimator).__name__ == "RandomForestClassifier"


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_load_joblib_of_any_compression(compress):
    stream = io.BytesIO()
    joblib.dump(forest(), stream, compress=compress)

    loaded = load(stream.getvalue(), format="joblib")

    assert type(loaded.estimator).__name__ == "RandomForestClassifier"


def test_load_skops_answers_as_the_model_that_was_saved():
    model = penguin_model(missing=True)
    body = skops.io.dumps(model)

    loaded = load(body, format="skops", trusted=skops.io.get_untrusted_types(data=body))

    assert loaded.fitted_with is not None
    assert loaded.warnings == []
    assert np.array_equal(loaded.estimator[-1].coef_, model[-1].coef_)


def test_load_skops_with_a_type_that_is_not_trusted_refused_and_named():
    with pytest.raises(ModelBroken, match=f"types that nobody has allowed: {TREE}"):
        load(skops.io.dumps(forest()), format="skops")


def test_load_skops_that_names_a_function_runs_nothing(tmp_path):
    body = skops.io.dumps(FunctionTransformer(subprocess.run))

    with pytest.raises(ModelBroken, match="subprocess.run"):
        load(body, format="skops", trusted=[TREE])


@pytest.mark.parametrize("body", [b"", b"junk", skops.io.dumps(forest())[:200], zipped(schema_json="{")])
def test_load_damaged_skops_refused_with_how_to_save_it(body):
    with pytest.raises(ModelBroken, match="as a skops file.*skops.io.dump"):
        load(body, format="skops")


@pytest.mark.parametrize(
    ("member_format", "content", "trusted"),
    [
        ("pickle", pickle.dumps(forest()), []),
        ("joblib", dump(forest(), as_joblib=True), []),
        ("skops", skops.io.dumps(forest()), [TREE]),
    ],
)
def test_load_mlflow_reads_the_named_file_of_the_zip(member_format, content, trusted):
    body = zipped(model__MLmodel="flavors: {}", model__model_pkl=content)

    loaded = load(body, format="mlflow", member="model/model.pkl", member_format=member_format, trusted=trusted)

    assert type(loaded.estimator).__name__ == "RandomForestClassifier"


@pytest.mark.parametrize("member", ["model.pkl", "/model/model.pkl", "model/../model/model.pkl", "", None])
def test_load_mlflow_without_exactly_that_file_refused(member):
    body = zipped(model__model_pkl=dump(forest()))

    with pytest.raises(ModelBroken, match="must hold one file"):
        load(body, format="mlflow", member=member, member_format="pickle")


def test_load_mlflow_with_two_files_of_that_name_refused():
    stream = io.BytesIO(zipped(model_pkl=dump(forest())))
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("model.pkl", dump(array_model()))

    with pytest.raises(ModelBroken, match="must hold one file"):
        load(stream.getvalue(), format="mlflow", member="model.pkl", member_format="pickle")


def test_load_mlflow_that_unpacks_to_more_than_a_model_may_have_refused(monkeypatch):
    monkeypatch.setenv("PORTICO_MODEL_MAX_BYTES", "100000")
    body = zipped(model_pkl=bytes(1_000_000))

    with pytest.raises(ModelBroken, match="unpacks to more than 0.1 MB"):
        load(body, format="mlflow", member="model.pkl", member_format="pickle")


@pytest.mark.parametrize("body", [b"", b"junk", zipped(model_pkl=dump(forest()))[:-30]])
def test_load_damaged_mlflow_zip_refused(body):
    with pytest.raises(ModelBroken, match="damaged or encrypted"):
        load(body, format="mlflow", member="model.pkl", member_format="pickle")


@pytest.mark.parametrize("member_format", [None, "mlflow", "onnx"])
def test_load_mlflow_of_an_unknown_inner_format_refused(member_format):
    with pytest.raises(ModelBroken, match="cannot be loaded here"):
        load(zipped(model_pkl=b""), format="mlflow", member="model.pkl", member_format=member_format)


def test_load_unknown_format_refused():
    with pytest.raises(ModelBroken, match="'onnx' cannot be loaded here"):
        load(b"", format="onnx")


@pytest.mark.parametrize(
    ("module", "name"), [("lightgbm", "LightGBM"), ("xgboost", "XGBoost"), ("catboost", "CatBoost")]
)
def test_load_model_of_an_extra_that_is_not_installed_names_it_and_how_it_is_added(module, name, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, f"{module}.sklearn", None)

    with pytest.raises(ModelBroken, match=f"needs {name}, .* PORTICO_EXTRAS={module}"):
        load(f"c{module}.sklearn\nModel\n.".encode(), format="pickle")


def test_load_model_of_a_package_of_ones_own_says_where_its_wheel_goes():
    with pytest.raises(ModelBroken, match="'house_rules', which is not installed here.* lambda_docker/wheels"):
        load(b"chouse_rules.scaling\nScaler\n.", format="pickle")


def test_start_of_other_formats_leaves_skops_alone():
    program = (
        "import sys\n"
        "from predictor.loading import load\n"
        "load(sys.stdin.buffer.read(), format='pickle')\n"
        "sys.exit('skops' in sys.modules)"
    )
    environment = {"PYTHONPATH": str(ROOT / "lambda_docker")}

    done = subprocess.run([sys.executable, "-c", program], input=dump(forest()), env=environment, check=False)

    assert done.returncode == 0


@pytest.mark.parametrize(
    ("file", "changes", "content"),
    [
        ("model.skops", {"format": "skops", "trusted": [TREE]}, skops.io.dumps(forest())),
        (
            "model.zip",
            {"format": "mlflow", "member": "model/model.pkl", "member_format": "pickle"},
            zipped(model__model_pkl=dump(forest())),
        ),
    ],
)
def test_predict_with_a_model_of_each_format_answers_as_its_pickle(file, changes, content):

    manifest = publish(forest(), slug="m")
    expected = predict(ROW, model="m")["prediction"]
    bucket.write(f"models/m/2/{file}", content, content_type="application/octet-stream")
    sha256 = hashlib.sha256(content).hexdigest()
    write_manifest({**manifest, **changes, "file": file, "sha256": sha256}, slug="m", version=2)

    assert predict(ROW, model="m", version=2)["prediction"] == expected
