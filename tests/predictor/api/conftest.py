import pytest

from predictor import bucket
from tests.predictor.api.calling import FILE, use_machine
from tests.predictor.factories import penguin_model, penguins, publish


@pytest.fixture(autouse=True)
def file() -> None:
    """A model, and Ada's file for it."""
    publish(penguin_model())
    bucket.write(FILE, penguins(3).to_csv(index=False).encode(), content_type="text/csv")


@pytest.fixture(autouse=True)
def executions(emulator, bucket_name, monkeypatch):
    """The state machine's executions, which wait until they are stopped."""
    return use_machine(monkeypatch, {"Type": "Wait", "Seconds": 600, "End": True})


@pytest.fixture
def ending(monkeypatch):
    """From now on executions succeed at once."""
    return use_machine(monkeypatch, {"Type": "Pass", "End": True})


@pytest.fixture
def failing(monkeypatch):
    return use_machine(monkeypatch, {"Type": "Fail", "Error": "States.TaskFailed", "Cause": "x"})
