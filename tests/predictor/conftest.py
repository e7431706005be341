"""An S3 emulator for the whole run, and an empty bucket of its own for each test."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from predictor import bucket, captures, model_store
from predictor.capture_buffer import Buffer
from tests.predictor.factories import Clock, context_of

_STARTS_WITHIN_S = 30


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The address of a running S3 emulator."""
    port = _free_port()
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", "PERSIST_STATE": "0"}
    process = subprocess.Popen(  # our own interpreter and a fixed module
        [sys.executable, "-m", "ministack"],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(autouse=True)
def bucket_name(emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket; the environment is a function's."""
    name = f"test-{uuid.uuid4().hex}"
    for setting, value in {
        "AWS_ENDPOINT_URL": emulator,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PORTICO_BUCKET": name,
        "PORTICO_DEFAULT_MODEL": "",
        "PORTICO_MANIFEST_KEY": "a key of the tests, of 32 characters and more",
    }.items():
        monkeypatch.setenv(setting, value)
    bucket.client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def store(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> model_store.ModelStore:
    """A store that knows nothing yet, whose clock the test turns."""
    fresh = model_store.ModelStore(clock=clock)
    monkeypatch.setattr(model_store, "store", fresh)
    return fresh


@pytest.fixture
def context() -> object:
    return context_of("request-1")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was kept so far, as the bucket has it."""
    buffer: Buffer = Buffer()
    monkeypatch.setattr(captures, "buffer", buffer)

    def read() -> list[dict[str, Any]]:
        buffer.flush()
        found = bucket.client().list_objects_v2(Bucket=bucket.name(), Prefix="captures/").get("Contents", [])
        texts = [bucket.read(entry["Key"], limit_bytes=10**7).body for entry in found]
        return [json.loads(line, parse_constant=_refuse) for text in texts for line in text.splitlines()]

    yield read
    buffer.close()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, process: subprocess.Popen) -> None:
    ends = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"The emulator ended with {process.returncode}.")
        try:
            with urllib.request.urlopen(f"{address}/_ministack/health", timeout=1):  # noqa: S310  # our own address
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The emulator did not start.")
