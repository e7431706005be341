import pytest

from tests.predictor.factories import penguin_model, publish


@pytest.fixture
def model() -> object:
    """Penguins' model, live and ready for batches."""
    fitted = penguin_model()
    publish(fitted)
    return fitted
