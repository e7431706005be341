"""Executions of the state machine: started once, stopped whatever they are at, known after they are forgotten."""

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.test import RequestFactory

from portal import request_ids
from portal.errors import BackendFault
from portal.gateways import executions, storage
from portal.gateways.executions import INTERRUPTED

JOB = {"batch": "5b0cbb0e-0d5c-4f7e-9a55-0b1d7d1f2c11", "user": "7"}


class Machine:
    """Step Functions, as far as it is asked; `fault` is the code of the error that every call ends in."""

    def __init__(self, fault: str = "") -> None:
        self.fault, self.calls = fault, []

    def __getattr__(self, name: str) -> Any:
        def call(**asked: Any) -> dict[str, Any]:
            self.calls.append((name, asked))
            if self.fault:
                raise ClientError({"Error": {"Code": self.fault, "Message": "m"}}, name)
            return {}

        return call


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, settings) -> Machine:
    settings.PORTICO_BATCH_STATE_MACHINE = "arn:aws:states:eu-west-1:1:stateMachine:batch"
    found = Machine()
    monkeypatch.setattr(executions, "client", lambda service: found)
    return found


def test_execution_is_named_after_its_batch_and_the_attempt(machine: Machine):
    arn = executions.start(JOB, attempt=2)

    ((_, asked),) = machine.calls
    assert asked["name"] == f"batch-{JOB['batch']}-2"
    assert json.loads(asked["input"]) == {"job": JOB}
    assert arn == f"arn:aws:states:eu-west-1:1:execution:batch:batch-{JOB['batch']}-2"


def test_execution_that_was_started_before_is_the_same_one(machine: Machine):
    first = executions.start(JOB, attempt=1)
    machine.fault = "ExecutionAlreadyExists"

    assert executions.start(JOB, attempt=1) == first


def test_execution_knows_the_request_that_started_it(machine: Machine):
    asked = request_ids.begin(RequestFactory().get("/"), proxies=[])

    executions.start(JOB, attempt=1)

    request_ids.end()
    ((_, sent),) = machine.calls
    assert json.loads(sent["input"]) == {"job": {**JOB, "request_id": asked.id}}


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "ValidationException"])
def test_stop_of_what_runs_no_more_is_no_error(machine: Machine, code: str):
    machine.fault = code

    executions.stop("arn:x")

    assert [name for name, _ in machine.calls] == ["stop_execution"]


def test_stop_that_is_not_allowed_is_an_error(machine: Machine):
    machine.fault = "AccessDeniedException"

    with pytest.raises(BackendFault):
        executions.stop("arn:x")


def test_status_of_a_batch_the_service_does_not_know_is_a_failure_with_a_reason(cloud: None, stack):
    arn = stack.outputs["BatchStateMachineArn"].replace(":stateMachine:", ":execution:") + ":never-started"

    status = executions.status(arn, user_id=1, batch=uuid.uuid4())

    assert (status.state, status.error) == ("failed", INTERRUPTED)


def test_status_of_a_forgotten_execution_that_had_ended_is_what_it_left_in_the_bucket(cloud: None, stack):
    arn, batch = stack.outputs["BatchStateMachineArn"].replace(":stateMachine:", ":execution:") + ":gone", uuid.uuid4()
    storage.put_json(storage.batch_key(1, batch, "summary.json"), {"ok": True, "rows": 3, "scored": 3, "failed": 0})

    status = executions.status(arn, user_id=1, batch=batch)

    assert (status.state, status.summary["rows"]) == ("done", 3)
