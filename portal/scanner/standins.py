"""What the inert unpickler puts on its stack in place of real objects: plain records without behaviour.

Identity is their only equality and hash, so a hostile file finds nothing to call in them.
"""

from dataclasses import dataclass, field
from typing import Any

from portal.scanner.allowed import Grant, Pair, show


@dataclass(frozen=True, eq=False, slots=True)
class Global:
    """A name that the file mentions. `grant` is None for one that is refused."""

    pair: Pair
    grant: Grant | None

    @property
    def dotted(self) -> str:
        return f"{show(self.pair[0])}.{show(self.pair[1])}"


@dataclass(eq=False, slots=True)
class Instance:
    """An object that the file would make: of what, from which arguments, with which state (`numbers`: a compiled one's,
    which is a tuple).
    """

    made_by: Global
    arguments: tuple[Any, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)
    items: dict[Any, Any] = field(default_factory=dict)
    numbers: tuple[Any, ...] = ()


@dataclass(eq=False, slots=True)
class Dtype:
    """numpy.dtype as far as sizes need it. `is_sealed` once its state has come: a second one could change its size."""

    itemsize: int
    has_object: bool
    letter: str
    is_sealed: bool = False
    fields: dict[Any, Any] | None = None
    order: str = "|"


@dataclass(eq=False, slots=True)
class Array:
    """A numpy array: its contents only where they are Python objects, whole numbers or records.

    Objects name features and classes; numbers and records may be what compiled code finds its way by.
    """

    is_masked: bool = False
    is_filled: bool = False
    shape: tuple[int, ...] = ()
    dtype: Dtype | None = None
    cells: list[Any] | None = None
    content: bytes | None = None


@dataclass(eq=False, slots=True)
class ArrayWrapper:
    """joblib's announcement of an array whose bytes follow in the file."""

    is_read: bool = False


@dataclass(eq=False, slots=True)
class Blob:
    """Many bytes: dropped once it is known that they need no second look."""

    size_bytes: int
    content: bytes | None = None


def count_bytes(value: Any) -> int | None:
    """Length of a bytes-like value, None for anything else."""
    if isinstance(value, Blob):
        return value.size_bytes
    return len(value) if type(value) in (bytes, bytearray) else None
