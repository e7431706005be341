"""`docker run IMAGE serve`: settings from the environment, the model, the workers."""

import functools
import os
import sys
import time
from pathlib import Path

from predictor import journal
from predictor.limits import limit
from predictor.model_store import store
from predictor.serving import server
from predictor.serving.models import NoModel, open_model
from predictor.serving.workers import Workers

PORT = 8080
_WORKERS_AT_MOST = 8
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def main() -> int:
    """The exit code: 0 after a stop, 1 where there is nothing to serve or no port to serve it on."""
    began = time.perf_counter()
    if len(sys.argv) > 1:
        return _refuse("`serve` takes no arguments: its settings are in the environment (docs/serving.md).")
    # Whatever was set: GNU's OpenMP does not survive the fork into a worker once it has threads, and waits for ever.
    # It is read when scikit-learn is imported. There are as many workers as processors anyway.
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        port, count = _read_number("PORTICO_SERVE_PORT", PORT), _read_number("PORTICO_SERVE_WORKERS", _count_cpus())
        is_quick = open_model()
        listening = server.listen(port)
    except (NoModel, ValueError) as problem:
        return _refuse(str(problem))
    except OSError as problem:
        return _refuse(f"Port {port} cannot be listened on: {problem.strerror}. PORTICO_SERVE_PORT names another.")
    stop_within_s = float(limit("PORTICO_SERVE_STOP_SECONDS"))
    run = functools.partial(
        server.run,
        listening,
        is_quick=is_quick,
        seconds=float(limit("PORTICO_SERVE_SECONDS")),
        stop_within_s=stop_within_s,
    )
    journal.write("serving", request_id="-", began=began, model=store.find().tag(), port=port, workers=count)
    Workers(run, count=count).serve(stop_within_s=stop_within_s)
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _read_number(name: str, default: int) -> int:
    """Raises: ValueError: it is set to something else than a number from 1 on."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{name} is {text!r}; it must be a whole number from 1 on.")
    return int(text)


def _count_cpus() -> int:
    """How many there are for this container: one worker each, since a model's work fills one."""
    cpus = len(os.sched_getaffinity(0))
    try:
        quota, _, period = _CPU_QUOTA.read_text("ascii").partition(" ")
        # `docker run --cpus` shares all of them for a part of the time.
        cpus = min(cpus, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no control groups here, or "max"
    return max(1, min(cpus, _WORKERS_AT_MOST))


if __name__ == "__main__":
    sys.exit(main())
