"""Makes this process the portal, on the database that the environment names; and says how long processors worked."""

import os
import time
from pathlib import Path

import django

# A benchmark's portal is one on a laptop.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["PORTICO_ENV"] = "local"
django.setup()

from django.conf import settings  # noqa: E402 -- only now are there any
from django.db import connection  # noqa: E402

settings.ALLOWED_HOSTS = ["testserver"]


def worked_s() -> float:
    """Processor time of this process and, with PostgreSQL, of the server's process for its connection."""
    spent = time.process_time()
    if connection.vendor == "postgresql" and connection.connection is not None:
        # Linux counts it in nanoseconds. Processes that help with one query come and go, and are not in it.
        count = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
        spent += int(count.read_text().split()[0]) / 1e9 if count.exists() else 0
    return spent
