"""The original tool's own model and table. They lie beside the repository and are not ours to publish with it."""

from pathlib import Path

import pytest

ORIGINAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "original"


def original_file(name: str) -> Path:
    """One of the original tool's files. Where they are not there, the test is skipped and says so."""
    path = ORIGINAL / name
    if not path.exists():
        pytest.skip(f"The original tool's {name} is not beside this clone (../shared/data/original).")
    return path
