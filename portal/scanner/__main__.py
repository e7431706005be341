"""The child process: `python -I -S portal/scanner/__main__.py FILE [LIMITS]` prints one report as JSON.

It gives up its rights before it looks at the file: no file may grow, no process start, and time and memory are counted.
"""

import contextlib
import json
import resource
import sys
from pathlib import Path

# Isolated mode leaves only the standard library on the path; the scanner's own package is all that is added.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from portal.scanner.allowed import load_grants
from portal.scanner.limits import Limits
from portal.scanner.scan import scan


def main() -> None:
    limits = Limits(**json.loads(sys.argv[2])) if len(sys.argv) > 2 else Limits()
    load_grants()
    give_up_rights(limits)
    report = scan(Path(sys.argv[1]), limits)
    json.dump(report.to_json(), sys.stdout)


def give_up_rights(limits: Limits) -> None:
    """Where the system knows a limit; macOS refuses the one on memory."""
    wanted = {
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NOFILE": 16,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (value, value))


if __name__ == "__main__":
    main()
