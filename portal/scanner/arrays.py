"""numpy arrays: the state of one in a pickle, and the size of one whose bytes joblib writes after its wrapper."""

from typing import Any

from portal.scanner.containers import CountedStream
from portal.scanner.report import RefusedError, refuse_form, refuse_size
from portal.scanner.standins import Array, Blob, Dtype, Global, count_bytes

MAX_DIMENSIONS = 32
MAX_SIDE = 2**40
MAX_ALIGNMENT = 4096
WRAPPER_KEYS = {"subclass", "shape", "order", "dtype", "allow_mmap"}
ALIGNMENT_KEY = "numpy_array_alignment_bytes"


def count_cells(shape: Any) -> int:
    """Number of cells of a shape, each side checked so that no product can wrap around in the loader."""
    if type(shape) is int:
        shape = (shape,)
    if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS:
        raise refuse_array()
    cells = 1
    for side in shape:
        if type(side) is not int or not 0 <= side <= MAX_SIDE:
            raise refuse_array()
        cells *= side
        if cells > MAX_SIDE:
            raise refuse_size("It holds an array too large to open.")
    return cells


def build_array(array: Array, state: Any) -> None:
    """ndarray's (version, shape, dtype, is_fortran, cells); MaskedArray's: mask and fill value after them."""
    if array.is_filled or type(state) is not tuple or len(state) != (7 if array.is_masked else 5):
        raise refuse_array()
    _version, shape, dtype, is_fortran, cells = state[:5]
    if type(is_fortran) not in (bool, int) or type(dtype) is not Dtype or not dtype.is_sealed:
        raise refuse_array()
    fill_array(array, shape=shape, dtype=dtype, cells=cells)
    if array.is_masked and count_bytes(state[5]) != count_cells(shape):
        raise refuse_array()


def fill_array(array: Array, *, shape: Any, dtype: Dtype, cells: Any) -> None:
    """Cells must be exactly as many as the shape says: a list where they are objects, else bytes."""
    count = count_cells(shape)
    if dtype.has_object:
        if type(cells) is not list or len(cells) != count:
            raise refuse_array()
        # numpy takes the objects out of the list here: what the file does to the list later no longer counts.
        array.cells = list(cells)
    elif count_bytes(cells) != count * dtype.itemsize:
        raise refuse_array()
    elif needs_second_look(dtype):
        array.content = cells.content if isinstance(cells, Blob) else bytes(cells)
        if array.content is None:
            raise refuse_size("It holds an array of whole numbers that is too large to look at, or is used twice.")
    if isinstance(cells, Blob):
        cells.content = None
    array.shape, array.dtype, array.is_filled = as_shape(shape), dtype, True


def take_cells(array: Array, stream: CountedStream, *, shape: Any, dtype: Dtype) -> None:
    """The same where the cells are the next bytes of the file."""
    size_bytes = count_cells(shape) * dtype.itemsize
    if needs_second_look(dtype):
        array.content = stream.read(size_bytes)
        if len(array.content) != size_bytes:
            raise refuse_form("It is cut short: an array in it ends too early.")
    else:
        stream.skip(size_bytes)
    array.shape, array.dtype, array.is_filled = as_shape(shape), dtype, True


def needs_second_look(dtype: Dtype) -> bool:
    return dtype.fields is not None or dtype.letter in "iu"


def as_shape(shape: Any) -> tuple[int, ...]:
    return (shape,) if type(shape) is int else shape


def read_wrapper(state: Any) -> tuple[Dtype, Any, bool]:
    """joblib's wrapper.

    Returns: the cells' dtype, the array's shape, and whether a byte of padding length comes first
    """
    if type(state) is not dict or not WRAPPER_KEYS <= set(state) <= WRAPPER_KEYS | {ALIGNMENT_KEY}:
        raise refuse_array()
    subclass, dtype, alignment = state["subclass"], state["dtype"], state.get(ALIGNMENT_KEY)
    if type(subclass) is not Global or subclass.pair != ("numpy", "ndarray"):
        raise refuse_array()
    if state["order"] not in ("C", "F") or type(dtype) is not Dtype or not dtype.is_sealed:
        raise refuse_array()
    if alignment is not None and not (type(alignment) is int and 1 <= alignment <= MAX_ALIGNMENT):
        raise refuse_array()
    count_cells(state["shape"])
    return dtype, state["shape"], alignment is not None


def refuse_array() -> RefusedError:
    return refuse_form("It holds a numpy array whose size and contents do not fit together.")
