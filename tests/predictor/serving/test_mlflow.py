"""/invocations: what MLflow's client and SageMaker's callers send, and what they are told."""

import json

import numpy as np
import pytest

from tests.predictor.factories import penguins
from tests.predictor.serving.server_process import CSV, JSON

FEATURES = ["bill_length_mm", "body_mass_g", "sex"]
TABLE = penguins(40, seed=5, missing=True)[FEATURES]
PENGUIN = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}


def split(table):
    """As MLflow 3.17's client (mlflow.utils.proto_json_utils.dump_input_data) writes a DataFrame: NaN included."""
    return json.dumps({"dataframe_split": table.to_dict(orient="split")})


def test_data_frame_with_missing_values_is_answered_as_the_model_does(penguins_server, models):
    answer = penguins_server.invoke(split(TABLE), JSON)

    assert answer.status == 200, answer.body
    assert answer.json() == {"predictions": models["penguins"].predict(TABLE).tolist()}


def test_probabilities_are_answered_where_they_are_asked_for(penguins_server, models):
    body = {**json.loads(split(TABLE)), "params": {"predict_method": "predict_proba"}}

    answer = penguins_server.invoke(body)

    # Few rows are walked, and numpy adds up in an order of its own.
    expected = models["penguins"].predict_proba(TABLE)
    assert np.allclose(answer.json()["predictions"], expected, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": [PENGUIN]},
        {"dataframe_records": [{"extra": 1, "sex": "male", "body_mass_g": "3750", "bill_length_mm": "39.1"}]},
        {"dataframe_split": {"columns": ["sex", *FEATURES[:2], "x"], "data": [["male", 39.1, 3750, 0]]}},
        {"instances": [PENGUIN]},
        {"instances": [[39.1, 3750, "male"]]},
        {"inputs": {"bill_length_mm": [39.1], "body_mass_g": [[3750]], "sex": "male"}},
        {"inputs": [[39.1, 3750, "male"]]},
    ],
)  # fmt: skip
def test_each_form_of_input_is_read(penguins_server, body):
    answer = penguins_server.invoke(body)

    assert (answer.status, answer.json()) == (200, {"predictions": ["Adelie"]})


def test_array_is_answered_by_a_model_of_two_classes(binary_server, models):
    table = np.random.default_rng(4).normal(size=(50, 3))

    answer = binary_server.invoke({"inputs": table.tolist()})

    assert answer.json() == {"predictions": models["binary"].predict(table).tolist()}


def test_numbers_are_answered_by_a_regression(regression_server, models):
    table = penguins(20)[["bill_length_mm", "body_mass_g"]].rename(columns={"bill_length_mm": "a", "body_mass_g": "b"})

    answer = regression_server.invoke(split(table), JSON)

    assert np.array_equal(answer.json()["predictions"], models["regression"].predict(table))


