"""The inference container's image, built once a run; without a Docker engine its tests are skipped and say so."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.lambda_container import LambdaContainer, docker

IMAGE = "portico-lambda"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Skips where no engine answers."""
    try:
        docker("version")
    except (OSError, AssertionError):
        pytest.skip("No Docker engine answers. Start one, and see that `docker version` names a server.")


@pytest.fixture(scope="session")
def lambda_image(docker_engine: None) -> str:
    """The name of the image, built from lambda_docker/ as it is now. Seconds where nothing has changed."""
    docker("build", "--tag", IMAGE, str(ROOT / "lambda_docker"))
    return IMAGE


@pytest.fixture
def start_lambda(lambda_image: str) -> Iterator[Callable[..., LambdaContainer]]:
    """Starts containers as Lambda would run them, and removes them after the test."""
    started: list[LambdaContainer] = []

    def start(*arguments: str, **choices: tuple[str, ...]) -> LambdaContainer:
        started.append(LambdaContainer(lambda_image, *arguments, **choices))
        return started[-1]

    yield start
    for container in started:
        container.remove()
