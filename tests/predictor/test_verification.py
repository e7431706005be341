"""verify: what is accepted, how it is described, and what is refused in which words."""

import builtins
import hashlib

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

from predictor.handler import verify
from predictor.sandbox import Sandbox
from tests.predictor import factories
from tests.predictor.examining import examine, refusal
from tests.predictor.factories import (
    SPECIES,
    array_model,
    dump,
    original_bytes,
    penguin_model,
    penguins,
    upload,
    verified,
)


def _feature(manifest: dict, name: str) -> dict:
    return next(feature for feature in manifest["features"] if feature["name"] == name)


def test_verify_original_model_accepted_with_version_warning():
    body = original_bytes()

    manifest = verified(body)["manifest"]

    assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
    assert manifest["size_bytes"] == 1311
    assert manifest["versions"]["fitted_with"] == "1.2.0"
    assert "1.2.0" in manifest["warnings"][0]
    assert manifest["estimator"] == "LogisticRegression"
    assert [step["class"] for step in manifest["steps"]] == ["StandardScaler", "LogisticRegression"]
    assert manifest["fitted_on"] == "dataframe"
    assert [feature["name"] for feature in manifest["features"]] == ["var_1", "var_2", "var_3", "var_4"]
    assert manifest["output"] == {"type": "binary", "classes": [0, 1], "probabilities": True}
    assert len(manifest["golden"]) == 20


def test_verify_same_version_warns_of_nothing():
    manifest = verified(array_model())["manifest"]

    assert manifest["warnings"] == []
    assert manifest["versions"]["fitted_with"] == manifest["versions"]["scikit-learn"]


def test_verify_column_transformer_describes_each_column():
    manifest = examine(penguin_model())

    assert _feature(manifest, "sex") == {
        "name": "sex", "kind": "choice", "choices": ["female", "male"], "default": "female", "accepts_missing": False,
    }  # fmt: skip
    assert _feature(manifest, "bill_length_mm")["kind"] == "number"
    assert 40 < _feature(manifest, "bill_length_mm")["default"] < 50
    assert manifest["output"] == {"type": "multiclass", "classes": SPECIES, "probabilities": True}


def test_verify_imputed_columns_accept_missing_values():
    manifest = examine(penguin_model(missing=True))

    assert {feature["name"]: feature["accepts_missing"] for feature in manifest["features"]} == {
        "bill_length_mm": True,
        "body_mass_g": True,
        "sex": True,
    }


def test_verify_encoder_that_ignores_unknowns_does_not_accept_missing():
    table = penguins()
    encoder = ColumnTransformer([("sex", OneHotEncoder(handle_unknown="ignore"), ["sex"])])
    model = make_pipeline(encoder, LogisticRegression()).fit(table[["sex"]], table["species"])

    manifest = examine(model)

    assert _feature(manifest, "sex")["accepts_missing"] is False


@pytest.mark.parametrize("marker", [None, np.nan])
def test_verify_encoder_that_knows_missing_accepts_it(marker):
    table = pd.DataFrame({"c": pd.Series(["a", "b", marker] * 10, dtype=object)})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table, [0, 1, 1] * 10)

    feature = examine(model)["features"][0]

    assert feature["choices"] == ["a", "b"]
    assert feature["accepts_missing"] is True


@pytest.mark.parametrize(
    ("columns", "remainder"),
    [
        ([2], "passthrough"),
        ("sex", "passthrough"),
        (slice(2, 3), "passthrough"),
        (slice("sex", "sex"), "passthrough"),
        ([False, False, True], "passthrough"),
        (make_column_selector(dtype_include=["object", "string", "str"]), StandardScaler()),
    ],
)
def test_verify_column_specification_of_any_form_is_followed(columns, remainder):
    table = penguins()
    spec = ["sex"] if isinstance(columns, str) else columns
    transformer = ColumnTransformer([("choice", OrdinalEncoder(), spec)], remainder=remainder)
    model = make_pipeline(transformer, RandomForestClassifier(3)).fit(table.drop(columns="species"), table["species"])

    manifest = examine(model)

    assert [feature["kind"] for feature in manifest["features"]] == ["number", "number", "choice"]


