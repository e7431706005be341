"""One id through everything: a request of the portal is found in what the functions log, a batch's steps too."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.test import RequestFactory

from portal import request_ids
from portal.gateways import executions, inference, storage
from tests.predictor.factories import penguin_model, penguins, publish

WITHIN_S = 30
PENGUIN = {"bill_length_mm": 39.71625, "body_mass_g": 3750, "sex": "male"}


@pytest.fixture
def named(cloud: None) -> dict[str, Any]:
    return {"slug": "followed", "number": 1, "sha256": publish(penguin_model(), slug="followed")["sha256"]}


@pytest.fixture
def asked() -> Iterator[str]:
    """The id of the request that the portal is at."""
    yield request_ids.begin(RequestFactory().get("/"), proxies=[]).id
    request_ids.end()


def logged(function: str, asked: str, *, events: set[str]) -> list[dict[str, Any]]:
    """The function's lines of that request, once there is one of each of these events."""
    deadline, lines = time.monotonic() + WITHIN_S, []
    while {line["event"] for line in lines} < events and time.monotonic() < deadline:
        found = boto3.client("logs").filter_log_events(
            logGroupName=f"/aws/lambda/{function}", filterPattern=f'"{asked}"'
        )
        # LocalStack takes no notice of the pattern.
        messages = [event["message"] for event in found["events"] if asked in event["message"]]
        lines = [json.loads(message) for message in messages if message.startswith("{")]
        time.sleep(0.1)
    return lines


def test_prediction_is_found_in_the_functions_log_without_its_values(named: dict[str, Any], asked: str, settings):
    inference.predict(row=PENGUIN, **named)

    (line,) = logged(settings.PORTICO_PREDICT_FUNCTION, asked, events={"predict"})
    assert (line["event"], line["request_id"], line["model"]) == ("predict", asked, "followed/1")
    assert uuid.UUID(line["invocation"])
    assert "39.71625" not in json.dumps(line)


def test_steps_of_a_batch_are_found_by_the_request_that_started_it(named: dict[str, Any], asked: str, settings):
    batch = uuid.uuid4()
    rows = penguins(40).drop(columns="species").to_csv(index=False).encode()
    storage.put_file(storage.batch_key(7, batch, "input.csv"), io.BytesIO(rows))
    job = {"batch": str(batch), "user": "7", "model": "followed", "version": 1, "sha256": named["sha256"]}

    executions.start(job, attempt=1)

    steps = {"batch.plan", "batch.part", "batch.finish"}
    lines = logged(settings.PORTICO_PREDICT_FUNCTION, asked, events=steps)
    assert {line["event"] for line in lines} == steps
    assert {line["batch"] for line in lines} == {str(batch)}
