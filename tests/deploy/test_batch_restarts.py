"""The emulator killed between any two steps of a batch: started again, the batch ends with the same bytes."""

import contextlib
import io
import json
import os
import signal
import time
import uuid
from dataclasses import replace
from pathlib import Path

import boto3
import numpy as np
import pytest

from deploy.embedded.emulator import start_emulator, stop_emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import make_plan
from deploy.state import StateFolder
from deploy.targets import EMULATOR_CREDENTIALS, embedded_target
from tests.predictor.factories import array_model, publish

pytestmark = pytest.mark.embedded

PART_BYTES = 5 * 1024**2  # the least that S3 takes
PARTS = 3
WITHIN_S = 90
# What a batch leaves, in order; after each of these its emulator is killed once.
MOMENTS = ["input.csv", "stage.json", "plan.json", "parts.json", "parts/1.json", "parts/3.json", "output.csv"]


class Place:
    """An emulator of its own with the stack on it, which can be killed and is then started on what it had saved."""

    def __init__(self, supervisor: Supervisor, state: StateFolder) -> None:
        self._supervisor, self._state = supervisor, state
        self._emulator = start_emulator(supervisor, state, find_free_port(), extra={"SFN_WAIT_SCALE": "0.1"})
        target = embedded_target(self._emulator.endpoint)
        target = replace(target, parameters={**target.parameters, "BatchPartBytes": str(PART_BYTES)})
        self.outputs = execute_plan(target, make_plan(target), lambda *event: None)
        self.environment = {
            **EMULATOR_CREDENTIALS,
            "AWS_ENDPOINT_URL": target.endpoint_url,
            **portal_environment(target, self.outputs),
        }
        stop_emulator(supervisor, state, self._emulator)
        self.start()

    def start(self) -> None:
        self._emulator = start_emulator(
            self._supervisor, self._state, self._emulator.port, extra={"SFN_WAIT_SCALE": "0.1"}
        )

    def kill(self) -> None:
        os.kill(self._emulator.child.process.pid, signal.SIGKILL)
        self._emulator.child.process.wait(10)
        self.start()

    def functions(self) -> list[int]:
        """The processes that run functions."""
        return _descendants(self._emulator.child.process.pid)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with Supervisor() as supervisor:
        yield Place(supervisor, StateFolder(tmp_path_factory.mktemp("restarts")))


@pytest.fixture
def published(place, monkeypatch):
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return publish(array_model([0, 1]), slug="restarted")


@pytest.fixture(scope="module")
def content() -> bytes:
    rows = np.random.default_rng(7).normal(size=(1000, 3))
    lines = "".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows.tolist())
    lines += "oops,1,2\n"
    times = (PARTS * PART_BYTES - PART_BYTES // 2) // len(lines)
    return f"x0,x1,x2\n{lines * times}".encode()


def test_emulator_killed_after_each_thing_a_batch_leaves_ends_with_the_same_bytes(place, published, content):
    expected = _run_undisturbed(place, published, content)

    for moment in MOMENTS:
        batch = _Batch(place, published, content)
        batch.start()
        batch.wait_for(moment)
        place.kill()
        batch.start()
        assert batch.wait() == "SUCCEEDED", moment
        assert batch.output() == expected, moment


def test_process_of_a_part_that_is_killed_does_no_harm(place, published, content):
    expected = _run_undisturbed(place, published, content)
    batch = _Batch(place, published, content)
    batch.start()
    batch.wait_for("parts.json")
    killed = place.functions()

    for process in killed:
        os.kill(process, signal.SIGKILL)
    if batch.wait() == "FAILED":
        reason = batch.read_json("summary.json")["error"]["message"]
        assert "Resume" in reason
        batch.start()
        assert batch.wait() == "SUCCEEDED"

    assert killed
    assert batch.output() == expected


def test_two_starts_of_one_name_are_one_execution(place, published, content):
    batch = _Batch(place, published, content)
    batch.start(name="once")
    with pytest.raises(batch.machine.exceptions.ExecutionAlreadyExists):
        batch.start(name="once", more={"retried": True})

    assert batch.wait() == "SUCCEEDED"


def _run_undisturbed(place, published, content) -> bytes:
    batch = _Batch(place, published, content)
    batch.start()
    assert batch.wait() == "SUCCEEDED"
    assert len(batch.read_json("plan.json")["ranges"]) == PARTS
    return batch.output()


class _Batch:
    def __init__(self, place: Place, published: dict, content: bytes) -> None:
        endpoint = place.environment["AWS_ENDPOINT_URL"]
        self.machine = boto3.client("stepfunctions", endpoint_url=endpoint, **_session())
        self._s3 = boto3.client("s3", endpoint_url=endpoint, **_session())
        self._bucket, self._arn = place.outputs["BucketName"], place.outputs["BatchStateMachineArn"]
        self._job = {"user": "1", "model": "restarted", "version": 1, "sha256": published["sha256"]}
        self._job["batch"] = str(uuid.uuid4())
        self._s3.upload_fileobj(io.BytesIO(content), self._bucket, self._key("input.csv"))

    def start(self, *, name: str | None = None, more: dict | None = None) -> None:
        name = f"{name or uuid.uuid4()}-{self._job['batch']}"
        given = json.dumps({"job": self._job, **(more or {})})
        self._execution = self.machine.start_execution(stateMachineArn=self._arn, name=name, input=given)[
            "executionArn"
        ]

    def wait(self) -> str:
        deadline = time.monotonic() + WITHIN_S
        while (
            status := self.machine.describe_execution(executionArn=self._execution)["status"]
        ) == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.05)
        return status

    def wait_for(self, name: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            if self._s3.list_objects_v2(Bucket=self._bucket, Prefix=self._key(name)).get("KeyCount"):
                return
            time.sleep(0.01)
        raise AssertionError(f"{name} never came")

    def output(self) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=self._key("output.csv"))["Body"].read()

    def read_json(self, name: str):
        return json.load(self._s3.get_object(Bucket=self._bucket, Key=self._key(name))["Body"])

    def _key(self, name: str) -> str:
        return f"batches/1/{self._job['batch']}/{name}"


def _session() -> dict:
    return {
        "region_name": EMULATOR_CREDENTIALS["AWS_DEFAULT_REGION"],
        "aws_access_key_id": EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }


def _descendants(parent: int) -> list[int]:
    children: list[int] = []
    # Threads, and whole processes, end while they are looked at.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{parent}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                children += map(int, (task / "children").read_text().split())
    return [*children, *(grandchild for child in children for grandchild in _descendants(child))]
