"""The history on the other database: the tests of its rows once more, and those of what PostgreSQL alone has."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ONCE_MORE = ("export", "history", "ingesting", "migrations", "paging", "query_counts", "search", "sources", "views")


def test_history_holds_on_postgresql(postgresql: str):
    files = [*(HERE / f"test_{name}.py" for name in ONCE_MORE), HERE / "only_on_postgresql.py"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not stack", *map(str, files)],
        env={**os.environ, "PORTICO_DATABASE_URL": postgresql},
        stdout=subprocess.PIPE,
        text=True,
    )

    assert done.returncode == 0, done.stdout
