"""A mounted model as tables: written and compared at the start, as the check does, before workers are forked.

The comparison runs in a child process: the threads and the memory that it takes are gone afterwards, and one that
takes too long can be ended.
"""

import functools
import json
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from predictor.compiled.parity import Compiled, NotCompiled, compile_model
from predictor.compiled.reading import Walker
from predictor.compiled.terms import CannotCompile
from predictor.compiled.writing import write
from predictor.description import Description
from predictor.errors import Rejected
from predictor.trials import try_out

_FAILED = "writing its tables failed"


@dataclass(frozen=True, slots=True)
class Tables:
    """What became of it. walker: None where the model is served in full

    report: as a manifest's `compiled` says it; single_milliseconds: what scikit-learn takes for a row, if it was tried
    """

    walker: Walker | None
    report: dict[str, Any]
    single_milliseconds: float | None


def compile_described(description: Description, *, seconds: float) -> Tables:
    """Write a described model as tables and compare their answers. Args: seconds: what that may take at most."""
    found = _in_child(functools.partial(_compare, description), seconds=seconds)
    text = found.pop("text", None)
    single = found.pop("single_milliseconds", None)
    walker = (
        None if text is None else Walker(json.loads(text), features=description.features, output=description.output)
    )
    return Tables(walker, found, single)


def _in_child(work: Callable[[], dict[str, Any]], *, seconds: float) -> dict[str, Any]:
    """What `work()` returns in a child process, or why it did not."""
    # Not a fresh interpreter: the model would be loaded a second time.
    forking = multiprocessing.get_context("fork")
    receiver, sender = forking.Pipe(duplex=False)
    child = forking.Process(target=_tell, args=(work, sender), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            return NotCompiled(f"comparing its tables takes more than {seconds:g} s").to_json()
        return dict(receiver.recv())
    except EOFError:
        return NotCompiled(_FAILED).to_json()
    finally:
        child.kill()
        child.join()
        receiver.close()


def _tell(work: Callable[[], dict[str, Any]], sender: Connection) -> None:
    sender.send(work())


def _compare(description: Description) -> dict[str, Any]:
    try:
        # Before it is tried: of a model that cannot be written at all nobody knows how long a row takes.
        write(description.model, features=description.features)
        found = try_out(description)
        single = found.trials["single"]["milliseconds"]
        compiled = compile_model(description, golden=found.golden, single_milliseconds=single)
    except CannotCompile as problem:
        return NotCompiled(str(problem)).to_json()
    except Rejected as problem:
        return NotCompiled(f"trying it failed: {problem.message}").to_json()
    except Exception:  # the model is served in full, whatever it was
        return NotCompiled(_FAILED).to_json()
    text = compiled.text if isinstance(compiled, Compiled) else None
    return {**compiled.to_json(), "text": text, "single_milliseconds": single}
