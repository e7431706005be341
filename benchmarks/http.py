"""Over HTTP on loopback: Portico's `serve` beside MLflow's and BentoML's own servers, one worker each.

All servers run for as long as a model is measured, and are asked in turns, so that one is at work and the others idle.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.http_client import Client, Job, Measured, client, nothing
from benchmarks.models import MODELS, TOLERANCE, fit
from benchmarks.peers.environments import CACHE, version_of
from benchmarks.peers.servers import BENTOML, MLFLOW, PORTICO, SERVERS, Row, Served, ask, serving
from benchmarks.report import Report

CLIENTS = 8
NOTHING = "a server that does nothing"

_ROWS = 1_000
_CHECKED = 20
# Of one client and of eight; the slow ones are asked less, so that a round of all takes seconds.
_ALONE, _TOGETHER = {PORTICO: 1_000, NOTHING: 1_000}, {PORTICO: 4_000, NOTHING: 8_000}
_ALONE_OTHERS, _TOGETHER_OTHERS = 150, 400
_QUICK_SHARE = 0.4

# One client's, and that of several.
_Round = tuple[Measured, Measured]


def measure(
    *, rounds: int = 7, models: Sequence[str] = (), quick: bool = False, threads: int | None = None, cache: Path = CACHE
) -> Report:
    """HTTP on loopback beside MLflow's and BentoML's servers, which are installed on the first run.

    Raises: RuntimeError: an answer is not what scikit-learn says; a peer cannot be installed or does not start
    """
    rounds, share = (min(rounds, 3), _QUICK_SHARE) if quick else (rounds, 1.0)
    rows: list[dict[str, Any]] = []
    for name in models or (("logreg", "forest") if quick else MODELS):
        model, table = fit(name)
        observations = table.to_dict("records")[:_ROWS]
        with contextlib.ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="portico-benchmark-")))
            servers = [
                running.enter_context(serving(server, model, list(table), folder=folder, threads=threads, cache=cache))
                for server in SERVERS
            ]
            _require_equal(servers, observations[:_CHECKED], model.predict_proba(table[:_CHECKED]).tolist())
            servers.append(_idle(running.enter_context(nothing())))
            asking = running.enter_context(client())
            rows += _summarize(name, _measure(asking, servers, observations, rounds, share))
    return Report(
        title=f"HTTP on loopback, one worker: one client, and {CLIENTS} at once",
        rows=rows,
        notes=[
            f"{rounds} rounds{', quick mode' if quick else ''}, the servers in turns; all run, and those that are not"
            " asked are idle. One observation a request, over kept connections, 1,000 distinct ones; JSON.",
            f"{version_of('mlflow')} (`mlflow models serve`, its default server) and {version_of('bentoml')}"
            " (`bentoml serve`, its service asks scikit-learn with an array where all columns are numbers), each with"
            " the scikit-learn, numpy and pandas of Portico's image.",
            f"All servers' probabilities equal scikit-learn's first, to {TOLERANCE:g}. Each writes its own log.",
            f"The client is a process of its own, and what it gets from {NOTHING} is the most that it can measure.",
            "x: medians of the rounds' own ratios; p50 of one client, requests per second of"
            f" {CLIENTS}. OMP_NUM_THREADS {'not set' if threads is None else threads}; `serve` sets 1 for itself.",
        ],
    )


def _idle(port: int) -> Served:
    return Served(NOTHING, port, "/", lambda row: b"{}", lambda body: [])


def _require_equal(servers: Sequence[Served], rows: Sequence[Row], expected: Sequence[Sequence[float]]) -> None:
    for served in servers:
        for row, wanted in zip(rows, expected, strict=True):
            found = ask(served, row)
            if any(abs(one - two) > TOLERANCE for one, two in zip(found, wanted, strict=True)):
                raise RuntimeError(f"{served.name} answers {found} instead of {list(wanted)} for {dict(row)}.")


def _measure(
    asking: Client, servers: Sequence[Served], rows: Sequence[Row], rounds: int, share: float
) -> dict[str, list[_Round]]:
    """By server, of each round: one client, and several."""
    bodies = {served.name: [served.write(row).decode() for row in rows] for served in servers}
    found: dict[str, list[_Round]] = {served.name: [] for served in servers}

    def run(served: Served, clients: int, requests: int) -> Measured:
        job = Job(served.port, served.path, bodies[served.name], clients, max(clients, int(requests * share)))
        return asking.run(job)

    for round_ in range(-1, rounds):
        for served in servers:
            alone = run(served, 1, _ALONE.get(served.name, _ALONE_OTHERS))
            together = run(served, CLIENTS, _TOGETHER.get(served.name, _TOGETHER_OTHERS))
            if round_ >= 0:  # the one before the first warms them
                found[served.name].append((alone, together))
    return found


def _summarize(model: str, found: Mapping[str, Sequence[_Round]]) -> list[dict[str, Any]]:
    rows = []
    for name, rounds in found.items():
        latencies = sorted(second for alone, _ in rounds for second in alone.seconds)
        rates = [_rate(together) for _, together in rounds]
        busy = sorted(second for _, together in rounds for second in together.seconds)
        rows.append(
            {
                "model": model,
                "server": name,
                "p50 ms": round(statistics.median(latencies) * 1000, 3),
                "p99 ms": round(_p99(latencies) * 1000, 3),
                "requests/s": round(statistics.median(rates)),
                "min": round(min(rates)),
                "max": round(max(rates)),
                f"p99 ms of {CLIENTS}": round(_p99(busy) * 1000, 2),
                "Portico's p50, x better": _ratio(found, name, _median_alone, inverse=True),
                "its requests/s, x": _ratio(found, name, lambda round_: _rate(round_[1])),
            }
        )
    return rows


def _ratio(
    found: Mapping[str, Sequence[_Round]], name: str, figure: Callable[[_Round], float], *, inverse: bool = False
) -> float | None:
    """How much better Portico is, by the rounds' own ratios; None for what is no peer."""
    if name not in (MLFLOW, BENTOML):
        return None
    ratios = [figure(own) / figure(theirs) for own, theirs in zip(found[PORTICO], found[name], strict=True)]
    middle = statistics.median(ratios)
    return round(1 / middle if inverse else middle, 1)


def _median_alone(round_: _Round) -> float:
    return statistics.median(round_[0].seconds)


def _rate(measured: Measured) -> float:
    return len(measured.seconds) / measured.elapsed_s


def _p99(ordered: Sequence[float]) -> float:
    return ordered[int(len(ordered) * 0.99)]
