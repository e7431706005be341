"""LocalStack in a container of its own, on a network of its own, and a small image function that does as it is told."""

import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

IMAGE = "portico-localstack"
ROOT = Path(__file__).parents[2]
DOCKER = shutil.which("docker") or "docker"
ROLE = "arn:aws:iam::000000000000:role/probe"

# The handler of the probe: {"do": what, …}.
PROBE = """
import os, time
print("loaded", flush=True)
WRITTEN = "MARK"

def handle(event, context):
    do = event.get("do")
    print("asked to", do, flush=True)
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "raise":
        raise LookupError("nothing there")
    if do == "exit":
        print("last words", flush=True)
        os._exit(event["code"])
    if do == "fill":
        block = bytearray(event["megabytes"] << 20)
        block[:: 4096] = b"x" * len(block[:: 4096])
    if do == "write":
        try:
            open(event["path"], "w").write("x")
        except OSError as error:
            return error.strerror
        return "written"
    if do == "environment":
        return dict(os.environ)
    return {"container": os.uname().nodename, "mark": WRITTEN, "request_id": context.aws_request_id}
"""


def docker(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run([DOCKER, *arguments], input=stdin, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def build_probe(tag: str, *, base: str, folder: Path, mark: str = "first") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "probe.py").write_text(PROBE.replace("MARK", mark))
    (folder / "Dockerfile").write_text(f'FROM {base}\nCOPY probe.py /var/task/probe.py\nCMD ["probe.handle"]\n')
    docker("build", "-q", "-t", tag, str(folder))
    return tag


def wait_until(holds: Callable[[], object], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


@dataclass
class LocalStack:
    name: str
    network: str

    def start(self) -> None:
        docker("start", self.name)
        wait_until(lambda: docker("inspect", "-f", "{{.State.Health.Status}}", self.name) == "healthy", seconds=90)

    def client(self, service: str) -> Any:
        endpoint = f"http://{docker('port', self.name, '4566').splitlines()[0]}"
        # Nothing is sent twice: a second answer would hide what the first one was.
        config = Config(retries={"total_max_attempts": 1}, read_timeout=120, max_pool_connections=32)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=endpoint, region_name="eu-west-1", config=config, **keys)

    def create_function(self, name: str, *, image: str, **settings: Any) -> None:
        settings = {"MemorySize": 256, "Timeout": 30, **settings}
        functions = self.client("lambda")
        functions.create_function(
            FunctionName=name, PackageType="Image", Code={"ImageUri": image}, Role=ROLE, **settings
        )
        functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def invoke(self, name: str, **event: Any) -> Any:
        return Outcome(self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail"))

    def containers(self, function: str) -> list[str]:
        """Short ids of the function's containers, running or not."""
        return docker(
            "ps", "-aq", "--filter", f"label=image-lambda.function={function}", "--filter", f"network={self.network}"
        ).split()

    def output(self) -> str:
        done = subprocess.run([DOCKER, "logs", self.name], capture_output=True, text=True, timeout=60)
        return done.stdout


class Outcome:
    def __init__(self, response: dict[str, Any]):
        self.error = response.get("FunctionError")
        self.answer = json.loads(response["Payload"].read())
        self.request_id = response["ResponseMetadata"]["RequestId"]
        self.log_result = response.get("LogResult", "")

    @property
    def container(self) -> str:
        """As `docker ps` shows it: Docker names a host after its container's short id."""
        return str(self.answer["container"])


@contextmanager
def running_localstack(**environment: str) -> Iterator[LocalStack]:
    name = f"portico-test-{secrets.token_hex(3)}"
    docker("network", "create", name)
    localstack = LocalStack(name=name, network=name)
    settings = [part for key, value in environment.items() for part in ("-e", f"{key}={value}")]
    socket = "/var/run/docker.sock:/var/run/docker.sock"
    try:
        docker("create", "--name", name, "--network", name, "-p", "127.0.0.1::4566", "-v", socket, *settings, IMAGE)
        localstack.start()
        yield localstack
        docker("stop", name)
    finally:
        subprocess.run([DOCKER, "rm", "-fv", name], capture_output=True, timeout=60)
        for left in docker("ps", "-aq", "--filter", f"network={name}").split():
            subprocess.run([DOCKER, "rm", "-fv", left], capture_output=True, timeout=60)
        docker("network", "rm", name)
