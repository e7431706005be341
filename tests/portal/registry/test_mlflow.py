"""What MLflow wrote beside a model becomes settings; what it never writes is left out."""

import io
import json
import pickle
import zipfile
from typing import Any

import pandas
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from portal.gateways import inference
from portal.gateways.inference import Verified
from portal.registry import actions, mlflow, page_settings, states, training_data
from portal.registry.actions import checking
from portal.registry.models import Feature, ModelVersion
from portal.scanner.report import ScanReport
from tests.portal.factories import make_manifest, make_model, make_user, make_version

# As `mlflow.sklearn.save_model` of MLflow 3.17.2 wrote them, for a table of four columns and two rows of it.
MLMODEL = """\
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.9.1
    skops_trusted_types: null
is_signature_from_type_hint: false
mlflow_version: 3.17.2
model_id: null
model_size_bytes: 2760
model_uuid: a39d046b2ad5434c84be7bc317abec1d
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "long", "name": "age", "required": true}, {"type": "double",
    "name": "income", "required": true}, {"type": "string", "name": "city", "required":
    true}, {"type": "boolean", "name": "member", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: null
type_hint_from_example: false
utc_time_created: '2026-11-22 22:40:22.104433'
"""
TABLE = {"columns": ["age", "income", "city", "member"], "data": [[20, 1.5, "Rome", True], [30, 2.5, "Oslo", False]]}
INPUT_EXAMPLE = json.dumps(TABLE)
SERVING_EXAMPLE = json.dumps({"dataframe_split": TABLE}, indent=2)
FIRST_ROW = {"age": 20, "income": 1.5, "city": "Rome", "member": True}
ATTACHMENTS = {
    "MLmodel": MLMODEL,
    "input_example.json": INPUT_EXAMPLE,
    "serving_input_example.json": SERVING_EXAMPLE,
}


def described(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "choices": None, "default": None, "accepts_missing": False} | facts


FEATURES = [
    described("age", "number", default=35.0),
    described("income", "number", default=3.0),
    described("city", "choice", default="Oslo", choices=["Oslo", "Rome"]),
    described("member", "number", default=1, accepts_missing=True),
]


def signature(*inputs: Any) -> dict[str, str]:
    return {"MLmodel": "signature:\n  inputs: '" + json.dumps(list(inputs)) + "'\n"}


def test_read_of_what_mlflow_wrote_gives_kinds_and_rows():
    noted = mlflow.read(ATTACHMENTS)

    kinds = {each.name: (each.kind, each.is_required) for each in noted.inputs.values()}
    assert kinds == {
        "age": ("integer", True),
        "income": ("number", True),
        "city": ("text", True),
        "member": ("boolean", True),
    }
    assert noted.rows[0] == FIRST_ROW and len(noted.rows) == 2
    assert noted.notes == []


@pytest.mark.parametrize(
    "example",
    [
        TABLE,
        {"dataframe_split": TABLE},
        {"dataframe_records": [FIRST_ROW]},
        {"inputs": [FIRST_ROW]},
        [FIRST_ROW],
        FIRST_ROW,
    ],
    ids=["split", "serving-split", "serving-records", "serving-inputs", "records", "one-row"],
)
def test_read_of_an_example_in_any_of_mlflows_ways_gives_its_first_row(example: Any):
    assert mlflow.read({"input_example.json": json.dumps(example)}).rows[0] == FIRST_ROW


def test_read_of_an_optional_column_in_old_and_new_words_is_not_required():
    noted = mlflow.read(
        signature({"type": "long", "name": "old", "optional": True}, {"type": "long", "name": "new", "required": False})
    )

    assert [each.is_required for each in noted.inputs.values()] == [False, False]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "- a list",
        "signature: text",
        "signature: {inputs: 7}",
        "signature: {inputs: '{'}",
        "signature: {inputs: '{}'}",
        "signature: !!python/object/apply:os.system ['true']",
        "a: &a [x, x]\nb: &b [*a, *a]\nsignature: {inputs: *b}",
        "[" * 1000,
        "signature: {inputs: '" + "[" * 100_000 + "'}",
        "a: " + "x" * mlflow.MAX_CHARACTERS,
        "signature: {inputs: '" + json.dumps([{"type": "long", "name": "x"}] * (mlflow.MAX_COLUMNS + 1)) + "'}",
    ],
    ids=lambda text: text[:24],
)
def test_read_of_a_description_that_mlflow_never_writes_leaves_it_out_with_a_note(text: str):
    noted = mlflow.read({"MLmodel": text})

    assert noted.inputs == {}
    assert len(noted.notes) == 1


@pytest.mark.parametrize(
    "column",
    [
        {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}},
        {"type": "datetime", "name": "day"},
        {"type": "long", "name": ""},
        {"type": ["long"], "name": "x"},
        {"name": "x"},
        "x",
        None,
    ],
    ids=str,
)
def test_read_of_a_column_without_a_plain_type_leaves_that_one_out(column: Any):
    noted = mlflow.read(signature(column, {"type": "long", "name": "age"}))

    assert list(noted.inputs) == ["age"]
    assert noted.notes == ["1 of 2 inputs of the signature have no name or no plain type."]


