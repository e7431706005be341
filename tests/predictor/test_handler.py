"""Direct invokes: predict and describe, word for word as docs/contract.md §3 has them."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from predictor import batch, bucket
from predictor.errors import BatchRefused
from predictor.handler import handle
from tests.original import original_file
from tests.predictor.factories import (
    SPECIES,
    array_model,
    context_of,
    event,
    forest,
    original_bytes,
    penguin_model,
    predict,
    publish,
    regression_model,
)

ROW = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}
FRAME = pd.DataFrame({"bill_length_mm": [39.1], "body_mass_g": [3750.0], "sex": ["male"]})


def test_predict_multiclass_answers_scikit_learns_numbers():
    model = penguin_model()
    manifest = publish(model)

    answer = predict(ROW)

    assert answer["ok"]
    assert answer["model"] == {"slug": "penguins", "version": 1, "sha256": manifest["sha256"]}
    assert answer["output"] == {"type": "multiclass", "classes": SPECIES, "probabilities": True}
    assert answer["prediction"] == {
        "label": model.predict(FRAME)[0],
        "value": None,
        "probabilities": model.predict_proba(FRAME)[0].tolist(),
        "scores": None,
    }
    assert answer["request_id"] == "request-1"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_predict_original_model_is_bitwise_equal_on_every_row():
    publish(original_bytes(), slug="original")
    model = joblib.load(original_file("binary_sklearn_model.pkl"))
    table = pd.read_csv(original_file("data.csv"))[["var_1", "var_2", "var_3", "var_4"]].head(100)

    for place, row in enumerate(table.to_dict("records")):
        answer = json.loads(json.dumps(predict(row, model="original")))

        assert answer["prediction"]["probabilities"] == model.predict_proba(table.iloc[[place]])[0].tolist()
        assert answer["prediction"]["label"] == model.predict(table.iloc[[place]])[0]


def test_predict_second_time_is_warm():
    publish(penguin_model())

    starts = [predict(ROW)["start"] for _ in range(2)]

    assert starts == ["cold", "warm"]


def test_predict_regression_has_a_value_only():
    model = regression_model()
    publish(model, slug="house")

    answer = predict({"a": 1, "b": 2}, model="house")

    expected = model.predict(pd.DataFrame({"a": [1.0], "b": [2.0]}))[0]
    assert answer["output"]["type"] == "regression"
    assert answer["prediction"] == {"label": None, "value": expected, "probabilities": None, "scores": None}


@pytest.mark.parametrize("classes", [["no", "yes"], [0, 1], [False, True], [0.0, 2.0]])
def test_predict_label_keeps_its_json_type(classes):
    publish(array_model(classes), slug="m")

    answer = predict({"x0": 5, "x1": 5, "x2": 5}, model="m")

    assert answer["output"]["classes"] == classes
    assert answer["prediction"]["label"] == classes[1]
    assert type(answer["prediction"]["label"]) is type(classes[1])


def test_predict_binary_without_probabilities_has_one_score():
    model = array_model([0, 1], estimator=SVC())
    publish(model, slug="m")

    prediction = predict({"x0": 1, "x1": 2, "x2": 3}, model="m")["prediction"]

    assert prediction["probabilities"] is None
    assert prediction["scores"] == model.decision_function([[1.0, 2.0, 3.0]])[0]


def test_predict_multiclass_without_probabilities_has_a_score_a_class():
    model = array_model(["a", "b", "c"], estimator=SVC())
    publish(model, slug="m")

    prediction = predict({"x0": 1, "x1": 2, "x2": 3}, model="m")["prediction"]

    assert prediction["scores"] == model.decision_function([[1.0, 2.0, 3.0]])[0].tolist()


@pytest.mark.parametrize(
    "estimator", [KMeans(2, n_init=1, random_state=0), IsolationForest(n_estimators=5, random_state=0)]
)
def test_predict_clusterer_or_outlier_detector_gives_a_label_only(estimator):
    model = array_model(estimator=estimator)
    publish(model, slug="m")

    answer = predict({"x0": 1, "x1": 2, "x2": 3}, model="m")

    assert answer["output"] == {"type": "labels", "classes": None, "probabilities": False}
    assert answer["prediction"] == {
        "label": int(model.predict([[1.0, 2.0, 3.0]])[0]), "value": None, "probabilities": None, "scores": None,
    }  # fmt: skip


def test_predict_missing_values_reach_the_imputers():
    model = penguin_model(missing=True)
    publish(model)

    answer = predict({"bill_length_mm": None, "body_mass_g": "", "sex": None})

    frame = pd.DataFrame({"bill_length_mm": [np.nan], "body_mass_g": [np.nan], "sex": np.array([np.nan], dtype=object)})
    assert answer["prediction"]["probabilities"] == model.predict_proba(frame)[0].tolist()


@pytest.mark.parametrize("marker", [None, np.nan])
def test_predict_missing_category_is_the_one_that_the_encoder_knows(marker):
    table = pd.DataFrame({"c": pd.Series(["a", "b", marker] * 10, dtype=object)})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table, [0, 0, 1] * 10)
    publish(model, slug="m")

    answer = predict({"c": None}, model="m")

    assert answer["prediction"]["probabilities"] == model.predict_proba(table.iloc[[2]])[0].tolist()
    assert answer["prediction"]["label"] == 1


def test_predict_array_fitted_model_equals_scikit_learn():
    model = forest()
    publish(model, slug="m")

    answer = predict({"x0": 0.1, "x1": -0.2, "x2": 0.3}, model="m")

    assert answer["prediction"]["probabilities"] == model.predict_proba([[0.1, -0.2, 0.3]])[0].tolist()


@pytest.mark.parametrize("value", ["39.1", " 39.1 ", "3.91e1", 39.1])
def test_predict_numeric_text_is_a_number(value):
    publish(penguin_model())

    answer = predict({**ROW, "bill_length_mm": value})

    assert answer["prediction"] == predict(ROW)["prediction"]


def test_predict_boolean_for_a_number_is_one():
    publish(array_model(), slug="m")

    answer = predict({"x0": True, "x1": False, "x2": 1}, model="m")

    assert answer["prediction"] == predict({"x0": 1, "x1": 0, "x2": 1}, model="m")["prediction"]


def test_predict_extra_keys_are_ignored():
    publish(penguin_model())

    assert predict({**ROW, "island": "Biscoe"})["prediction"] == predict(ROW)["prediction"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bill_length_mm", None, "a value is needed"),
        ("bill_length_mm", "", "a value is needed"),
        ("bill_length_mm", "abc", "'abc' is not a number"),
        ("bill_length_mm", "1_000", "'1_000' is not a number"),
        ("bill_length_mm", "NaN", "'NaN' is not a finite number"),
        ("bill_length_mm", float("inf"), "'inf' is not a finite number"),
        ("bill_length_mm", 10**400, "'" + str(10**400)[:40] + "…' is not a finite number"),
        ("bill_length_mm", [1], "one value is needed, not a list or an object"),
        ("sex", "mal", "'mal' is not one of the known choices (female, male)"),
        ("sex", 1, "'1' is not one of the known choices (female, male)"),
        ("sex", {"a": 1}, "one value is needed, not a list or an object"),
    ],
)
def test_predict_bad_value_refused_at_its_field(name, value, message):
    publish(penguin_model())

    answer = predict({**ROW, name: value})

    assert answer["ok"] is False
    assert answer["error"]["code"] == "bad_input"
    assert answer["error"]["fields"] == {name: message}


def test_predict_unknown_choice_refused_even_where_the_encoder_ignores_it():
    table = pd.DataFrame({"c": ["a", "b"] * 10})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(table, [0, 1] * 10)
    publish(model, slug="m")

    assert predict({"c": "A"}, model="m")["error"]["fields"] == {"c": "'A' is not one of the known choices (a, b)"}


def test_predict_several_bad_values_are_all_named():
    publish(penguin_model())

    answer = predict({"bill_length_mm": "x"})

    assert set(answer["error"]["fields"]) == {"bill_length_mm", "body_mass_g", "sex"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "no-such"}, "unknown_model"),
        ({"model": "no-such", "version": 4}, "unknown_model"),
        ({"version": 9}, "unknown_version"),
        ({"version": 0}, "bad_request"),
        ({"version": "1"}, "bad_request"),
        ({"version": True}, "bad_request"),
        ({"model": "../quarantine"}, "bad_request"),
        ({"model": None}, "bad_request"),
        ({"row": [1, 2]}, "bad_request"),
        ({"sha256": "0" * 64}, "checksum_mismatch"),
        ({"sha256": "nothing"}, "bad_request"),
        ({"operation": "delete"}, "bad_request"),
    ],
)
def test_predict_request_that_cannot_be_answered_gets_its_code(change, code):
    publish(penguin_model())

    answer = handle({"operation": "predict", "model": "penguins", "row": ROW, **change}, context_of("r"))

    assert answer["error"]["code"] == code
    assert answer["error"]["message"].endswith(".")


def test_predict_result_that_is_not_finite_is_a_failure():
    model = regression_model()
    publish(model, slug="house")

    answer = predict({"a": 1e308, "b": -1e308}, model="house")

    assert answer["error"]["code"] == "prediction_failed"


def test_describe_live_version_gives_its_manifest():
    manifest = publish(penguin_model())

    answer = handle(event("describe"), context_of("r"))

    assert answer["model"] == {"slug": "penguins", "version": 1, "sha256": manifest["sha256"]}
    assert answer["manifest"] == manifest


def test_stored_predict_event_is_answered():
    publish(penguin_model())

    answer = handle(event("predict"), context_of("r"))

    assert answer["ok"]


@pytest.mark.parametrize("nonsense", [{}, {"operation": 5}, {"requestContext": 1}, []])
def test_handle_event_of_no_known_kind_refused(nonsense):
    assert handle(nonsense, context_of("r"))["error"]["code"] == "bad_request"


def test_handle_s3_away_raises(monkeypatch):
    monkeypatch.setenv("PORTICO_BUCKET", "no-such-bucket-at-all")

    with pytest.raises(Exception, match="NoSuchBucket"):
        predict(ROW)


def test_log_line_says_what_happened_and_no_value(capsys):
    publish(penguin_model())
    capsys.readouterr()

    predict({**ROW, "sex": "secret-value"})

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["error"] == "bad_input"
    assert json.loads(line)["request_id"] == "request-1"
    assert "secret-value" not in line


def logged(capsys):
    """The one line that was logged since the last look."""
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_log_line_of_an_answer_has_its_model_its_start_and_its_milliseconds(capsys):
    publish(penguin_model())
    capsys.readouterr()

    answers = [predict(ROW) for _ in range(2)]

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.pop("milliseconds") for line in lines] == [answer["milliseconds"] for answer in answers]
    assert lines == [
        {"event": "predict", "request_id": "request-1", "model": "penguins/1", "start": start}
        for start in ("cold", "warm")
    ]


@pytest.mark.parametrize(
    "changes", [{"version": True}, {"version": 1.0}, {"version": "1"}, {"sha256": 7}, {"model": ["penguins"]}]
)
def test_predict_warm_model_named_wrongly_is_refused_as_when_cold(changes):
    publish(penguin_model())
    asked = {"operation": "predict", "model": "penguins", "version": 1, "row": ROW}
    handle(asked, context_of("request-1"))

    answer = handle({**asked, **changes}, context_of("request-1"))

    assert answer["error"]["code"] == "bad_request"


def test_predict_warm_model_of_another_checksum_is_refused():
    publish(penguin_model())
    asked = {"operation": "predict", "model": "penguins", "version": 1, "row": ROW}
    handle(asked, context_of("request-1"))

    answer = handle({**asked, "sha256": "0" * 64}, context_of("request-1"))

    assert answer["error"]["code"] == "checksum_mismatch"


def test_log_line_of_a_call_that_names_its_request_has_both_ids(capsys):
    publish(penguin_model())
    capsys.readouterr()

    answer = handle(event("predict"), context_of("invocation-1"))

    line = logged(capsys)
    assert (line["request_id"], line["invocation"]) == ("3f9a5c1e7b2d4a60", "invocation-1")
    assert answer["request_id"] == "3f9a5c1e7b2d4a60"


@pytest.mark.parametrize("named", [None, "", "x" * 65, 7, ["a"], {"a": 1}])
def test_id_that_is_none_leaves_the_invocations_own(capsys, named):
    publish(penguin_model())
    capsys.readouterr()

    answer = handle(event("predict", request_id=named), context_of("invocation-1"))

    line = logged(capsys)
    assert answer["ok"]
    assert (answer["request_id"], line["request_id"]) == ("invocation-1", "invocation-1")
    assert "invocation" not in line


def test_id_with_signs_of_its_own_cannot_end_the_line(capsys):
    publish(penguin_model())
    capsys.readouterr()

    handle(event("predict", request_id='"}\n{"event": "forged'), context_of("invocation-1"))

    assert logged(capsys)["request_id"] == '"}\n{"event": "forged'


def test_step_of_a_batch_is_logged_under_the_request_that_started_it(capsys):
    with pytest.raises(BatchRefused):
        handle(event("batch_part"), context_of("invocation-1"))

    line = logged(capsys)
    assert (line["request_id"], line["invocation"]) == ("3f9a5c1e7b2d4a60", "invocation-1")


def test_refusal_that_lambda_logs_does_not_quote_the_file(monkeypatch):
    def refuse(body):
        raise BatchRefused("The first, in line 12: bill_length_mm: 'atlantis-75' is not a number.")

    monkeypatch.setitem(batch.BATCH_STEPS, "batch.part", refuse)

    with pytest.raises(BatchRefused) as refused:
        handle(event("batch_part"), context_of("r"))

    assert str(refused.value) == "refusal.json says why."
    assert refused.value.__suppress_context__


def test_call_of_the_api_is_logged_with_the_gateways_id_and_the_invocations(capsys):
    publish(penguin_model())
    capsys.readouterr()

    handle(event("rest_single_prediction"), context_of("invocation-1"))

    line = logged(capsys)
    assert (line["request_id"], line["invocation"]) == ("rest-request-1", "invocation-1")


def test_broken_manifest_is_a_broken_model():
    publish(penguin_model())
    bucket.write("models/penguins/1/manifest.json", b"{", content_type="application/json")

    assert predict(ROW)["error"]["code"] == "model_broken"
