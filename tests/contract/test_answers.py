"""What the container answers is what the portal reads: docs/contract.md sections 3 and 5."""

import ast
import hashlib
import io
import json
import pickle
import re
import uuid
from pathlib import Path

import numpy as np
import pytest
from django.test import RequestFactory
from sklearn.cluster import KMeans
from sklearn.svm import SVC

from portal import request_ids
from portal.errors import BackendAway, BackendFault, BadInput, PorticoError, Refused
from portal.gateways import inference, storage
from portal.gateways.contract import Output
from predictor import errors as container_errors
from predictor.handler import handle
from tests.closeness import nearly
from tests.contract.reading import documented_keys
from tests.predictor.factories import (
    array_model,
    context_of,
    penguin_model,
    publish,
    regression_model,
    write_manifest,
)

ARRAY_ROW = {"x0": 0.1, "x1": -0.2, "x2": 0.3}
PENGUIN = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}
# What becomes of each code in the portal: what the person can mend, or a fault with the container's sentence.
BECOMES = {
    "bad_input": BadInput,
    "prediction_failed": BadInput,
    "rejected": Refused,
    "bad_request": BackendFault,
    "unknown_model": BackendFault,
    "unknown_version": BackendFault,
    "checksum_mismatch": BackendFault,
    "signature_invalid": BackendFault,
    "model_broken": BackendFault,
    "away": BackendAway,
}


def clusters():
    return KMeans(2, n_init=1, random_state=0).fit(np.array([[0.0, 0, 0], [0.1, 0, 0], [5, 5, 5], [5.1, 5, 5]]))


MODELS = {
    "binary": (lambda: array_model(["no", "yes"]), ARRAY_ROW),
    "multiclass": (penguin_model, PENGUIN),
    "regression": (regression_model, {"a": 1, "b": 2}),
    "labels": (clusters, ARRAY_ROW),
}


def publish_as(slug, model):
    """Publish a model as version 1; how the portal would name it in a call."""
    return {"slug": slug, "number": 1, "sha256": publish(model, slug=slug)["sha256"]}


def quarantine(content):
    """Put bytes where uploads wait; how the portal would have them verified."""
    upload = uuid.uuid4()
    storage.put_file(storage.quarantine_key(upload), io.BytesIO(content))
    return {
        "upload": upload,
        "sha256": hashlib.sha256(content).hexdigest(),
        "loading": {"format": "pickle"},
        "rows": [],
    }


@pytest.mark.parametrize("kind", MODELS)
def test_answer_of_each_type_of_model_reads_as_that_type(container, kind):
    make, row = MODELS[kind]
    model = make()
    named = publish_as(f"answers-{kind}", model)

    answer = inference.predict(row=row, **named)

    assert answer.output.type == kind
    assert (answer.is_cold, answer.request_id) == (True, "request-1")
    assert answer.milliseconds > 0
    assert (answer.value is None) == (kind != "regression")
    assert (answer.label is None) == (kind == "regression")
    assert answer.output.has_probabilities == (answer.probabilities is not None) == (kind in ("binary", "multiclass"))
    if answer.probabilities:
        assert len(answer.probabilities) == len(answer.output.classes)
        assert answer.label == answer.output.classes[answer.probabilities.index(max(answer.probabilities))]


def test_call_is_found_in_the_functions_log_by_the_portals_request(container, capsys):
    named = publish_as("answers-followed", penguin_model())
    asked = request_ids.begin(RequestFactory().get("/"), proxies=[])
    capsys.readouterr()

    answer = inference.predict(row=PENGUIN, **named)

    request_ids.end()
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["request_id"], json.loads(line)["invocation"]) == (asked.id, "request-1")
    assert answer.request_id == asked.id


def test_probabilities_arrive_bit_for_bit(container):
    model = array_model([0, 1])
    named = publish_as("answers-exact", model)

    answer = inference.predict(row=ARRAY_ROW, **named)

    assert list(answer.probabilities) == model.predict_proba([list(ARRAY_ROW.values())])[0].tolist()
    assert answer.output.classes == (0, 1)


@pytest.mark.parametrize(("classes", "scores"), [([0, 1], 1), (["a", "b", "c"], 3)])
def test_scores_read_as_one_number_or_one_a_class(container, classes, scores):
    model = array_model(classes, estimator=SVC())
    named = publish_as(f"answers-scores-{scores}", model)

    answer = inference.predict(row=ARRAY_ROW, **named)

    assert answer.probabilities is None
    assert list(answer.scores) == np.atleast_1d(model.decision_function([list(ARRAY_ROW.values())])[0]).tolist()


def test_values_that_the_model_cannot_take_come_back_at_their_features(container):
    named = publish_as("answers-bad-input", penguin_model())

    with pytest.raises(BadInput) as caught:
        inference.predict(row={**PENGUIN, "bill_length_mm": "long", "sex": None}, **named)

    assert set(caught.value.fields) == {"bill_length_mm", "sex"}


def test_values_on_which_the_model_fails_are_the_persons_to_change(container):
    named = publish_as("answers-overflow", regression_model())

    with pytest.raises(BadInput, match="no finite number"):
        inference.predict(row={"a": 1e308, "b": -1e308}, **named)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": 9}, "unknown_version"),
        ({"sha256": "0" * 64}, "checksum_mismatch"),
        ({"slug": "Not A Slug"}, "bad_request"),
    ],
)
def test_call_that_the_portal_got_wrong_is_a_fault_with_its_code_in_the_log(container, change, code):
    named = publish_as("answers-faults", array_model()) | change

    with pytest.raises(BackendFault) as caught:
        inference.predict(row=ARRAY_ROW, **named)

    assert f'"code": "{code}"' in caught.value.detail
    assert caught.value.user_message.endswith(".")


