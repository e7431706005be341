"""What a variant wrote, beside what scikit-learn says of the whole table."""

import hashlib
import io
from pathlib import Path

from benchmarks.batch.cases import Prepared


def require_equal(variant: str, prepared: Prepared, files: tuple[Path, ...], *, is_last_digit_free: bool) -> int:
    """Let an output pass that has every row, with scikit-learn's probabilities bit for bit, and its label if any.

    BLAS adds up the rows at the end of a table, and at the end of each thread's share, in another order: scikit-learn's
    own last digits depend on how many threads and rows there are.

    Args:    is_last_digit_free: whether a probability may be one of 2.3e-16 away
    Returns: how many cells are
    Raises:  RuntimeError: it says how many cells are others, where, and by how much
    """
    import numpy as np
    import pandas as pd

    text = b"".join(file.read_bytes() for file in files)
    table, expected = pd.read_csv(io.BytesIO(text)), np.load(prepared.answers)
    source = pd.read_csv(prepared.csv)
    free = 0
    wanted = {"predicted_probability_1": expected[:, 1]}
    if variant == "Portico":
        wanted = {"probability_0": expected[:, 0], "probability_1": expected[:, 1]}
        wanted["prediction"] = expected.argmax(axis=1)
        if table["error"].notna().any():
            raise RuntimeError(f"{variant}: {table['error'].dropna().iloc[0]}")
    for name, numbers in {**{name: source[name].to_numpy() for name in source}, **wanted}.items():
        found = table[name].to_numpy()
        if len(found) != len(numbers):
            raise RuntimeError(f"{variant}, {prepared.case}: {len(found)} rows instead of {len(numbers)}.")
        other = np.flatnonzero(found != numbers)
        if is_last_digit_free and other.size and (abs(found - numbers) <= np.finfo(float).eps).all():
            free += other.size
        elif other.size:
            raise RuntimeError(
                f"{variant}, {prepared.case}: {other.size} of {len(numbers)} cells of {name} are not"
                f" scikit-learn's: rows {other[0]} to {other[-1]}, by up to {abs(found - numbers).max():.2g}."
            )
    return free


def header(files: tuple[Path, ...]) -> list[str]:
    """The columns' names."""
    with files[0].open("rb") as stream:
        return stream.readline().decode().split(",")


def digest(files: tuple[Path, ...]) -> str:
    """SHA-256 of an output that lies in several files."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
