"""Documents are written and walked in this process: no bucket, no emulator, no store."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def bucket_name() -> None:
    """Stands before the fixture that starts an emulator."""


@pytest.fixture(autouse=True)
def store() -> None:
    """Stands before the fixture that makes a store."""


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """A few dozen rows are no work for several threads, which wait for one another by spinning."""
    with threadpool_limits(1):
        yield
