"""Servers of the sample models, each started once a module that asks for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest

from tests.predictor.factories import array_model, penguin_model, regression_model
from tests.predictor.serving.server_process import Server
from tests.predictor.serving.slow_models import Sleeper


@pytest.fixture(scope="session")
def models() -> dict[str, Any]:
    """By name: several classes with a choice and missing values, two classes, a number."""
    return {
        "penguins": penguin_model(missing=True),
        "binary": array_model([0, 1]),
        "regression": regression_model(),
        "sleeper": Sleeper().fit(None, None),
    }


@pytest.fixture(scope="session")
def model_files(models: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    for name, model in models.items():
        joblib.dump(model, folder / f"{name}.joblib")
    return {name: folder / f"{name}.joblib" for name in models}


@pytest.fixture(scope="session")
def serve(model_files: dict[str, Path]) -> Iterator[Callable[..., Server]]:
    """Starts a server of the model of that name; those without settings of their own are shared."""
    shared: dict[str, Server] = {}
    started: list[Server] = []

    def start(name: str, **settings: Any) -> Server:
        if not settings and name in shared:
            return shared[name]
        server = Server(PORTICO_MODEL_FILE=str(model_files[name]), **settings)
        started.append(server)
        if not settings:
            shared[name] = server
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def penguins_server(serve: Callable[..., Server]) -> Server:
    return serve("penguins")


@pytest.fixture
def binary_server(serve: Callable[..., Server]) -> Server:
    return serve("binary")


@pytest.fixture
def regression_server(serve: Callable[..., Server]) -> Server:
    return serve("regression")
