"""The whole numbers in an array's bytes, without numpy."""

import struct
from collections.abc import Iterator
from typing import Any

from portal.scanner.report import RefusedError
from portal.scanner.standins import Array, Dtype, Instance

CODES = {("i", 1): "b", ("i", 2): "h", ("i", 4): "i", ("i", 8): "q", ("b", 1): "B"}
CODES |= {("u", size): code.upper() for (letter, size), code in CODES.items() if letter == "i"}


def read_numbers(array: Any, of: Instance | None) -> Any:
    """The cells of an array of whole numbers. Raises: RefusedError: it is none"""
    code = code_of(array.dtype) if type(array) is Array and array.dtype else None
    if code is None or array.content is None:
        raise refuse_numbers(of)
    cells: Any = memoryview(array.content).cast("B")
    return cells.cast(code)


def read_columns(array: Array, names: tuple[str, ...], of: Instance) -> Iterator[tuple[int, ...]]:
    """Of each record, the numbers of these fields. Raises: RefusedError: it has no such fields"""
    fields = array.dtype.fields if array.dtype else None
    if fields is None or array.dtype is None or array.content is None or not set(names) <= set(fields):
        raise refuse_numbers(of)
    ordered = sorted(names, key=lambda name: fields[name][1])
    form, at = "<", 0
    for name in ordered:
        part, offset = fields[name]
        code = code_of(part)
        if code is None or offset < at:
            raise refuse_numbers(of)
        form += f"{offset - at}x{code}"
        at = offset + part.itemsize
    records = struct.iter_unpack(f"{form}{array.dtype.itemsize - at}x", array.content)
    if tuple(ordered) == names:
        return records
    places = [ordered.index(name) for name in names]
    return (tuple(record[place] for place in places) for record in records)


def code_of(dtype: Dtype) -> str | None:
    return None if dtype.order == ">" else CODES.get((dtype.letter, dtype.itemsize))


def refuse_numbers(of: Instance | None) -> RefusedError:
    name = of.made_by.dotted if of else "a decision tree"
    return RefusedError(
        f"Numbers inside {name} do not fit together.",
        "Compiled code follows these numbers without checking them, and would read outside its memory or never end.",
        "Save the fitted model again as it came out of fit, and upload that file.",
    )
