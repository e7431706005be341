"""A batch in many parts: several containers side by side, and one of them killed on the way."""

import csv
import io
import json
import os
import subprocess
import time
import uuid

import boto3
import numpy as np
import pytest

from tests.conftest import TARGET
from tests.predictor.factories import array_model, publish

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(TARGET != "localstack", reason="asks docker-compose's stack: make test-compose"),
]

PARTS = int(os.environ.get("PORTICO_TEST_PARTS", "8"))
PART_BYTES = 5 * 1024**2  # the least that S3 takes
WITHIN_S = 60 + 20 * PARTS


@pytest.fixture
def function(stack, stack_environment):
    """The predict function, told to cut files into the smallest parts there are; afterwards as it was."""
    name, functions = stack.outputs["PredictFunctionName"], stack.target.functions
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def set_variables(variables):
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    set_variables({**before, "PORTICO_BATCH_PART_BYTES": str(PART_BYTES)})
    yield name
    set_variables(before)


@pytest.fixture
def file():
    """A CSV that makes PARTS parts: an id and three numbers a row."""
    row_bytes = 67
    count = (PARTS * PART_BYTES - PART_BYTES // 2) // row_bytes
    numbers = np.random.default_rng(3).normal(size=(1000, 3)).round(14)  # as they stand in the file
    lines = [",".join(f"{value:+.14f}" for value in row) for row in numbers]
    body = "".join(f"{number:012},{lines[number % 1000]}\n" for number in range(count))
    return f"id,x0,x1,x2\n{body}".encode(), numbers, count


def test_batch_in_many_parts_outlives_the_death_of_a_container(stack, function, file):
    body, numbers, count = file
    model = array_model([0, 1])
    sha256 = publish(model, slug="many-parts")["sha256"]
    job = {"batch": str(uuid.uuid4()), "user": "1", "model": "many-parts", "version": 1, "sha256": sha256}
    folder = f"batches/1/{job['batch']}"
    stack.target.s3.upload_fileobj(io.BytesIO(body), stack.bucket, f"{folder}/input.csv")

    machine = boto3.client("stepfunctions")
    started = machine.start_execution(
        stateMachineArn=stack.outputs["BatchStateMachineArn"], input=json.dumps({"job": job})
    )
    most, killed = watch(machine, started["executionArn"], function)

    summary = json.load(stack.target.s3.get_object(Bucket=stack.bucket, Key=f"{folder}/summary.json")["Body"])
    assert (summary["ok"], summary["rows"], summary["scored"]) == (True, count, count)
    parts = json.load(stack.target.s3.get_object(Bucket=stack.bucket, Key=f"{folder}/parts.json")["Body"])
    assert len(parts) == PARTS
    assert len(most) >= 3, most
    assert killed
    expected = model.predict_proba(numbers)
    output = stack.target.s3.get_object(Bucket=stack.bucket, Key=f"{folder}/output.csv")["Body"]
    for number, row in enumerate(csv.DictReader(io.TextIOWrapper(io.BytesIO(output.read()), "utf-8"))):
        assert int(row["id"]) == number
        if number % 997 == 0:
            assert float(row["probability_1"]) == expected[number % 1000][1]
    assert number == count - 1


def watch(machine, execution, function):
    """Until the batch has ended: kill one container once two parts are under way.

    Returns: `docker ps` when the most containers were there, and the name of the one that was killed
    """
    deadline, most, killed = time.monotonic() + WITHIN_S, [], None
    while (status := machine.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the batch did not end"
        running = docker(
            "ps", "--filter", f"label=image-lambda.function={function}", "--format", "{{.Names}}  {{.Status}}"
        )
        if len(running) > len(most):
            most = running
        if killed is None and len(running) >= 3:
            time.sleep(1)  # in the midst of its part
            killed = running[-1].split()[0]
            docker("kill", killed)
        time.sleep(0.2)
    print(*most, f"killed: {killed}", sep="\n")
    assert status["status"] == "SUCCEEDED", status
    return most, killed


def docker(*arguments):
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