def test_verify_grid_search_is_looked_into():
    table = penguins()
    encoder = ColumnTransformer([("sex", OneHotEncoder(), ["sex"])], remainder=MinMaxScaler())
    search = GridSearchCV(make_pipeline(encoder, LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=2)
    search.fit(table.drop(columns="species"), table["species"])

    manifest = examine(search)

    assert manifest["estimator"] == "LogisticRegression"
    assert _feature(manifest, "sex")["choices"] == ["female", "male"]
    assert 3000 < _feature(manifest, "body_mass_g")["default"] < 6000


def test_verify_numeric_categories_become_numeric_choices():
    table = pd.DataFrame({"pclass": [1, 2, 3] * 10, "age": np.arange(30.0)})
    encoder = ColumnTransformer([("c", OneHotEncoder(), ["pclass"])], remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression(max_iter=1000)).fit(table, [0, 1, 1] * 10)

    assert _feature(examine(model), "pclass")["choices"] == [1, 2, 3]


def test_verify_text_column_in_a_table_becomes_text():
    table = pd.DataFrame({"review": ["good film", "bad film"] * 10, "stars": [5.0, 1.0] * 10})
    columns = ColumnTransformer([("words", TfidfVectorizer(), "review"), ("rest", StandardScaler(), ["stars"])])
    model = make_pipeline(columns, LogisticRegression()).fit(table, [1, 0] * 10)

    assert [feature["kind"] for feature in examine(model)["features"]] == ["text", "number"]


@pytest.mark.parametrize("union", [False, True])
def test_verify_model_of_a_list_of_texts_has_one_text_feature(union):
    words = FeatureUnion([("a", CountVectorizer()), ("b", TfidfVectorizer())]) if union else CountVectorizer()
    model = make_pipeline(words, LogisticRegression()).fit(["good film", "bad film"] * 5, [1, 0] * 5)

    manifest = examine(model)

    assert [(feature["name"], feature["kind"]) for feature in manifest["features"]] == [("text", "text")]


def test_verify_unknown_column_that_wants_text_is_found_by_trying():
    table = pd.DataFrame({"name": ["ab", "c"] * 10})
    length = FunctionTransformer(np.char.str_len, validate=False)
    as_text = FunctionTransformer(np.asarray, kw_args={"dtype": "U"})
    model = make_pipeline(as_text, length, LogisticRegression()).fit(table, [1, 0] * 10)

    assert examine(model)["trials"]["thousand"]["rows"] == 1000


def test_verify_array_fitted_model_names_features_by_number():
    manifest = examine(array_model())

    assert manifest["fitted_on"] == "array"
    assert [feature["name"] for feature in manifest["features"]] == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    ("estimator", "output"),
    [
        (SVC(), {"type": "binary", "classes": [0, 1], "probabilities": False}),
        (SGDClassifier(), {"type": "binary", "classes": [0, 1], "probabilities": False}),
        (KNeighborsRegressor(), {"type": "regression", "classes": None, "probabilities": False}),
        (KMeans(2, n_init=1), {"type": "labels", "classes": None, "probabilities": False}),
        (HistGradientBoostingClassifier(), {"type": "binary", "classes": [0, 1], "probabilities": True}),
        (CalibratedClassifierCV(SVC(), cv=2), {"type": "binary", "classes": [0, 1], "probabilities": True}),
        (
            VotingClassifier([("a", LogisticRegression()), ("b", RandomForestClassifier(3))], voting="soft"),
            {"type": "binary", "classes": [0, 1], "probabilities": True},
        ),
    ],
)
def test_verify_estimator_of_any_kind_tells_its_output(estimator, output):
    model = array_model([0, 1], estimator=estimator)

    assert examine(model)["output"] == output


def test_verify_joblib_file_is_read():
    event = {**upload(dump(array_model(), as_joblib=True)), "format": "joblib"}

    answer = verify(event, factories.context_of("v"))

    assert answer["ok"]
    assert answer["manifest"]["format"] == "joblib"


def test_verify_dict_refused_naming_what_to_save():
    message = refusal({"model": 1})

    assert "a dict, which has no predict()" in message
    assert "joblib.dump" in message


