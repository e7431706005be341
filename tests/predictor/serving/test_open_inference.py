"""The Open Inference Protocol, as tritonclient and KServe's clients speak it."""

import json
import struct

import numpy as np
import pytest

from tests.predictor.factories import penguins
from tests.predictor.serving.server_process import JSON

FEATURES = ["bill_length_mm", "body_mass_g", "sex"]
TABLE = penguins(30, seed=6, missing=True)[FEATURES]
PATH = "/v2/models/{}/infer"


def tensors(table):
    """One tensor a feature, as tritonclient writes JSON ones: flat data, NaN as it is."""
    return [
        {"name": "bill_length_mm", "shape": [len(table), 1], "datatype": "FP64", "data": list(table["bill_length_mm"])},
        {"name": "body_mass_g", "shape": [len(table)], "datatype": "FP64", "data": list(table["body_mass_g"])},
        {
            "name": "sex",
            "shape": [len(table), 1],
            "datatype": "BYTES",
            "data": ["" if sex != sex else sex for sex in table["sex"]],
        },
    ]


def as_binary(inputs):
    """The same by Triton's extension: lengths in the JSON, bytes behind it."""
    described, content = [], b""
    for tensor in inputs:
        if tensor["datatype"] == "BYTES":
            part = b"".join(struct.pack("<I", len(text)) + text.encode() for text in tensor["data"])
        else:
            part = np.array(tensor["data"], "<f8").tobytes()
        content += part
        described.append({**tensor, "data": None, "parameters": {"binary_data_size": len(part)}})
    text = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    return text + content, {"Inference-Header-Content-Length": str(len(text))}


def test_one_tensor_a_feature_is_answered_as_the_model_does(penguins_server, models):
    answer = penguins_server.ask("POST", PATH.format("penguins"), {"id": "7", "inputs": tensors(TABLE)})

    found = answer.json()
    predicted, probabilities = found["outputs"]
    assert (answer.status, found["id"], found["model_name"]) == (200, "7", "penguins")
    assert answer.headers["x-model-version"] == f"penguins/{found['model_version']}"
    assert predicted == {
        "name": "predict", "shape": [30, 1], "datatype": "BYTES", "data": models["penguins"].predict(TABLE).tolist(),
    }  # fmt: skip
    assert (probabilities["shape"], probabilities["datatype"]) == ([30, 3], "FP64")
    expected = models["penguins"].predict_proba(TABLE).ravel().tolist()
    assert probabilities["data"] == pytest.approx(expected, rel=1e-12, abs=0.0)


def test_binary_tensors_are_answered_as_those_in_json(penguins_server):
    body, headers = as_binary(tensors(TABLE))

    binary = penguins_server.ask("POST", PATH.format("penguins"), body, headers)
    plain = penguins_server.ask("POST", PATH.format("penguins"), {"inputs": tensors(TABLE)})

    assert binary.status == 200, binary.body
    assert binary.json() == plain.json()


@pytest.mark.parametrize("datatype", ["FP64", "FP32", "INT64"])
def test_one_table_nested_or_flat_is_answered(binary_server, models, datatype):
    table = np.array([[1, -2, 3], [-4, 0, 1]])
    entry = {"name": "input-0", "shape": [2, 3], "datatype": datatype}

    flat = binary_server.ask("POST", PATH.format("binary"), {"inputs": [{**entry, "data": table.ravel().tolist()}]})
    nested = binary_server.ask("POST", PATH.format("binary"), {"inputs": [{**entry, "data": table.tolist()}]})

    predicted, probabilities = flat.json()["outputs"]
    assert flat.json() == nested.json()
    assert (predicted["datatype"], predicted["data"]) == ("INT64", models["binary"].predict(table).tolist())
    assert np.allclose(np.reshape(probabilities["data"], (2, 2)), models["binary"].predict_proba(table), rtol=1e-12)


