"""An account that is an emulator: the target `aws` asks it, for the SDK is sent there by AWS_ENDPOINT_URL.

MiniStack knows neither budgets nor managed login's style, and runs no images without an engine: the two are left out,
and the image is put into its registry by name instead of being built. All else is as on an account.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from deploy.aws import rollout
from deploy.cli import main
from deploy.embedded.emulator import Emulator, start_emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.state import StateFolder

SERVICES = (
    "s3,lambda,cloudformation,apigateway,states,iam,sts,logs,kms,cognito-idp,cognito-identity,ecr,monitoring,sns,ec2"
)
ENVIRONMENT = "probe"
STACK = f"portico-{ENVIRONMENT}"
Run = Callable[..., Result]


@pytest.fixture(scope="session")
def account_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    state = StateFolder(tmp_path_factory.mktemp("account"))
    with Supervisor() as supervisor:
        yield start_emulator(supervisor, state, find_free_port(), extra={"SERVICES": SERVICES})


@pytest.fixture
def account(account_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the SDK is sent for the length of one test. Returns: the endpoint"""
    send_to(account_emulator, monkeypatch)
    return account_emulator.endpoint


def send_to(emulator: Emulator, patch: pytest.MonkeyPatch) -> None:
    sign_in(patch, endpoint=emulator.endpoint)
    patch.setattr("deploy.aws.target.POLL_S", 0.1)


def sign_in(monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None) -> None:
    """Made-up keys, a region, and nothing of the person's own settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    given = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def invoke(*arguments: str, **options: str) -> Result:
    """`python -m deploy …` on the target aws."""
    return CliRunner().invoke(main, [*arguments, "--target", "aws", "--env", ENVIRONMENT], **options)


@pytest.fixture
def run() -> Run:
    return invoke


def not_known(endpoint: str) -> list[str]:
    """What MiniStack does not know, as options of `plan` and `up`."""
    return ["--set", "WithBudget=false", "--set", f"ApiEndpoint={endpoint}/_aws/execute-api"]


@pytest.fixture
def left_out(account: str) -> list[str]:
    return not_known(account)


def push_by_name(patch: pytest.MonkeyPatch) -> list[str]:
    """Put an image into the registry without building one. Returns: gets the tags that were pushed"""
    tags: list[str] = []

    def push(registry, source, bar, *, rebuild=False):
        if registry.find(source.tag) is None:
            manifest = {"schemaVersion": 2, "config": {"digest": source.tag}, "layers": []}
            registry.client.put_image(
                repositoryName=registry.repository, imageManifest=json.dumps(manifest), imageTag=source.tag
            )
            tags.append(source.tag)
        return registry.by_digest(registry.find(source.tag))

    patch.setattr(rollout, "push_image", push)
    return tags


@pytest.fixture
def pushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return push_by_name(monkeypatch)
