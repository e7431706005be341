"""Calls of the public API as stored events, and executions of a real Step Functions emulator that score nothing."""

import json
import time
import uuid
from types import SimpleNamespace

import boto3

from predictor.handler import handle
from tests.predictor.factories import context_of, event

SUB = "0d1f2c3b-aaaa-4f7e-9a55-0b1d7d1f2c11"  # as in the stored events
FILE = "ada/1793000000000_penguins.csv"
PATH = "/penguins/batchPrediction"
BASE = "https://abc123.execute-api.eu-west-1.amazonaws.com/prod"
BOB = {"sub": "9a8b7c6d-bbbb-4f7e-9a55-0b1d7d1f2c22", "cognito:username": "bob"}
PREFER = {"Prefer": "respond-async"}
KEYED = {**PREFER, "Idempotency-Key": "k"}


def use_machine(monkeypatch, state):
    """Give the function a state machine of one state; what tells its executions, as Step Functions describes them."""
    client = boto3.client("stepfunctions")
    definition = json.dumps({"StartAt": "Only", "States": {"Only": state}})
    arn = client.create_state_machine(
        name=f"test-{uuid.uuid4().hex}", definition=definition, roleArn="arn:aws:iam::000000000000:role/none"
    )["stateMachineArn"]
    monkeypatch.setenv("PORTICO_BATCH_STATE_MACHINE", arn)

    def started():
        found = client.list_executions(stateMachineArn=arn)["executions"]
        return [client.describe_execution(executionArn=execution["executionArn"]) for execution in found]

    return started


def call(name="rest_batch_start", *, headers=None, claims=None, **changes):
    """Status, body and headers of the answer to a stored event, changed."""
    called = event(name, **changes)
    called["headers"] = called["headers"] if headers is None else headers
    called["multiValueHeaders"] = None
    if claims is not None:
        called["requestContext"] = called["requestContext"] | {"authorizer": {"claims": claims}}
    answer = handle(called, context_of("r"))
    body = json.loads(answer["body"]) if answer["body"] else None
    return SimpleNamespace(status=answer["statusCode"], body=body, headers=answer["headers"])


def step(execution, name, **more):
    """A step of the batch that an execution was started with, as the real state machine has it done."""
    job = json.loads(execution["input"])["job"]
    return handle({"operation": f"batch.{name}", "job": job, **more}, context_of(f"{name}-1"))


def post(body=None, **options):
    options = {"headers": PREFER} | options
    return call(body=json.dumps({"fileKey": FILE} if body is None else body), **options)


def ask(job, method="GET", *, path=PATH, **options):
    return call("rest_batch_status", httpMethod=method, path=f"{path}/{job}", **options)


def ended(job):
    """The status, once the execution has ended."""
    ends = time.monotonic() + 20
    while (answer := ask(job)).body["status"] in ("queued", "planning", "running"):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return answer.body
