from collections.abc import Iterator
from pathlib import Path

import pytest
from keeper.folder import KeptFolder
from keeper.objects import ObjectShelf

from tests.docker.keeping import BUCKET


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[KeptFolder]:
    yield KeptFolder.open(tmp_path / "kept")


@pytest.fixture
def shelf(folder: KeptFolder) -> ObjectShelf:
    shelf = ObjectShelf(folder)
    shelf.keep_bucket(BUCKET)
    return shelf
