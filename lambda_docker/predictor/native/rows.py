"""CSV rows by the compiled kernels: numbers out of cells, and cells behind rows."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predictor import native

Offsets = npt.NDArray[np.int64]

# As in rows.cpp.
_NUMBER_BYTES, _SHORT_WORD = 48, 16


@dataclass(frozen=True, slots=True)
class Numbers:
    """An added column of floats, (n,), written with the fewest digits that read back the same; NaN is an empty cell."""

    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Words:
    """An added column of texts, each quoted already where CSV needs it; (n,) codes of `words`, below 0 for none."""

    words: Sequence[str]
    codes: npt.NDArray[np.int32]


Added = Numbers | Words


@dataclass(frozen=True, slots=True)
class ReadRows:
    """begins, ends: (n,) where each record's text lies; numbers: (k, n) cells as floats, NaN where they are none"""

    begins: Offsets
    ends: Offsets
    numbers: npt.NDArray[np.float64]


class _AddedColumn(ctypes.Structure):
    _fields_ = (
        ("numbers", ctypes.c_void_p),
        ("codes", ctypes.c_void_p),
        ("words", ctypes.c_char_p),
        ("words_begin", ctypes.c_void_p),
    )


def count_lines(block: bytes | memoryview) -> int:
    """How many newlines a block has."""
    data = np.frombuffer(block, np.uint8)
    return native.call("portico_count_lines", data, len(data))


def read_rows(
    run: bytes, *, delimiter: str, newline: str, width: int, columns: Sequence[int], count: int
) -> ReadRows | None:
    """The rows of complete records; None where one is quoted, blank, or has not `width` cells.

    Args: columns: which are read as numbers; count: how many newlines there are
    """
    places = np.full(width, -1, np.int32)
    places[list(columns)] = np.arange(len(columns), dtype=np.int32)
    begins, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    numbers = np.empty((len(columns), count))
    found = native.call(
        "portico_read_rows",
        run,
        len(run),
        ctypes.c_char(delimiter.encode()),
        ctypes.c_int32(width),
        ctypes.c_int32(newline == "\r\n"),
        places,
        count,
        numbers,
        begins,
        ends,
    )
    return ReadRows(begins, ends, numbers) if found == count else None


def write_rows(
    run: bytes, begins: Offsets, ends: Offsets, added: Sequence[Added], *, delimiter: str, newline: str, decimal: str
) -> memoryview:
    """The records with the added cells behind them, a line each.

    Args: begins, ends: (n,) where each record's text lies in `run`
    """
    count = len(begins)
    columns = (_AddedColumn * len(added))()
    held: list[npt.NDArray[np.generic]] = []
    longest = len(newline)
    for column, entry in zip(columns, added, strict=True):
        if isinstance(entry, Numbers):
            values = np.ascontiguousarray(entry.values, np.float64)
            column.numbers, widest = values.ctypes.data, _NUMBER_BYTES
            held.append(values)
        else:
            codes, words = np.ascontiguousarray(entry.codes, np.int32), [word.encode() for word in entry.words]
            edges = np.cumsum([0, *map(len, words)], dtype=np.int64)
            text = b"".join(words) + bytes(_SHORT_WORD)
            column.codes, column.words, column.words_begin = codes.ctypes.data, text, edges.ctypes.data
            widest = max([_SHORT_WORD, *map(len, words)])
            held += [codes, edges]
        longest += len(delimiter) + widest
    output = np.empty(int((ends - begins).sum()) + count * longest, np.uint8)
    begins, ends = np.ascontiguousarray(begins, np.int64), np.ascontiguousarray(ends, np.int64)
    written = native.call(
        "portico_write_rows",
        run,
        begins,
        ends,
        count,
        columns,
        ctypes.c_int32(len(added)),
        ctypes.c_char(delimiter.encode()),
        ctypes.c_char(decimal.encode()),
        ctypes.c_int32(newline == "\r\n"),
        output,
    )
    return output[:written].data
