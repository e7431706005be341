"""The whole history as a file, read as fast as it comes: how long, and how much memory the process takes for it.

python -m benchmarks.portal.export
"""

import json
import resource
import time

from django.test import Client

import benchmarks.portal.setup  # noqa: F401 -- before all that needs Django
from portal.accounts.models import User


def main() -> None:
    """Prints {rows, megabytes, seconds, first_byte_ms, before_mb, peak_mb}."""
    client = Client()
    client.force_login(User.objects.get(username="owner"))
    client.get("/history/")  # what any page loads is there before
    before = _peak_mb()
    started = time.perf_counter()
    answer = client.get("/history/export.csv")
    rows, size, first = -1, 0, 0.0  # the header is no row
    for piece in answer.streaming_content:  # type: ignore[attr-defined]  # the test client types every answer alike
        rows, size = rows + piece.count(b"\r\n"), size + len(piece)
        first = first or time.perf_counter() - started
    print(
        json.dumps(
            {
                "rows": rows,
                "megabytes": size / 1e6,
                "seconds": time.perf_counter() - started,
                "first_byte_ms": 1000 * first,
                "before_mb": before,
                "peak_mb": _peak_mb(),
            }
        )
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
