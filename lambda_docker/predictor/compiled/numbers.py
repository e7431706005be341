"""Arrays in a document: short ones as JSON lists, long ones as base64 of little-endian bytes, exact either way.

JSON writes a float64 in up to 24 characters and takes twenty times as long to read it.
"""

import base64
import sys
from array import array
from collections.abc import Iterable
from typing import Any

_LISTED = 64
# Of array's type codes: float64, int32, int8.
KINDS = ("d", "i", "b")


def pack(kind: str, numbers: Iterable[Any]) -> Any:
    """Numbers as the document has them; floats must be finite."""
    packed = array(kind, numbers)
    if len(packed) <= _LISTED:
        return packed.tolist()
    return f"{kind}:{base64.b64encode(_in_order(packed).tobytes()).decode('ascii')}"


def unpack(written: Any) -> list[Any]:
    """What was packed. Raises: ValueError, TypeError: something else."""
    return written if isinstance(written, list) else _unpack(written).tolist()


def unpack_array(written: Any, kind: str) -> "array[Any]":
    """What was packed, as an array of that kind. Raises: as unpack, and ValueError: it is of another kind."""
    numbers = array(kind, written) if isinstance(written, list) else _unpack(written)
    if numbers.typecode != kind:
        raise ValueError("an array of another kind")
    return numbers


def _unpack(written: str) -> "array[Any]":
    kind, _, text = written.partition(":")
    if kind not in KINDS:
        raise ValueError("an array of an unknown kind")
    numbers = array(kind)
    numbers.frombytes(base64.b64decode(text, validate=True))
    return _in_order(numbers)


def _in_order(numbers: "array[Any]") -> "array[Any]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