def test_exception_of_the_container_is_a_fault_without_its_text_on_the_page(container, monkeypatch):
    monkeypatch.setattr("predictor.operations.predict", lambda *given, **more: 1 / 0)

    with pytest.raises(BackendFault) as caught:
        inference.predict(slug="any", number=1, sha256="0" * 64, row={})

    assert "division by zero" in caught.value.detail
    assert "division" not in caught.value.user_message


def test_manifest_of_a_verified_upload_holds_what_the_contract_lists(container, contract):
    manifest = inference.verify(**quarantine(pickle.dumps(penguin_model()))).manifest

    assert set(manifest) == documented_keys(
        re.search(r"\{.*\}", contract["5"].partition("### Signatures")[0], re.DOTALL).group()
    )
    assert Output.from_json(manifest["output"]).type == "multiclass"
    assert {key for feature in manifest["features"] for key in feature} == {
        "name",
        "kind",
        "choices",
        "default",
        "accepts_missing",
    }


def test_golden_rows_of_the_manifest_are_rows_that_predict_takes(container):
    content = pickle.dumps(penguin_model())
    golden = inference.verify(**quarantine(content)).manifest["golden"]
    named = publish_as("answers-golden", content)

    answers = [inference.predict(row=row["row"], **named) for row in golden]

    assert golden
    assert [answer.label for answer in answers] == [row["prediction"]["label"] for row in golden]
    expected = [row["prediction"]["probabilities"] for row in golden]
    assert [list(answer.probabilities) for answer in answers] == nearly(expected)


def test_replayed_version_says_what_the_contract_lists_and_nothing_moved(container, contract):
    named = publish_as("answers-replay", penguin_model())
    documented = re.search(r'\{"ok": true, "model": \{…\}, "rows".*?…\]\}', contract["3"], re.DOTALL).group()

    found = inference.replay(**named)

    answer = handle(container.events[-1], context_of("r"))
    assert found.rows > 0
    assert found.moved == []
    assert set(answer) == documented_keys(documented)


def test_row_that_moved_arrives_with_both_answers(container, contract):
    manifest = publish(penguin_model(), slug="answers-moved")
    golden = [{**manifest["golden"][0], "prediction": {**manifest["golden"][0]["prediction"], "label": "Dodo"}}]
    write_manifest({**manifest, "golden": golden}, slug="answers-moved")

    found = inference.replay(slug="answers-moved", number=1, sha256=manifest["sha256"])

    moved = re.search(r'"moved": \[(\{"row".*?\}), …\]', contract["3"], re.DOTALL).group(1)
    assert [set(row) for row in found.moved] == [documented_keys(moved)]
    assert (found.moved[0]["before"]["label"], found.moved[0]["now"]) == ("Dodo", manifest["golden"][0]["prediction"])


def test_several_rows_are_answered_one_by_one(container, contract):
    named = publish_as("answers-rows", penguin_model())
    documented = re.search(r'\{"ok": true, "model": \{…\}, "output".*?one a row\]\}', contract["3"], re.DOTALL).group()

    answers = inference.answer_rows(rows=[PENGUIN, {**PENGUIN, "sex": "other"}], **named)

    assert [set(answer) for answer in answers] == [{"prediction"}, {"error"}]
    assert answers[0]["prediction"]["label"] == "Adelie"
    assert set(handle(container.events[-1], context_of("r"))) == documented_keys(documented)


def test_upload_that_does_not_load_is_refused_with_a_sentence(container):
    with pytest.raises(Refused) as caught:
        inference.verify(**quarantine(b"not a model"))

    assert caught.value.user_message.endswith(".")


def test_codes_of_the_contract_are_those_that_the_container_answers_with(contract):
    listed = re.search(r"^Codes: (.*?)\.\n", contract["3"], re.DOTALL | re.MULTILINE).group(1)

    answered = {fault.code for fault in container_errors.Fault.__subclasses__()}

    assert set(re.findall(r"`(\w+)`", listed)) == answered == set(BECOMES)


def test_codes_that_the_gateway_asks_for_are_codes_of_the_container():
    source = ast.parse(Path(inference.__file__).read_text("utf-8"))
    compared = [node for node in ast.walk(source) if isinstance(node, ast.Compare) and "'code'" in ast.unparse(node)]

    asked_for = {
        constant.value
        for node in compared
        for part in node.comparators
        for constant in ast.walk(part)
        if isinstance(constant, ast.Constant)
    }

    assert asked_for == {code for code, becomes in BECOMES.items() if becomes is not BackendFault}


@pytest.mark.parametrize("code", BECOMES)
def test_fault_of_each_code_becomes_the_right_error_with_the_containers_sentence(code):
    kind = next(fault for fault in container_errors.Fault.__subclasses__() if fault.code == code)
    body = json.dumps(kind("A sentence.", {"a": "is missing"}).to_json()).encode()

    with pytest.raises(PorticoError) as caught:
        inference._read(body, function="predict", is_fault=False)

    assert type(caught.value) is BECOMES[code]
    assert caught.value.user_message == "A sentence."
