"""A real emulator with the real stack on it, started once and only for tests that ask for it.

PORTICO_TEST_TARGET=localstack (`make test-compose`) has the same tests ask docker-compose's LocalStack.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.portal.postgresql import NoPostgresql, running_postgresql
from deploy.compose import Compose
from deploy.embedded.emulator import Emulator, start_emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import make_plan
from deploy.state import StateFolder
from deploy.targets import EMULATOR_CREDENTIALS, Target, embedded_target, localstack_target
from portal.gateways import aws
from tests.original import original_file
from tests.user_pool import UserPool, make_pool, signs_in_by

TARGET = os.environ.get("PORTICO_TEST_TARGET", "embedded")
# Where Django's live server listens: known beforehand, since the bucket lets the pages of this origin alone post to it.
# Each of several processes that share the tests has one of its own.
os.environ["DJANGO_LIVE_TEST_SERVER_ADDRESS"] = f"localhost:{find_free_port()}"
PORTAL_ORIGIN = f"http://{os.environ['DJANGO_LIVE_TEST_SERVER_ADDRESS']}"
LAST = {"live_server", "playwright"}
# Retries of the state machine wait whole seconds; here a tenth of that.
FAST_RETRIES = {"SFN_WAIT_SCALE": "0.1"}


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """A test that asks for the stack is marked so, by itself or through a fixture, before any are chosen by marks.

    Tests with a live server empty the database behind them, roles included, and those with a browser leave a loop of
    asyncio running in this thread: after all else has been sorted, they come last.
    """
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)
    yield
    items.sort(key=lambda item: not LAST.isdisjoint(getattr(item, "fixturenames", ())))


@dataclass(frozen=True)
class Stack:
    """A deployed stack.

    Attributes:
        outputs: as CloudFormation gives them
        environment: the portal's variables, with the SDKs' own
    """

    target: Target
    outputs: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def portal_origin(self) -> str:
        return PORTAL_ORIGIN

    @property
    def bucket(self) -> str:
        return self.outputs["BucketName"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator, on a port and a folder of its own."""
    state = StateFolder(tmp_path_factory.mktemp("emulator"))
    with Supervisor() as supervisor:
        yield start_emulator(supervisor, state, find_free_port(), extra=FAST_RETRIES)


@pytest.fixture(scope="session")
def user_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UserPool]:
    """A user pool on an emulator of its own, which checks codes, revocations and who is switched off."""
    state = StateFolder(tmp_path_factory.mktemp("user-pool"))
    with Supervisor() as supervisor:
        running = start_emulator(supervisor, state, find_free_port(), extra={"AUTH": "true"})
        yield make_pool(running.endpoint, origin=PORTAL_ORIGIN)


@pytest.fixture
def by_managed_login(user_pool: UserPool, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[UserPool]:
    """For the length of one test, people sign in by managed login."""
    with signs_in_by(user_pool, settings, monkeypatch, by_forms=False):
        yield user_pool


@pytest.fixture
def by_forms(user_pool: UserPool, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[UserPool]:
    """For the length of one test, people of the pool sign in by the portal's own forms."""
    with signs_in_by(user_pool, settings, monkeypatch, by_forms=True):
        yield user_pool


@pytest.fixture(scope="session")
def compose() -> Iterator[Compose]:
    """docker-compose.yml as a project of its own, up and healthy, on ports and volumes of its own; gone afterwards."""
    project = Compose("portico-test", portal_port=find_free_port(), aws_port=find_free_port())
    project.down(with_volumes=True)  # what an interrupted run has left
    project.build()
    try:
        project.up()
        yield project
    finally:
        project.down(with_volumes=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of an empty database on a server of its own."""
    try:
        # Not in a folder of pytest's, which the user that the server runs as may not enter.
        with tempfile.TemporaryDirectory(prefix="portico-") as folder, running_postgresql(Path(folder)) as url:
            yield url
    except NoPostgresql as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Target:
    """The place that the tests' stack is on; the emulator there is started."""
    if TARGET == "localstack":
        running = request.getfixturevalue("compose")
        return localstack_target(running.aws_url, portal_origin=PORTAL_ORIGIN, environment="test")
    return embedded_target(request.getfixturevalue("emulator").endpoint, portal_origin=PORTAL_ORIGIN)


@pytest.fixture(scope="session")
def stack(place: Target) -> Stack:
    """The stack with the real functions, deployed by the code behind `deploy up`. Shared: do not change it."""
    outputs = execute_plan(place, make_plan(place), _ignore)
    return Stack(
        place,
        outputs,
        {
            **EMULATOR_CREDENTIALS,
            "AWS_ENDPOINT_URL": place.endpoint_url,
            **portal_environment(place, outputs),
        },
    )


@pytest.fixture
def stack_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """For the length of one test, this process's environment is the one the portal would have."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    return stack.environment


def _ignore(verb: str, resource: str, detail: str) -> None:
    """Nobody reads the progress of a fixture."""


@pytest.fixture
def cloud(stack_environment: Mapping[str, str], settings: Any) -> Iterator[None]:
    """For the length of one test, the portal's gateways speak to the real stack."""
    for name, value in stack_environment.items():
        if name.startswith("PORTICO_"):
            setattr(settings, name, value)
    _forget_clients()
    yield
    _forget_clients()


def _forget_clients() -> None:
    for client in (aws.client, aws.quick_lambda, aws.signing_client):
        client.cache_clear()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four sample models, trained once: <slug>/model.*, settings.json, training.csv, to_score.csv, pictures."""
    folder = tmp_path_factory.mktemp("samples")
    subprocess.run([sys.executable, "-m", "model.train", "--out", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def original_model() -> Path:
    """The original tool's own model file: a pickle of scikit-learn 1.2.0, which lies beside the repository."""
    return original_file("binary_sklearn_model.pkl")
