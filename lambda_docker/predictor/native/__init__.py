"""What is done to every row of a batch, compiled: `rows` reads and writes CSV, `trees` asks ensembles of trees.

`build` makes the library of the C++ beside it, with whatever compiler there is; the image always has it. Without it
all works, by polars and scikit-learn, to the same bytes, in two to three times the time.
"""

import ctypes
import functools
import hashlib
from pathlib import Path

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
