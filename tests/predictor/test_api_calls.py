"""The original tool's API: its answers word for word, for REST and HTTP API events alike."""

import base64
import io
import json
import urllib.request

import joblib
import pandas as pd
import pytest

from predictor import bucket, keys
from predictor.handler import handle
from tests.original import original_file
from tests.predictor.factories import (
    array_model,
    context_of,
    event,
    original_bytes,
    penguin_model,
    penguins,
    publish,
    regression_model,
)

SUB = "0d1f2c3b-aaaa-4f7e-9a55-0b1d7d1f2c11"  # as in the stored events
EVENTS = ["rest_single_prediction", "http_single_prediction"]
PENGUIN = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}


@pytest.fixture
def drop_in() -> None:
    bucket.write(keys.DROP_IN_KEY, original_bytes(), content_type="application/octet-stream")


def _call(path: str = "/singlePrediction", body: object = None, **changes: object) -> tuple[int, dict]:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    answer = handle(event("rest_single_prediction", path=path, body=text, **changes), context_of("r"))
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else {}


def _score_file(
    content: bytes, key: str = "ada/1_file.csv", *, path: str = "/penguins/batchPrediction"
) -> tuple[int, dict]:
    bucket.write(key, content, content_type="text/csv")
    return _call(path, {"fileKey": key})


def _download(link: str) -> bytes:
    with urllib.request.urlopen(link) as answer:  # noqa: S310  # the emulator's own address
        return answer.read()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("name", EVENTS)
def test_single_prediction_of_the_drop_in_model_answers_as_the_original(drop_in, name):
    model = joblib.load(original_file("binary_sklearn_model.pkl"))
    row = pd.DataFrame([[1.2, -0.5, 1.0, 0.0]], columns=["var_1", "var_2", "var_3", "var_4"])

    answer = handle(event(name), context_of("r"))

    expected = round(float(model.predict_proba(row)[0, -1]), 3)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"pred_proba": expected, "body": {"pred_proba": expected}}


@pytest.mark.parametrize(
    ("name", "request_id"), [("rest_single_prediction", "rest-request-1"), ("http_single_prediction", "http-request-1")]
)
def test_answer_carries_ids_and_cors_headers(drop_in, name, request_id):
    headers = handle(event(name), context_of("r"))["headers"]

    assert headers["X-Request-Id"] == request_id
    assert headers["X-Model-Version"].startswith("drop-in/")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Headers"] == "Content-Type, Authorization"
    assert headers["Access-Control-Allow-Methods"] == "OPTIONS, POST, GET"


def test_answer_origin_is_configurable(drop_in, monkeypatch):
    monkeypatch.setenv("PORTICO_CORS_ORIGIN", "https://portal.example")

    answer = handle(event("rest_single_prediction"), context_of("r"))

    assert answer["headers"]["Access-Control-Allow-Origin"] == "https://portal.example"


def test_options_is_answered_without_a_model():
    answer = handle(event("rest_single_prediction", httpMethod="OPTIONS", body=None), context_of("r"))

    assert answer["statusCode"] == 204
    assert answer["headers"]["Access-Control-Allow-Methods"] == "OPTIONS, POST, GET"


def test_unknown_path_is_answered_404():
    status, body = _call("/other", {})

    assert (status, body) == (404, {"message": "Unknown API call"})


def test_single_prediction_by_get_is_answered_405():
    assert _call(httpMethod="GET")[0] == 405


@pytest.mark.parametrize("missing", [{}, {"var_1": None}])
def test_single_prediction_missing_feature_named_as_in_the_original(drop_in, missing):
    status, body = _call(body={"var_2": 1, "var_3": 1, "var_4": 1, **missing})

    assert (status, body) == (400, {"message": "Error-Bad input values in: ['var_1']"})


