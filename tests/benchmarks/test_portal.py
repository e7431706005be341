"""The history with the benchmark's own rows, on both databases; and a crowd on the stack of `make up`."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.batch.processes import ROOT
from benchmarks.portal.crowd import run_crowd
from benchmarks.portal.postgresql import NoPostgresql, running_postgresql

ROWS = 3_000


def run(module: str, *arguments: str, **environment: str) -> Any:
    command = [sys.executable, "-m", f"benchmarks.portal.{module}", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    environment = {"PORTICO_STATE_DIR": str(tmp_path_factory.mktemp("sqlite")), "PORTICO_DATABASE_URL": ""}
    run("filling", str(ROWS), **environment)
    return environment


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="portico-postgresql-") as folder:
        Path(folder).chmod(0o755)  # its server runs as another user where the tests are root's
        try:
            with running_postgresql(Path(folder)) as url:
                run("filling", str(ROWS), PORTICO_DATABASE_URL=url)
                yield {"PORTICO_DATABASE_URL": url}
        except NoPostgresql as error:
            pytest.skip(f"no PostgreSQL to run here: {error}")


def test_history_on_postgresql_shows_the_rows_that_it_shows_on_sqlite(on_sqlite, on_postgresql):
    shown = [run("pages", "1", **where) for where in (on_sqlite, on_postgresql)]

    rows = [{name: page["rows"] for name, page in pages.items()} for pages in shown]
    assert rows[0] == rows[1]
    assert rows[0]["everything, first page"] == rows[0]["search: a frequent word"] == 25


def test_prediction_on_postgresql_is_recorded(on_postgresql):
    measured = run("predicting", "2", **on_postgresql)

    assert len(measured["posts"]) == 2


@pytest.mark.parametrize("database", ["on_sqlite", "on_postgresql"])
def test_export_of_the_benchmarks_rows_holds_them_all(database: str, request: pytest.FixtureRequest):
    before = run("export", **request.getfixturevalue(database))

    assert before["rows"] >= ROWS + ROWS // 100


@pytest.mark.embedded
def test_crowd_that_predicts_at_once_gets_an_answer_and_a_row_each(tmp_path: Path):
    outcome = run_crowd(tmp_path, people=12, predictions=3)

    assert outcome.errors == []
    assert len(outcome.answers) == len(set(outcome.answers)) == 36
    assert sorted(state for _, state, _ in outcome.rows) == ["answered"] * 36
    assert outcome.lost == 0