def test_verify_transformer_refused_for_lack_of_predict():
    assert "has no predict()" in refusal(StandardScaler().fit([[1.0]]))


def test_verify_class_instead_of_object_refused():
    assert "the class LogisticRegression" in refusal(LogisticRegression)


@pytest.mark.parametrize(
    "model", [LogisticRegression(), make_pipeline(StandardScaler(), LogisticRegression())], ids=["bare", "pipeline"]
)
def test_verify_unfitted_model_refused(model):
    assert "not fitted" in refusal(model)


def test_verify_half_fitted_pipeline_refused_as_not_fitted():
    model = make_pipeline(StandardScaler().fit([[1.0], [2.0]]), LogisticRegression())

    assert "not fitted" in refusal(model)


def test_verify_several_outputs_refused_as_not_supported_yet():
    model = LinearRegression().fit([[0.0], [1.0]], [[0.0, 1.0], [1.0, 2.0]])

    assert "predicts 2 outputs at once, which is not supported yet" in refusal(model)


def test_verify_missing_module_named():
    body = b"cnosuchboost.sklearn\nBoost\n."

    assert "needs the Python module 'nosuchboost', which is not installed here" in refusal(body)


def test_verify_class_of_a_notebook_named():
    body = b"c__main__\nMyScaler\n."

    assert "uses 'MyScaler', which was defined in the notebook or script" in refusal(body)


@pytest.mark.parametrize("body", [b"", b"hello", b"\x80\x04\x95\xff", b"PK\x03\x04zip"])
def test_verify_junk_refused_as_not_loading(body):
    assert "does not load as a pickle or joblib file" in refusal(body)


def test_verify_model_that_raises_on_every_row_refused_with_its_words():
    broken = FunctionTransformer(np.linalg.inv).fit([[0.0, 1.0]])
    model = make_pipeline(broken, array_model(features=2))

    assert "its predict() fails on a typical row" in refusal(model)


def test_verify_other_checksum_refused_before_loading(monkeypatch):
    event = {**upload(dump(array_model())), "sha256": "0" * 64}
    monkeypatch.setattr(Sandbox, "examine", _must_not_run)

    answer = verify(event, factories.context_of("v"))

    assert answer["error"]["code"] == "rejected"
    assert "checksum differs" in answer["error"]["message"]


def test_verify_too_large_file_refused_before_loading(monkeypatch):
    monkeypatch.setenv("PORTICO_MODEL_MAX_BYTES", "100")
    monkeypatch.setattr(Sandbox, "feed", _must_not_run)

    answer = verified(array_model())

    assert answer["error"]["code"] == "rejected"
    assert "models of up to" in answer["error"]["message"]


def test_verify_upload_that_is_gone_refused():
    event = {**upload(b""), "upload": "2f1c3b52-6f0c-4a55-9c39-0f3a0d6f3a11"}

    answer = verify(event, factories.context_of("v"))

    assert "no longer there" in answer["error"]["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"upload": "../models/x"},
        {"upload": None},
        {"sha256": "abc"},
        {"sha256": None},
        {"format": "onnx"},
        {"format": "mlflow"},
        {"format": "mlflow", "member": "m.pkl", "member_format": "mlflow"},
        {"trusted": "all"},
        {"rows": {}},
        {"rows": [{}] * 21},
    ],
)
def test_verify_malformed_request_refused(change):
    event = {**upload(b"x"), **change}

    answer = verify(event, factories.context_of("v"))

    assert answer["error"]["code"] == "bad_request"


def test_verify_other_operation_refused():
    answer = verify({"operation": "predict"}, factories.context_of("v"))

    assert answer["error"]["code"] == "bad_request"


def test_verify_golden_rows_are_what_predict_answers():
    model = penguin_model()

    manifest = examine(model)

    for golden in manifest["golden"]:
        row = pd.DataFrame([golden["row"]])
        assert golden["prediction"]["label"] == model.predict(row)[0]
        assert golden["prediction"]["probabilities"] == model.predict_proba(row)[0].tolist()


def _must_not_run(*_: object, **__: object) -> None:
    raise builtins.AssertionError("loaded before the check")