def test_only_the_outputs_that_are_asked_for_are_answered(binary_server):
    inputs = [{"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}]

    answer = binary_server.ask(
        "POST", PATH.format("binary"), {"inputs": inputs, "outputs": [{"name": "predict_proba"}]}
    )

    assert [output["name"] for output in answer.json()["outputs"]] == ["predict_proba"]


def test_regression_answers_numbers_and_no_probabilities(regression_server, models):
    inputs = [{"name": "x", "shape": [2, 2], "datatype": "FP64", "data": [1, 2, 3, 4]}]

    answer = regression_server.ask("POST", PATH.format("regression"), {"inputs": inputs})

    assert [(output["name"], output["datatype"]) for output in answer.json()["outputs"]] == [("predict", "FP64")]


def test_metadata_tells_names_types_and_shapes(penguins_server):
    server = penguins_server.ask("GET", "/v2").json()
    model = penguins_server.ask("GET", "/v2/models/penguins").json()
    versioned = penguins_server.ask("GET", f"/v2/models/penguins/versions/{model['versions'][0]}").json()

    assert (server["name"], server["extensions"]) == ("portico", ["binary_tensor_data"])
    assert versioned == model
    assert [(entry["name"], entry["datatype"], entry["shape"]) for entry in model["inputs"]] == [
        ("bill_length_mm", "FP64", [-1, 1]),
        ("body_mass_g", "FP64", [-1, 1]),
        ("sex", "BYTES", [-1, 1]),
    ]
    assert model["outputs"][1] == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]}


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/v2/models/penguins/ready"])
def test_health_is_answered(penguins_server, path):
    assert penguins_server.ask("GET", path).status == 200


@pytest.mark.parametrize(
    "path", ["/v2/models/other", "/v2/models/penguins/versions/9/infer", "/v2/models/A B/ready", "/v2/x", "/v2/models"]
)
def test_what_is_not_there_is_a_404_in_the_protocols_form(penguins_server, path):
    method = "POST" if path.endswith("infer") else "GET"

    answer = penguins_server.ask(method, path.replace(" ", "%20"), {} if method == "POST" else None)

    assert (answer.status, set(answer.json())) == (404, {"error"})


GOOD = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"junk", "not JSON"),
        ({}, "`inputs` must be"),
        ({"inputs": [3]}, "must be an object"),
        ({"inputs": [{**GOOD, "name": None}]}, "needs a name"),
        ({"inputs": [{**GOOD, "datatype": []}]}, "datatype of 'x'"),
        ({"inputs": [{**GOOD, "shape": [1, -3]}]}, "shape of 'x'"),
        ({"inputs": [{**GOOD, "shape": [2, 3]}]}, "has 3 values, and its shape [2, 3] says 6"),
        ({"inputs": [{**GOOD, "shape": [3, 1]}]}, "Send [n, 3]"),
        ({"inputs": [{**GOOD, "data": [[1, 2], 3]}]}, "nested unevenly"),
        ({"inputs": [{**GOOD, "data": [1, "a", 3]}]}, "x1: 'a' is not a number"),
        ({"inputs": [{**GOOD, "parameters": {"binary_data_size": 8}}]}, "binary_data_size"),
        ({"inputs": [{**GOOD, "name": "x0", "shape": [3]}]}, "not there: 'x1', 'x2'"),
        ({"inputs": [{**GOOD, "shape": [0, 3], "data": []}]}, "no row"),
        ({"inputs": [GOOD], "outputs": [{"name": "logits"}]}, "no output 'logits'"),
    ],
)
def test_request_of_no_use_is_refused_in_the_protocols_form(binary_server, body, says):
    answer = binary_server.ask("POST", PATH.format("binary"), body, JSON)

    assert (answer.status, set(answer.json())) == (400, {"error"})
    assert says in answer.json()["error"]


@pytest.mark.parametrize(
    ("length", "content", "says"),
    [("x", b"", "Inference-Header-Content-Length"), ("0", b"", "not JSON"), (None, b"\1\2", "bytes follow the JSON")],
)
def test_binary_parts_that_do_not_fit_are_refused(binary_server, length, content, says):
    text = json.dumps({"inputs": [GOOD]}).encode()
    headers = {"Inference-Header-Content-Length": length or str(len(text))}

    answer = binary_server.ask("POST", PATH.format("binary"), text + content, headers)

    assert answer.status == 400
    assert says in answer.json()["error"]
