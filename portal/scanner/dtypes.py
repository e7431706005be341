"""numpy.dtype read strictly: what numpy itself writes, and nothing else.

numpy trusts the state of a pickled dtype. Flags that hide that cells are pointers, or fields outside the item, would
turn array bytes into addresses. So every number is compared with what its letter says.
"""

import re
from typing import Any

from portal.scanner.report import RefusedError, refuse_form
from portal.scanner.standins import Dtype

CODE = re.compile(r"(?:b1|[iu][1248]|f[248]|f16|c8|c16|c32|[mM]8|O8|O|[SVUa]\d{1,7})")
OBJECT_FLAGS = 63
# ALIGNED_STRUCT, NEEDS_INIT, NEEDS_PYAPI: the flags a dtype without Python objects may carry.
HARMLESS_FLAGS = 0x80 | 0x08 | 0x10
MAX_FIELDS = 64


def make_dtype(arguments: tuple[Any, ...]) -> Dtype:
    """numpy.dtype(code, False, True): a copy, so that no later state reaches numpy's shared dtypes."""
    if len(arguments) != 3 or arguments[1] not in (False, 0) or arguments[2] not in (True, 1):
        raise refuse_dtype()
    dtype = read_code(arguments[0])
    if dtype is None:
        raise refuse_dtype()
    return dtype


def read_code(code: Any) -> Dtype | None:
    """numpy's short name of a kind of cell, without its byte order; None for one it does not write."""
    if type(code) is not str or not CODE.fullmatch(code):
        return None
    letter, number = code[0], int(code[1:] or 8)
    return Dtype(itemsize=number * 4 if letter == "U" else number, has_object=letter == "O", letter=letter)


def build_dtype(dtype: Dtype, state: Any) -> None:
    """Check the state that numpy would take: (version, order, subarray, names, fields, size, alignment, flags, …)."""
    if dtype.is_sealed or type(state) is not tuple or len(state) not in (8, 9):
        raise refuse_dtype()
    version, order, subarray, names, fields, size, alignment, flags = state[:8]
    numbers = (version, size, alignment, flags)
    if any(type(number) is not int for number in numbers) or version not in (3, 4) or subarray is not None:
        raise refuse_dtype()
    if order not in ("<", ">", "|", "=") or size not in (-1, dtype.itemsize) or not -1 <= alignment <= 64:
        raise refuse_dtype()
    if dtype.has_object != (flags == OBJECT_FLAGS) or (not dtype.has_object and flags & 0xFF & ~HARMLESS_FLAGS):
        raise refuse_dtype()
    if names is not None or fields is not None:
        check_fields(dtype, names, fields)
    if len(state) == 9 and dtype.letter not in "mM":
        raise refuse_dtype()
    dtype.is_sealed = True
    dtype.fields, dtype.order = fields, order


def check_fields(dtype: Dtype, names: Any, fields: Any) -> None:
    if dtype.letter != "V" or type(names) is not tuple or type(fields) is not dict:
        raise refuse_dtype()
    if len(names) > MAX_FIELDS or set(names) != set(fields) or any(type(name) is not str for name in names):
        raise refuse_dtype()
    for entry in fields.values():
        if type(entry) is not tuple or len(entry) != 2:
            raise refuse_dtype()
        part, offset = entry
        if type(part) is not Dtype or not part.is_sealed or part.has_object or type(offset) is not int:
            raise refuse_dtype()
        if offset < 0 or offset + part.itemsize > dtype.itemsize:
            raise refuse_dtype()


def refuse_dtype() -> RefusedError:
    return refuse_form("It describes the cells of a numpy array in a way that numpy does not.")
