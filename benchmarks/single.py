"""One prediction, warm, in process: Portico's handler beside the original tool's, scikit-learn, the walk and peers.

Everything runs in one process, row by row in turns, against a real S3 emulator; MLflow and BentoML in processes of
their own, by their own clocks. What is imported, and Portico's model, are there before the clock starts; the original
fetches and unpickles its model in each call, as it does.
"""

import contextlib
import io
import json
import os
import pickle
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import emulator, models
from benchmarks.batch.processes import ROOT
from benchmarks.peers.environments import CACHE, version_of
from benchmarks.peers.in_process import peer
from benchmarks.report import Report

_ROWS = 1_000
MLFLOW, BENTOML = "MLflow, pyfunc.predict of a DataFrame", "BentoML, its service's method"
_QUICK_MODELS, _QUICK_ROUNDS, _QUICK_ROWS = ("logreg", "forest"), 2, 100
_ABOUT_PEERS = (
    "{} and {}: each in an environment and a process of its own, by that process's clock, 100 rows a round; no HTTP, no"
    " JSON. BentoML's method asks scikit-learn with an array where all columns are numbers."
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """answer: one row → the probabilities; timed: the same and its seconds, by the clock of another process

    rows: how many a round; times: how often each of them
    """

    name: str
    answer: Callable[[Row], list[float]]
    rows: int = 1_000
    times: int = 1
    timed: Callable[[Row], tuple[list[float], float]] | None = None


def measure(*, rounds: int = 7, with_peers: bool = True, quick: bool = False, cache: Path = CACHE) -> Report:
    """One prediction, warm, in process, beside the original tool's handler, MLflow and BentoML.

    Raises: RuntimeError: the variants do not agree; a peer cannot be installed
    """
    rounds, most = (min(rounds, _QUICK_ROUNDS), _QUICK_ROWS) if quick else (rounds, _ROWS)
    sys.path.insert(0, str(ROOT / "lambda_docker"))
    rows: list[dict[str, Any]] = []
    with emulator.running() as endpoint, emulator.settings(endpoint), _quiet():
        import boto3

        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=emulator.BUCKET)
        for name in _QUICK_MODELS if quick else models.MODELS:
            model, table = models.fit(name)
            observations = table.to_dict("records")[:_ROWS]
            with _peers(model, list(table), cache if with_peers else None) as peers:
                variants = [*_variants(model, table), *peers]
                _require_equal(name, variants, observations)
                rows += _summarize(name, variants, _time(variants, observations[:most], rounds))
    return Report(
        title="One prediction, warm, in process",
        rows=rows,
        notes=[
            f"{rounds} rounds{', quick mode' if quick else ''}, the variants in turns; {most:,} distinct rows a round"
            " for the quick ones, each five times for the quickest two, 20 for the original's handler, whose S3 client,"
            " GET and unpickling are part of each call. Medians of single calls.",
            f"All answers were equal first, to {models.TOLERANCE:g}. Portico's handler: a direct invoke, logged.",
            *([_ABOUT_PEERS.format(version_of("mlflow"), version_of("bentoml"))] if with_peers else []),
            "OMP_NUM_THREADS not set.",
        ],
    )


@contextlib.contextmanager
def _peers(model: Any, columns: Sequence[str], cache: Path | None) -> Iterator[list[Variant]]:
    """Peers that have the model; none without a cache of theirs."""
    with contextlib.ExitStack() as running:
        if cache is None:
            yield []
            return
        file = running.enter_context(tempfile.NamedTemporaryFile())
        pickle.dump(model, file)
        file.flush()
        found = []
        for name, label in (("mlflow", MLFLOW), ("bentoml", BENTOML)):
            asked = running.enter_context(peer(name, Path(file.name), columns=columns, cache=cache))
            found.append(Variant(label, asked.probabilities, rows=100, timed=asked.answer))
        yield found


def _variants(model: Any, table: Any) -> list[Variant]:
    import pandas as pd

    from benchmarks.original import handle
    from predictor import handler

    os.environ["MODEL_FILE"] = models.DROP_IN_KEY
    names = list(table)
    walker = models.publish(model)
    # As Lambda calls it: the id of the request comes with it.
    context = types.SimpleNamespace(aws_request_id="c2f7a1d4-2f1c-4a6b-8a7e-1d2f3a4b5c6d")

    def original(row: Row) -> list[float]:
        answer = handle({"body": json.dumps(row)}, None)
        return list(json.loads(answer["body"])["probabilities"])

    def cached(row: Row) -> list[float]:
        return [float(share) for share in model.predict_proba(pd.DataFrame([row]))[0]]

    def portico(row: Row) -> list[float]:
        event = {"operation": "predict", "model": models.SLUG, "version": 1, "row": row}
        return list(handler.handle(event, context)["prediction"]["probabilities"])

    def walk(row: Row) -> list[float]:
        # With the body read and the answer written, as any handler must.
        values = list(json.loads(json.dumps(row)).values())
        prediction = walker.answer(values)
        json.dumps(prediction)
        return list(prediction["probabilities"])

    variants = [
        Variant("original handler", original, rows=20),
        Variant("scikit-learn, model kept, DataFrame", cached),
        # A thousand of these take 15 ms, of which a moment's lull would decide.
        Variant("Portico's handler", portico, times=5),
        Variant("bare walk, JSON in and out", walk, times=5),
    ]
    if "city" not in names:
        variants.insert(2, Variant("scikit-learn, model kept, array", _ask_array(model, names)))
    return variants


def _ask_array(model: Any, names: list[str]) -> Callable[[Row], list[float]]:
    import warnings

    import numpy as np

    array = np.empty((1, len(names)))

    def ask(row: Row) -> list[float]:
        array[0] = [row[name] for name in names]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [float(share) for share in model.predict_proba(array)[0]]

    return ask


def _require_equal(name: str, variants: list[Variant], rows: list[Row]) -> None:
    for row in rows[:20]:
        answers = {variant.name: variant.answer(row) for variant in variants}
        reference = answers["scikit-learn, model kept, DataFrame"]
        for other, answer in answers.items():
            if any(abs(one - two) > models.TOLERANCE for one, two in zip(answer, reference, strict=True)):
                raise RuntimeError(f"{other}, {name}: {answer} instead of {reference} for {row}.")


def _time(variants: list[Variant], rows: list[Row], rounds: int) -> dict[str, list[float]]:
    """Seconds of every call, by variant."""
    taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            for row in rows[: variant.rows] * variant.times:
                if variant.timed is not None:
                    taken[variant.name].append(variant.timed(row)[1])
                    continue
                began = time.perf_counter()
                variant.answer(row)
                taken[variant.name].append(time.perf_counter() - began)
    return taken


def _summarize(name: str, variants: list[Variant], taken: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    base = statistics.median(taken["original handler"])
    rows = []
    for variant in variants:
        seconds = sorted(taken[variant.name])
        median = statistics.median(seconds)
        rows.append(
            {
                "model": name,
                "variant": variant.name,
                "median µs": median * 1e6,
                "p99 µs": seconds[int(len(seconds) * 0.99)] * 1e6,
                "x original": round(base / median),
            }
        )
    return rows


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The handler's log goes nowhere; it is written all the same, as the image's PYTHONUNBUFFERED has it."""
    with open(os.devnull, "wb", buffering=0) as nowhere:
        out = io.TextIOWrapper(nowhere, write_through=True)
        with contextlib.redirect_stdout(out):
            yield
