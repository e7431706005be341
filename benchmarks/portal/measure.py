"""The portal with 10,000 rows and with a million behind it, side by side; and with fifty people before it."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.batch.processes import ROOT
from benchmarks.portal import crowd
from benchmarks.portal.postgresql import NoPostgresql, running_postgresql
from benchmarks.report import Report

FEW = 10_000
QUICK_ROWS, QUICK_ROUNDS = 50_000, 3
PREDICTIONS = 200
PEOPLE, EACH = 50, 10
FILLED = "filled"


def measure(
    *,
    rows: int,
    database: str,
    rounds: int,
    folder: Path | None = None,
    with_crowd: bool = True,
    is_quick: bool = False,
) -> Report:
    """The portal with a long history: pages, searches, the export, one prediction, fifty people at once."""
    if is_quick:
        rows, rounds, with_crowd = QUICK_ROWS, QUICK_ROUNDS, False
    with ExitStack() as stack:
        kept = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portico-portal-")))
        try:
            found = {
                size: _measure_one(stack.enter_context(_filled(database, kept / f"{database}-{size}", size)), rounds)
                for size in (FEW, rows)
            }
        except NoPostgresql as error:
            return Report("The portal at scale", [{"database": database, "measured": "not measured"}], [f"{error}."])
        parts = [_export_report(found), _prediction_report(found)]
        if with_crowd:
            parts.append(_crowd_report(database))
    return _pages_report(database, found, rounds, parts)


@contextmanager
def _filled(database: str, folder: Path, rows: int) -> Iterator[Mapping[str, str]]:
    """The portal's environment, on a database with so many rows; what an earlier run filled is used again."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with ExitStack() as stack:
        environment = {**os.environ, "PORTICO_STATE_DIR": str(folder), "PORTICO_ENV": "local"}
        if database == "postgresql":
            environment["PORTICO_DATABASE_URL"] = stack.enter_context(running_postgresql(folder))
        else:
            environment.pop("PORTICO_DATABASE_URL", None)
        if (folder / FILLED).exists():
            _run(environment, "manage.py", "migrate", "--verbosity", "0")
        else:
            _python(environment, "filling", str(rows))
            (folder / FILLED).touch()
        yield environment


def _measure_one(environment: Mapping[str, str], rounds: int) -> dict[str, Any]:
    return {
        "pages": _python(environment, "pages", str(rounds)),
        "export": _python(environment, "export"),
        "predicting": _python(environment, "predicting", str(PREDICTIONS)),
    }


def _python(environment: Mapping[str, str], module: str, *arguments: str) -> Any:
    """The JSON that a module prints, run in a process of its own. Raises: RuntimeError: it ended badly."""
    return json.loads(_run(environment, "-m", f"benchmarks.portal.{module}", *arguments).splitlines()[-1])


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def _pages_report(database: str, found: Mapping[int, Any], rounds: int, parts: Sequence[Report]) -> Report:
    few, many = (found[size]["pages"] for size in found)
    rows = []
    for name, page in many.items():
        before, after = few[name]["milliseconds"], page["milliseconds"]
        rows.append(
            {
                "page": name,
                "queries, few": few[name]["queries"],
                "many": page["queries"],
                "p50 ms, few": statistics.median(before),
                "p50 ms": statistics.median(after),
                "p95 ms": _p95(after),
                "max ms": max(after),
                "p95 processor ms": _p95(page["cpu"]),
            }
        )
    sizes = " and ".join(f"{size:,}" for size in found)
    every = [value for page in many.values() for value in page["milliseconds"]]
    notes = [
        f"{database}: {sizes} predictions (few, many), a hundredth as many batches, 200 people, 32 versions.",
        f"Server time within Django's test client, page rendered; {rounds} rounds, pages taking turns.",
        "Processor ms: of the portal and its database; other programs do not lengthen them.",
        f"All pages of the large database together: p50 {statistics.median(every):.1f} ms, p95 {_p95(every):.1f} ms.",
    ]
    return Report(f"The portal at scale: {database}", rows, notes, parts)


def _export_report(found: Mapping[int, Any]) -> Report:
    names = {"rows": "rows", "MB": "megabytes", "s": "seconds", "first byte ms": "first_byte_ms",
             "peak MB before": "before_mb", "peak MB": "peak_mb"}  # fmt: skip
    rows = [{shown: found[size]["export"][name] for shown, name in names.items()} for size in found]
    return Report("The export", rows, ["Resident memory of the process; read as fast as it comes."])


def _prediction_report(found: Mapping[int, Any]) -> Report:
    rows = [
        {
            "rows before": size,
            "what": what,
            "p50 ms": statistics.median(found[size]["predicting"][name]),
            "p95 ms": _p95(found[size]["predicting"][name]),
            "max ms": max(found[size]["predicting"][name]),
        }
        for size in found
        for what, name in (
            ("the post, row written and answered", "posts"),
            ("the same, processor time", "posts_cpu"),
            ("the answer's own page", "pages"),
        )
    ]
    return Report("One prediction, the portal's own time", rows, [f"{PREDICTIONS} predictions."])


def _crowd_report(database: str) -> Report:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portico-crowd-")))
        url = ""
        if database == "postgresql":
            (data := folder / "postgresql").mkdir()
            folder.chmod(0o755)
            url = stack.enter_context(running_postgresql(data))
        outcome = crowd.run_crowd(folder / "state", people=PEOPLE, predictions=EACH, database_url=url)
    row = {
        "people": PEOPLE,
        "predictions": PEOPLE * EACH,
        "answered": len(outcome.answers),
        "errors": len(outcome.errors),
        "rows": len(outcome.rows),
        "lost rows": outcome.lost,
        "p50 s": statistics.median(outcome.seconds),
        "p95 s": _p95(outcome.seconds),
        "a second": len(outcome.answers) / outcome.wall_s,
    }
    notes = [
        f"The stack of make up, on {database}: gunicorn's 8 threads, the emulator, the real function. People share its "
        "processors, and do not pause between predictions.",
        *(f"Error: {said}" for said in sorted(set(outcome.errors))[:5]),
    ]
    return Report("Fifty people at once", [row], notes)


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
