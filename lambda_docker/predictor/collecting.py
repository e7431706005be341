"""Python's collector of cyclic garbage, while much is made that stays."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Nothing is looked through for garbage meanwhile, nor afterwards what was made.

    Importing scikit-learn makes some 1,400 modules, and the collector looks through them again and again: a sixth of
    the time. Refused: freezing them for good, since models that are let go of are to be collected.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # To the oldest generation, unseen: else the first prediction waits until all of it is looked through.
        gc.freeze()
        gc.unfreeze()
        gc.enable()
