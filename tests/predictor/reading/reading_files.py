"""What the tests of reading share: a file read from memory, as a whole."""

import pytest

from predictor import reading
from predictor.errors import BatchRefused
from predictor.reading import BytesSource


def read_all(content: bytes, **chosen: str) -> str:
    """The file as CSV."""
    file = BytesSource(content)
    found, _ = reading.sniff(file, **chosen)
    return b"".join(reading.read(file, found)).decode()


def refusal_of(content: bytes, **chosen: str) -> str:
    """The sentence with which the file is refused."""
    with pytest.raises(BatchRefused) as refused:
        read_all(content, **chosen)
    return str(refused.value)
