"""An S3 emulator for a benchmark, and a function's environment for it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

BUCKET, KEY = "benchmark", "a key for a benchmark, known to everybody"

_STARTS_WITHIN_S = 30


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The address of a running S3 emulator."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", "PERSIST_STATE": "0"}
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and a fixed module
        [sys.executable, "-m", "ministack"],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address, ends = f"http://127.0.0.1:{port}", time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                with urllib.request.urlopen(address, timeout=1):  # noqa: S310  # our own address
                    break
            except OSError as problem:
                if isinstance(problem, urllib.request.HTTPError):
                    break
                if time.monotonic() > ends or process.poll() is not None:
                    raise RuntimeError("The emulator did not start.") from problem
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def settings(endpoint: str) -> Iterator[None]:
    """The environment of a function, for as long as this lasts."""
    before = dict(os.environ)
    os.environ.update(
        AWS_ENDPOINT_URL=endpoint,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106  # an emulator's
        PORTICO_BUCKET=BUCKET,
        PORTICO_MANIFEST_KEY=KEY,
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
