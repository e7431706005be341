"""pandas where a model needs it, and only there.

scikit-learn imports pandas wherever it is installed, for half a second of every start. The image therefore keeps it in
a folder that Python does not search, named by PORTICO_PANDAS_PATH; here that folder is opened. Answers stay the same:
scikit-learn asks for pandas at each use, and keeps no answer from the time when it was not there. Where the variable is
not set (pandas is installed as usual, or not at all) nothing here does anything.
"""

import os
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def open_pandas() -> bool:
    """Make pandas importable; whether it was this call that did so."""
    folder = os.environ.get("PORTICO_PANDAS_PATH", "")
    if not folder or folder in sys.path:
        return False
    # Last, so that it can add modules and never replace one.
    sys.path.append(folder)
    return True


def with_pandas_at_need(work: Callable[[], T]) -> T:
    """What `work()` returns. Where it fails for want of pandas, it is done once more, from its beginning, with pandas.

    Two things ask for pandas unannounced: a file whose objects refer to it, and set_output(transform="pandas").
    """
    try:
        return work()
    except ImportError as problem:
        if not _is_about_pandas(problem) or not open_pandas():
            raise
    return work()


def _is_about_pandas(problem: ImportError) -> bool:
    """scikit-learn raises an ImportError of its own from the real one."""
    causes = (problem, problem.__cause__)
    return any(isinstance(cause, ImportError) and (cause.name or "").split(".")[0] == "pandas" for cause in causes)
