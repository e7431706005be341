"""Arrays in numpy's own file format, and sparse matrices in scipy's, read as strictly as those in a pickle.

Source: numpy/lib/_format_impl.py (versions 1 to 3 of the format), scipy/sparse/_matrix_io.py.
"""

import ast
import io
import re
from typing import Any

from portal.scanner.archives import Archive
from portal.scanner.arrays import MAX_DIMENSIONS, count_cells, refuse_array, take_cells
from portal.scanner.containers import CountedStream
from portal.scanner.dtypes import read_code
from portal.scanner.limits import Limits
from portal.scanner.report import refuse_archive
from portal.scanner.standins import Array, Dtype

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000  # numpy's own limit
MAX_FIELDS = 64
CODE = re.compile(r"([<>|=])([a-zA-Z]\d{0,7}|[mM]8\[[a-zA-Z0-9]{1,6}\])")
SPARSE_PARTS = {"format", "shape", "data", "indices", "indptr", "row", "col", "offsets", "coords", "_is_array"}


def read_npy(stream: CountedStream) -> Array:
    """One array, from its first byte to the stream's last.

    Raises: RefusedError: not what numpy.save(…, allow_pickle=False) writes
    """
    dtype, shape = read_header(stream)
    array = Array()
    take_cells(array, stream, shape=shape, dtype=dtype)
    if not stream.is_at_end():
        raise refuse_array()
    return array


def read_header(stream: CountedStream) -> tuple[Dtype, tuple[int, ...]]:
    start = stream.read(8)
    if len(start) != 8 or not start.startswith(MAGIC) or start[6] not in (1, 2, 3) or start[7] != 0:
        raise refuse_array()
    size = int.from_bytes(stream.read(2 if start[6] == 1 else 4), "little")
    if size > MAX_HEADER:
        raise refuse_array()
    try:
        header = ast.literal_eval(stream.read(size).decode("utf-8" if start[6] == 3 else "latin-1"))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as fault:
        raise refuse_array() from fault
    if type(header) is not dict or set(header) != {"descr", "fortran_order", "shape"}:
        raise refuse_array()
    if type(header["fortran_order"]) is not bool or type(header["shape"]) is not tuple:
        raise refuse_array()
    return read_description(header["descr"]), header["shape"]


def read_description(description: Any) -> Dtype:
    """numpy's spelling of a dtype; for records a list of (name, code), where no name means padding."""
    if type(description) is str:
        return read_plain(description)
    if type(description) is not list or not 0 < len(description) <= MAX_FIELDS:
        raise refuse_array()
    fields: dict[str, tuple[Dtype, int]] = {}
    offset = 0
    for entry in description:
        if type(entry) is not tuple or len(entry) != 2 or type(entry[0]) is not str or entry[0] in fields:
            raise refuse_array()
        name, code = entry
        part = read_plain(code)
        if name:
            fields[name] = (part, offset)
        offset += part.itemsize
    return Dtype(itemsize=offset, has_object=False, letter="V", is_sealed=True, fields=fields)


def read_plain(code: Any) -> Dtype:
    found = CODE.fullmatch(code) if type(code) is str else None
    if found is None:
        raise refuse_array()
    dtype = read_code(found[2].partition("[")[0])
    if dtype is None or dtype.has_object:
        # Objects in an .npy file are a pickle: skops opens none.
        raise refuse_array()
    dtype.is_sealed, dtype.order = True, found[1]
    return dtype


def read_sparse(content: bytes, limits: Limits, *, free_bytes: int) -> dict[str, Any]:
    """scipy's sparse matrix: its attributes, as far as they can be checked."""
    archive = Archive(io.BytesIO(content), limits, free_bytes=free_bytes)
    names = {name.removesuffix(".npy") for name in archive.members if name.endswith(".npy")}
    if len(names) != len(archive.members) or not names <= SPARSE_PARTS or not {"format", "shape"} <= names:
        raise refuse_archive("It holds a sparse matrix that scipy did not write.")
    parts = {name: read_npy(archive.open(f"{name}.npy")) for name in names}
    shape = parts.pop("shape")
    if shape.dtype is None or shape.content is None or count_cells(shape.shape) > MAX_DIMENSIONS:
        raise refuse_array()
    step = shape.dtype.itemsize
    sides = [shape.content[at : at + step] for at in range(0, len(shape.content), step)]
    return {**parts, "_shape": tuple(int.from_bytes(side, "little", signed=True) for side in sides)}