@pytest.mark.parametrize(
    "text",
    [
        "bill_length_mm,body_mass_g,sex\n39.1,3750,male\n,5000,\n",
        "island,sex,body_mass_g,bill_length_mm\nBiscoe,male,3750,39.1\nDream,,5000,\n",
        "39.1,3750,male\r\n,5000,\r\n",
        "\ufeff39.1,3750,male\n\n,5000,\n",
    ],
)
def test_csv_is_read_with_a_header_in_any_order_or_by_position(penguins_server, text):
    answer = penguins_server.invoke(text.encode(), CSV | {"Accept": "text/csv"})

    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.body == b"Adelie\nGentoo\n"


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"", "BAD_REQUEST", "not JSON"),
        (b"{", "BAD_REQUEST", "not JSON"),
        (b"[" * 100_000, "BAD_REQUEST", "not JSON"),
        (b"\xff\xfe", "BAD_REQUEST", "not UTF-8"),
        (b"[1]", "BAD_REQUEST", "must be a JSON object"),
        (b"{}", "BAD_REQUEST", "exactly one of"),
        ({"inputs": [[1, 2, "male"]], "instances": []}, "BAD_REQUEST", "'instances', 'inputs'"),
        ({"inputs": []}, "BAD_REQUEST", "no row"),
        ({"inputs": [[1, 2]]}, "BAD_REQUEST", "Row 1 has 2 values; the model takes 3"),
        ({"inputs": 7}, "BAD_REQUEST", "list of rows"),
        ({"dataframe_split": {"columns": ["sex", "sex"], "data": []}}, "BAD_REQUEST", "each of them once"),
        ({"dataframe_split": {"columns": FEATURES, "data": [[1]]}}, "BAD_REQUEST", "Row 1 has 1 values"),
        ({"dataframe_split": 3}, "BAD_REQUEST", "`columns` and `data`"),
        ({"dataframe_records": [{"sex": "male"}]}, "BAD_REQUEST", "not there: 'bill_length_mm', 'body_mass_g'"),
        ({"dataframe_records": [PENGUIN], "params": 3}, "BAD_REQUEST", "`params`"),
        (
            {"dataframe_records": [PENGUIN, PENGUIN | {"sex": "mael"}]},
            "INVALID_PARAMETER_VALUE",
            "row 2, sex: 'mael' is not one of the known choices (female, male)",
        ),
        ({"dataframe_records": [PENGUIN | {"body_mass_g": []}]}, "INVALID_PARAMETER_VALUE", "body_mass_g: one value"),
        ({"inputs": [], "params": {"predict_method": []}}, "INVALID_PARAMETER_VALUE", "must be one of predict"),
    ],
)  # fmt: skip
def test_body_of_no_use_is_refused_in_mlflows_form(penguins_server, body, code, says):
    answer = penguins_server.invoke(body, JSON)

    assert (answer.status, answer.json()["error_code"]) == (400, code)
    assert says in answer.json()["message"]
    assert set(answer.json()) == {"error_code", "message"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no body"),
        ("a,b\n1,2\n", "does not name the model's 3 features"),
        ("a,b,c\n1,2,male\n", "row 1, bill_length_mm: 'a' is not a number"),
        ("1,2,male\n1,2\n", "Row 2 has 2 values"),
        ('"' + "x" * 2_000_000, "is not CSV"),
    ],
)
def test_csv_of_no_use_is_refused(penguins_server, text, says):
    answer = penguins_server.invoke(text, CSV)

    assert answer.status == 400
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/json; charset=latin-1", "application/vnd.apache.parquet"]
)
def test_content_type_that_is_not_read_is_a_415(penguins_server, content_type):
    answer = penguins_server.invoke(b"{}", {"Content-Type": content_type} if content_type else {})

    assert answer.status == 415
    assert answer.json()["error_code"] == "BAD_REQUEST"


def test_many_rows_with_one_of_no_use_name_it(binary_server):
    rows = [[0.1, 0.2, 0.3]] * 5000
    rows[4321] = [0.1, "x", 0.3]

    answer = binary_server.invoke({"inputs": rows})

    assert answer.status == 400
    assert "row 4322, x1: 'x' is not a number" in answer.json()["message"]


def test_numeric_texts_and_infinity_in_many_rows_are_read_as_in_one(binary_server):
    one = [["1", " 2 ", 3.0]]

    together, alone = binary_server.invoke({"inputs": one * 100}), binary_server.invoke({"inputs": one})
    refused = binary_server.invoke('{"inputs": [' + "[1, 2, 3]," * 50 + "[1, 2, Infinity]]}", JSON)

    assert together.json()["predictions"] == alone.json()["predictions"] * 100
    assert "row 51, x2: 'inf' is not a finite number" in refused.json()["message"]


def test_version_is_text(penguins_server):
    answer = penguins_server.ask("GET", "/version")

    assert (answer.status, answer.body) == (200, b"0.1.0")
