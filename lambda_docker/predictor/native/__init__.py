"""What takes most of the time, compiled: `rows` reads and writes a batch's CSV, `trees` asks ensembles of trees about
all of its rows; one_row.cpp asks them about a single row, for compiled/operations/walking.py.

`build` makes the library of the C++ beside it, with whatever compiler there is; the image always has it. Without it
all works, by polars and scikit-learn, to the same bytes, in two to four times the time.
"""

import ctypes
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FOLDER = Path(__file__).parent


def sources() -> list[Path]:
    return sorted(FOLDER.glob("*.cpp"))


def library_path() -> Path:
    """Where the library of these very sources and flags lies, if it was made: another one is never loaded."""
    made_of = [*sources(), FOLDER / "build.py"]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in made_of)).hexdigest()
    return FOLDER / f"kernels-{digest[:16]}.so"


@functools.cache
def kernels() -> ctypes.CDLL | None:
    """The library, or None where it was not made or is another machine's."""
    try:
        return ctypes.CDLL(str(library_path()))
    except OSError:
        return None


def function(name: str, *types: Any) -> Any:
    """A function of the library, which has to be there, that takes these types of ctypes and returns 64 bits."""
    # By item: one of its own, whose types are not those of other callers.
    found = kernels()[name]  # type: ignore[index]
    found.argtypes, found.restype = types, ctypes.c_int64
    return found


def call(name: str, *arguments: "npt.NDArray[np.generic] | int | Any") -> int:
    """What a function of the library returns, which has to be there; nothing that counts where it returns nothing.

    Args: arguments: arrays, whose memory it sees, in the form that it expects; ints of 64 bits;
          others as ctypes has them
    """
    function = getattr(kernels(), name)
    function.restype = ctypes.c_int64
    found: int = function(*map(_to_c, arguments))
    return found


def _to_c(argument: Any) -> Any:
    if hasattr(argument, "ctypes"):
        return ctypes.c_void_p(argument.ctypes.data)
    return ctypes.c_int64(argument) if isinstance(argument, int) else argument
