"""`make smoke TARGET=localstack` as a process: for real, with a step that fails, and stopped while containers start."""

import signal

import pytest

import docker
from deploy.smoke import PROJECT
from tests.deploy.smoking import JOURNEY, start
from tests.deploy.waiting import wait_until

pytestmark = pytest.mark.containers

STEPS = [
    "Building the images",
    "Starting LocalStack, the stack on it, the portal",
    "Reading the first login from the portal's log",
    "Training a sample model",
    *JOURNEY,
    "Looking at the containers that answered",
    "Removing everything",
]
WITHOUT_A_PASSWORD = """
from deploy import smoke

smoke.Compose.build = lambda project: None
read_first_login = smoke.read_first_login
smoke.read_first_login = lambda log: read_first_login("")
smoke.main()
"""


@pytest.fixture
def engine(docker_engine):
    client = docker.DockerClient.from_env()
    yield client
    client.close()


def what_is_left(engine):
    mark = {"label": f"com.docker.compose.project={PROJECT}"}
    containers = engine.containers.list(all=True, filters=mark, ignore_removed=True)
    return [*containers, *engine.networks.list(filters=mark), *engine.volumes.list(filters=mark)]


def test_smoke_on_localstack_goes_through_every_step_and_leaves_nothing(tmp_path, engine):
    process = start(tmp_path, "-m", "deploy.smoke", "--target", "localstack")

    said, complaints = process.communicate()

    assert (process.returncode, complaints) == (0, ""), said + complaints
    assert [line.removeprefix("✓ ").partition("  ")[0].rsplit(" ", 2)[0] for line in said.splitlines()[:-2]] == STEPS
    assert list(tmp_path.iterdir()) == []
    assert what_is_left(engine) == []


def test_smoke_on_localstack_with_a_failing_step_names_it_quotes_the_services_and_leaves_nothing(tmp_path, engine):
    process = start(tmp_path, "-c", WITHOUT_A_PASSWORD, "--target", "localstack")

    said, complaints = process.communicate()

    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("✗ Reading the first login from the portal's log"), said + complaints
    assert "Sign in as" in complaints
    assert complaints.splitlines()[-1] == "Error: The portal's log does not say the first login's password."
    assert what_is_left(engine) == []


def test_smoke_on_localstack_stopped_while_it_starts_ends_with_130_and_leaves_nothing(tmp_path, engine):
    process = start(tmp_path, "-m", "deploy.smoke", "--target", "localstack")
    wait_until(lambda: engine.containers.list(filters={"label": f"com.docker.compose.project={PROJECT}"}), within_s=300)

    process.send_signal(signal.SIGINT)
    process.communicate()

    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
    assert what_is_left(engine) == []
