"""When two answers of one model are the same."""

from typing import Any

import numpy as np
import pytest


def nearly(numbers: Any) -> Any:
    """Numbers, or rows of them, but for their last digits.

    BLAS adds up one row and many in other orders, and so it does a DataFrame and an array: what is equal bit for bit on
    one processor is not on the next.
    """
    return pytest.approx(np.asarray(numbers, dtype=float), rel=1e-12, abs=1e-15)
