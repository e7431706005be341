"""Documents are written and walked in this process: no bucket, no emulator, no store."""

import pytest


@pytest.fixture(autouse=True)
def bucket_name() -> None:
    """Stands before the fixture that starts an emulator."""


@pytest.fixture(autouse=True)
def store() -> None:
    """Stands before the fixture that makes a store."""