def test_single_prediction_text_for_a_number_says_why(drop_in):
    status, body = _call(body={"var_1": "abc", "var_2": 1, "var_3": 1, "var_4": 1})

    assert status == 400
    assert body == {"message": "Error-Bad input values in: ['var_1']; var_1: 'abc' is not a number"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "no body"),
        ("", "no body"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "must be a JSON object"),
        ('"x"', "must be a JSON object"),
        ('{"var_1": NaN, "var_2": 1, "var_3": 1, "var_4": 1}', "'nan' is not a finite number"),
        ('{"a": "' + "x" * 2_000_000 + '"}', "too large"),
    ],
)
def test_single_prediction_unreadable_body_says_why(drop_in, body, message):
    status, answer = _call(body=body)

    assert status == 400
    assert message in answer["message"]


@pytest.mark.parametrize("body", ["***", base64.b64encode(b"\xff\xfe").decode()])
def test_single_prediction_broken_base64_says_so(drop_in, body):
    status, answer = _call(body=body, isBase64Encoded=True)

    assert status == 400
    assert "base64" in answer["message"]


def test_single_prediction_without_any_model_is_answered_404():
    status, answer = _call(body={"a": 1})

    assert status == 404
    assert "No model is named" in answer["message"]


def test_single_prediction_without_drop_in_uses_the_default_model(monkeypatch):
    publish(penguin_model())
    monkeypatch.setenv("PORTICO_DEFAULT_MODEL", "penguins")

    status, _ = _call(body=PENGUIN)

    assert status == 200


@pytest.mark.parametrize("path", ["/penguins/singlePrediction", "/prod/penguins/singlePrediction"])
def test_single_prediction_of_a_named_model_prefers_it_to_the_drop_in(drop_in, path):
    model = penguin_model()
    publish(model)

    status, body = _call(path, PENGUIN)

    row = pd.DataFrame([{**PENGUIN, "body_mass_g": 3750.0}])
    probabilities = model.predict_proba(row)[0].tolist()
    expected = {
        "prediction": model.predict(row)[0],
        "probabilities": dict(zip(model.classes_, probabilities, strict=True)),
        "pred_proba": round(probabilities[-1], 3),
    }
    assert status == 200
    assert body == {**expected, "body": expected}


def test_single_prediction_of_a_regression_has_no_probability():
    publish(regression_model(), slug="house")

    _, body = _call("/house/singlePrediction", {"a": 1, "b": 2})

    assert set(body) == {"prediction", "body"}


def test_single_prediction_of_a_model_that_is_not_there_is_answered_404():
    assert _call("/nothing/singlePrediction", {"a": 1})[0] == 404


def test_single_prediction_path_with_the_stage_only_uses_the_drop_in(drop_in):
    status, _ = _call("/prod/singlePrediction", {"var_1": 1, "var_2": 1, "var_3": 1, "var_4": 1})

    assert status == 200


def test_bug_is_answered_with_a_reference_and_no_detail(drop_in, monkeypatch, capsys):
    monkeypatch.setattr("predictor.api_calls.predict_one", lambda *_: 1 / 0)

    status, body = _call(body={"var_1": 1, "var_2": 1, "var_3": 1, "var_4": 1})

    assert status == 500
    assert "rest-request-1" in body["message"]
    assert "ZeroDivisionError" not in body["message"]
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_batch_prediction_of_the_original_data_equals_scikit_learn(drop_in):
    model = joblib.load(original_file("binary_sklearn_model.pkl"))
    content = original_file("data.csv").read_bytes()

    status, body = _score_file(content, path="/batchPrediction")

    table = pd.read_csv(io.BytesIO(content))
    result = pd.read_csv(io.BytesIO(_download(body["downloadLink"])))
    expected = model.predict_proba(table[["var_1", "var_2", "var_3", "var_4"]])[:, 1]
    assert status == 200
    assert body["bucket"] == bucket.name()
    assert result["predicted_probability_1"].tolist() == expected.tolist()
    pd.testing.assert_frame_equal(result[table.columns], table)


def test_batch_prediction_result_lies_beside_the_file():
    publish(penguin_model())

    _score_file(penguins(5).to_csv(index=False).encode(), "ada/sub/1_file.csv")

    assert bucket.head("ada/sub/1_file_predictions.csv") is not None