@pytest.mark.parametrize(
    "text",
    ["{", "7", "[[1, 2]]", '{"columns": ["a"], "data": [[[1]]]}', '{"columns": ["a"], "data": [[1, 2]]}', "[" * 100_000]
    + ['{"x": "' + "y" * (mlflow.MAX_TEXT + 1) + '"}'],
    ids=lambda text: text[:24],
)
def test_read_of_an_example_that_is_no_table_leaves_it_out_with_a_note(text: str):
    noted = mlflow.read({"input_example.json": text})

    assert noted.rows == []
    assert len(noted.notes) == 1


def test_read_of_nothing_says_nothing():
    assert mlflow.read({}) == mlflow.Described()


def fill(**sources: Any) -> dict[str, Feature]:
    version = bare_version(manifest=make_manifest(features=FEATURES))
    given = {"given": {}, "training": None, "previous": None, "noted": mlflow.read(ATTACHMENTS)}
    page_settings.fill(version, **(given | sources))
    return {feature.name: feature for feature in version.features.all()}


def bare_version(**facts: Any) -> ModelVersion:
    version = make_version(make_model(), is_live=False, **facts)
    for rows in (version.features, version.bands, version.examples):
        rows.all().delete()
    return version


@pytest.mark.django_db
def test_settings_take_kinds_defaults_and_examples_from_mlflow():
    features = fill()

    told = {name: (feature.kind, feature.default, feature.is_required) for name, feature in features.items()}
    assert told == {
        "age": ("integer", "20", True),
        "income": ("number", "1.5", True),
        "city": ("choice", "Rome", True),
        "member": ("boolean", "yes", True),
    }
    examples = features["age"].version.examples.all()
    assert [(example.name, example.row) for example in examples][0] == ("Input example 1", FIRST_ROW)


@pytest.mark.django_db
def test_settings_of_mlflow_win_over_training_data_and_keep_its_ranges():
    training = training_data.read(io.BytesIO(b"age,income,city,member\n18,1.5,Rome,1\n80,9.5,Oslo,0\n"))

    age = fill(training=training)["age"]

    assert (age.minimum, age.maximum, age.default) == (18, 80, "20")


@pytest.mark.django_db
def test_settings_given_win_over_mlflow():
    given = {"features": [{"name": "age", "default": 50}], "examples": [{"name": "Ada", "row": FIRST_ROW}]}

    age = fill(given=given)["age"]

    assert age.default == "50"
    assert [example.name for example in age.version.examples.all()] == ["Ada"]


@pytest.mark.django_db
def test_settings_that_the_model_does_not_bear_out_stay_the_models():
    noted = mlflow.read(
        {
            **signature({"type": "string", "name": "age"}, {"type": "boolean", "name": "city"}),
            "input_example.json": json.dumps({**FIRST_ROW, "city": "Atlantis", "age": "old"}),
        }
    )

    features = fill(noted=noted)

    assert (features["age"].kind, features["age"].default) == ("number", "35")
    assert (features["city"].kind, features["city"].default) == ("choice", "Oslo")


@pytest.mark.django_db
def test_check_of_an_mlflow_model_tries_it_on_its_examples(quiet_cloud: None, monkeypatch: pytest.MonkeyPatch):
    version = bare_version(state=states.UPLOADED, manifest={}, sha256="")
    asked: list[dict[str, Any]] = []
    report = ScanReport(
        ok=True, format="mlflow", member="model.pkl", member_format="pickle", attachments=dict(ATTACHMENTS)
    )

    def verify(**given: Any) -> Verified:
        asked.append(given)
        return Verified(make_manifest(format="mlflow", features=FEATURES), None)

    monkeypatch.setattr(checking, "scan_file", lambda path: report)
    monkeypatch.setattr(inference, "verify", verify)

    actions.check(version, by=version.created_by)

    assert asked[0]["rows"][0] == FIRST_ROW
    assert (asked[0]["loading"]["member"], asked[0]["loading"]["member_format"]) == ("model.pkl", "pickle")
    assert version.features.get(name="member").kind == "boolean"


@pytest.mark.django_db
def test_upload_of_a_zipped_mlflow_model_is_ready_with_its_settings(cloud: None):
    table = pandas.DataFrame(
        {
            "age": [20, 30, 40, 50],
            "income": [1.5, 2.5, 3.5, 4.5],
            "city": ["Rome", "Oslo"] * 2,
            "member": [True, False] * 2,
        }
    )
    columns = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(table, [0, 1, 0, 1])
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, text in ATTACHMENTS.items():
            archive.writestr(f"my_model/{name}", text)
        archive.writestr("my_model/model.pkl", pickle.dumps(model))
    zipped.seek(0)

    new_model = actions.NewModel(name="From MLflow", slug="from-mlflow")
    version = actions.upload_version(new_model, zipped, file_name="my_model.zip", by=make_user("olga"))
    actions.check(version, by=version.created_by)

    assert version.refusals == []
    assert (version.manifest["format"], version.manifest["member"]) == ("mlflow", "my_model/model.pkl")
    assert version.features.get(name="age").kind == "integer"
    assert version.examples.first().row == FIRST_ROW
    assert version.manifest["golden"][0]["row"] == FIRST_ROW
