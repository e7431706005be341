"""An image that answers otherwise than the one before, on docker-compose's stack with the samples live."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deploy.compose import Compose
from deploy.execute import read_outputs
from deploy.golden import prove_code, put_image_back
from deploy.targets import Target, localstack_target
from tests.containers.localstack import docker

pytestmark = pytest.mark.containers

OTHER_IMAGE = "portico-test-other-answers"
# Exchanges the first and the last class's probability, in the source and without the byte code made of it before.
DOCKERFILE = """
FROM portico-lambda
USER root
COPY other.py /tmp/other.py
RUN cat /tmp/other.py >> /var/task/predictor/engines/sklearn_engine.py && rm -r /var/task/predictor/engines/__pycache__
USER 10001:10001
"""
OTHER = """
_as_before = predict_rows
def predict_rows(estimator, table, output):
    answers = _as_before(estimator, table, output)
    if answers.probabilities is None:
        return answers
    return Answers(labels=answers.labels, probabilities=[row[::-1] for row in answers.probabilities])
"""


@pytest.fixture
def place(compose: Compose) -> Target:
    return localstack_target(compose.aws_url)


@pytest.fixture
def outputs(place: Target) -> Mapping[str, str]:
    return read_outputs(place)


@pytest.fixture
def other_image(compose: Compose, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "other.py").write_text(OTHER)
    docker("build", "-q", "-t", OTHER_IMAGE, str(tmp_path))
    yield OTHER_IMAGE
    docker("rmi", "-f", OTHER_IMAGE)


def run_image(place: Target, outputs: Mapping[str, str], image: str) -> None:
    for name in (outputs["PredictFunctionName"], outputs["VerifyFunctionName"]):
        place.functions.update_function_code(FunctionName=name, ImageUri=image)
        place.functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def test_image_with_other_answers_is_found_out_and_the_one_before_is_put_back(
    place: Target, outputs: Mapping[str, str], other_image: str
):
    before = prove_code(place, outputs)
    code = place.functions.get_function_configuration(FunctionName=outputs["PredictFunctionName"])["CodeSha256"]
    run_image(place, outputs, other_image)

    moved = prove_code(place, outputs)
    is_back = put_image_back(place, outputs)

    now = place.functions.get_function_configuration(FunctionName=outputs["PredictFunctionName"])["CodeSha256"]
    assert before == []
    assert {row.model for row in moved} == {"breast-cancer", "four-variables", "penguins"}
    assert (is_back, now) == (True, code)
    assert prove_code(place, outputs) == []
