"""pandas where a model needs it, and only there.

scikit-learn imports pandas wherever it is installed, for half a second of every start. The image therefore keeps it in
a folder that Python does not search, named by PORTICO_PANDAS_PATH; here that folder is opened. Beside pandas lie the
image's extras and the packages of one's own, since these look for pandas while they are imported. Answers stay the
same: scikit-learn asks for pandas at each use, and keeps no answer from the time when it was not there. Where the
variable is not set (everything is installed as usual, or not at all) nothing here does anything.
"""

import importlib.machinery
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
    """What `work()` returns. Where it fails for want of something in the folder, it is done once more with that.

    Two things ask unannounced: a file whose objects refer to it, and set_output(transform="pandas").
    """
    try:
        return work()
    except ImportError as problem:
        if not _is_in_the_folder(problem) or not open_pandas():
            raise
    return work()


def _is_in_the_folder(problem: ImportError) -> bool:
    # scikit-learn raises an ImportError of its own from the real one.
    missing = [cause.name for cause in (problem, problem.__cause__) if isinstance(cause, ImportError) and cause.name]
    folder = os.environ.get("PORTICO_PANDAS_PATH", "")
    if not folder:
        return False
    return any(importlib.machinery.PathFinder.find_spec(name.split(".")[0], [folder]) for name in missing)
