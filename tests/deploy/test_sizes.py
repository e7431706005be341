"""Two sizes of function on a real stack: whoever is asked, single rows are answered, and by the one that should."""

import base64
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier

from portal.gateways import inference
from tests.deploy.publishing import publish
from tests.deploy.sending import send

ROW = {"a": 0.25, "b": -0.75}
HUGE = {"a": 1e300, "b": 0.0}  # beyond float32, which the tables of trees leave to scikit-learn


@dataclass
class Served:
    slug: str
    sha256: str
    fitted: Any

    @property
    def expected(self):
        return self.fitted.predict_proba(pd.DataFrame([ROW]))[0].tolist()


@pytest.fixture(scope="module")
def compiled(stack) -> Served:
    return _serve(stack, "sized-compiled", RandomForestClassifier(10, max_depth=4, random_state=0))


@pytest.fixture(scope="module")
def full(stack) -> Served:
    return _serve(stack, "sized-full", GaussianProcessClassifier(random_state=0))


def _serve(stack, slug, estimator) -> Served:
    rows = pd.DataFrame(np.random.default_rng(3).normal(size=(60, 2)), columns=["a", "b"])
    fitted = estimator.fit(rows, np.where(rows["a"] + rows["b"] > 0, "yes", "no"))
    return Served(slug, publish(stack, slug, fitted), fitted)


def _ask(stack, name: str, served: Served, row=ROW, **changes):
    """A function's answer to a direct invoke, and what it wrote into its log meanwhile."""
    question = {"operation": "predict", "model": served.slug, "version": 1, "row": row, **changes}
    answer = stack.target.functions.invoke(
        FunctionName=stack.outputs[name], Payload=json.dumps(question), LogType="Tail"
    )
    assert "FunctionError" not in answer
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


def _call(stack, served: Served, row=ROW):
    url = f"{stack.environment['PORTICO_API_URL']}/{served.slug}/singlePrediction"
    status, headers, body = send(
        "POST", url, body=json.dumps(row).encode(), headers={"Content-Type": "application/json"}
    )
    return status, headers, json.loads(body)


@pytest.mark.parametrize("kind", ["compiled", "full"])
@pytest.mark.parametrize("name", ["PredictFunctionName", "PredictSmallFunctionName"])
def test_both_functions_give_the_same_answer_to_a_row(stack, request, kind, name):
    served = request.getfixturevalue(kind)

    answer, log = _ask(stack, name, served)

    assert answer["prediction"]["probabilities"] == served.expected
    assert ("handed_over" in log) == (kind == "full" and name == "PredictSmallFunctionName")


def test_row_without_an_answer_in_the_tables_is_handed_over(stack, compiled):
    by_small, log = _ask(stack, "PredictSmallFunctionName", compiled, HUGE)
    by_large, _ = _ask(stack, "PredictFunctionName", compiled, HUGE)

    assert '"reason": "row"' in log
    assert by_small["error"] == by_large["error"]
    assert by_small["error"]["code"] == "prediction_failed"


def test_operation_beyond_predict_is_handed_over(stack, compiled):
    answer, log = _ask(stack, "PredictSmallFunctionName", compiled, operation="describe")

    assert answer["manifest"]["sha256"] == compiled.sha256
    assert '"reason": "operation"' in log


@pytest.mark.parametrize("kind", ["compiled", "full"])
def test_call_of_the_api_is_answered_whatever_the_live_version_needs(stack, request, kind):
    served = request.getfixturevalue(kind)

    status, headers, body = _call(stack, served)

    assert (status, headers["X-Model-Version"]) == (200, f"{served.slug}/1")
    assert body["pred_proba"] == round(served.expected[-1], 3)
    assert headers["X-Request-Id"]


def test_call_of_the_api_with_a_row_that_is_handed_over_is_refused_in_scikit_learns_words(stack, compiled):
    status, headers, body = _call(stack, compiled, HUGE)

    assert (status, headers["X-Model-Version"]) == (400, f"{compiled.slug}/1")
    assert body["message"].startswith("The model cannot answer for these values")


@pytest.mark.parametrize("kind", ["compiled", "full"])
def test_portal_is_answered_whichever_function_it_asks(cloud, request, kind):
    served = request.getfixturevalue(kind)

    answers = [
        inference.predict(slug=served.slug, number=1, sha256=served.sha256, row=ROW, is_compiled=is_compiled)
        for is_compiled in (True, False)
    ]

    assert [list(answer.probabilities or ()) for answer in answers] == [served.expected] * 2


def test_small_function_is_given_the_contract_s_settings(stack):
    name = stack.outputs["PredictSmallFunctionName"]
    configuration = stack.target.functions.get_function_configuration(FunctionName=name)

    assert configuration["MemorySize"] == 128
    assert configuration["Environment"]["Variables"] == {
        "PORTICO_BUCKET": stack.bucket,
        "PORTICO_LARGE_FUNCTION": stack.outputs["PredictFunctionName"],
        "PORTICO_DEFAULT_MODEL": "four-variables",
        "PORTICO_CORS_ORIGIN": "*",
        "PORTICO_MODEL_CACHE_BYTES": "41943040",
        "PORTICO_MANIFEST_KEY": stack.environment["PORTICO_MANIFEST_KEY"],
    }