def test_batch_prediction_of_other_models_has_the_label_too():
    model = penguin_model()
    publish(model)
    table = penguins(30)

    _, body = _score_file(table.to_csv(index=False).encode())

    result = pd.read_csv(io.BytesIO(_download(body["downloadLink"])))
    features = table.drop(columns="species")
    assert result["prediction"].tolist() == model.predict(features).tolist()
    assert result["predicted_probability_1"].tolist() == model.predict_proba(features)[:, -1].tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"bill_length_mm,body_mass_g,sex\n", "a header but no rows"),
        (b"bill_length_mm,body_mass_g\n1,2\n", "lacks the column 'sex'"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_batch_prediction_unusable_file_says_why(content, message):
    publish(penguin_model())

    status, body = _score_file(content)

    assert status == 400
    assert message in body["message"]


def test_batch_prediction_too_large_file_for_the_model_without_a_name_says_so(drop_in, monkeypatch):
    monkeypatch.setenv("PORTICO_INLINE_BATCH_MAX_BYTES", "100")

    status, body = _score_file(original_file("data.csv").read_bytes(), path="/batchPrediction")

    assert status == 400
    assert "use the batch page" in body["message"]


def test_batch_prediction_missing_file_says_so():
    publish(penguin_model())

    status, body = _call("/penguins/batchPrediction", {"fileKey": "ada/nothing.csv"})

    assert (status, body["message"]) == (400, "There is no file of that fileKey.")


@pytest.mark.parametrize(
    "key",
    [
        None, 5, "", "file.csv", "/file.csv", "ada/", "ada//x.csv", "ada/../bob/x.csv", "../x.csv", "ada/./x.csv",
        "quarantine/x", "models/m/1/model.pkl", "model/binary_sklearn_model.pkl", "batches/7/x/i.csv", "ada/x\n.csv",
    ],
)  # fmt: skip
@pytest.mark.parametrize("claims", [True, False])
def test_batch_prediction_key_outside_a_users_folder_refused(key, claims):
    publish(penguin_model())
    changes = {} if claims else {"requestContext": {"stage": "prod", "requestId": "r"}}

    status, body = _call("/penguins/batchPrediction", {"fileKey": key}, **changes)

    assert status == 400
    assert body["message"].startswith("fileKey ")


@pytest.mark.parametrize("exists", [True, False])
def test_batch_prediction_of_anothers_file_does_not_reveal_whether_it_exists(exists):
    publish(penguin_model())
    if exists:
        bucket.write("bob/x.csv", penguins(5).to_csv(index=False).encode(), content_type="text/csv")

    status, body = _call("/penguins/batchPrediction", {"fileKey": "bob/x.csv"})

    assert (status, body) == (400, {"message": "fileKey must lie inside your own folder."})


def test_batch_prediction_own_folder_may_be_named_by_sub():
    publish(penguin_model())

    status, _ = _score_file(penguins(5).to_csv(index=False).encode(), "0d1f2c3b-aaaa-4f7e-9a55-0b1d7d1f2c11/x.csv")

    assert status == 200


def test_single_prediction_of_a_binary_model_without_probabilities_gives_the_label():
    from sklearn.svm import SVC

    publish(array_model(["no", "yes"], estimator=SVC()), slug="m")

    _, body = _call("/m/singlePrediction", {"x0": 5, "x1": 5, "x2": 5})

    assert body["prediction"] == "yes"
    assert "pred_proba" not in body


@pytest.mark.parametrize("path", ["/singlePrediction", "/penguins/batchPrediction", "/batchPrediction/x"])
@pytest.mark.parametrize("use", ["access", "refresh", ""])
def test_token_that_is_not_an_id_token_refused_before_anything_is_read(path, use):
    claims = {"sub": SUB, "token_use": use}

    status, body = _call(path, "not json", requestContext={"stage": "prod", "authorizer": {"claims": claims}})

    assert (status, body) == (401, {"message": "Send the ID token of your sign-in; this is another of its tokens."})


@pytest.mark.parametrize("claims", [{"sub": SUB, "token_use": "id"}, {"sub": SUB}])
def test_id_token_and_tokens_of_issuers_that_know_no_uses_taken(claims):
    publish(penguin_model())

    status, body = _call(
        "/penguins/singlePrediction", PENGUIN, requestContext={"stage": "prod", "authorizer": {"claims": claims}}
    )

    assert status == 200, body
