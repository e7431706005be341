"""One prediction, warm, in process: Portico's handler beside the original tool's, scikit-learn and the bare walk.

Everything runs in one process, row by row in turns, against a real S3 emulator. What is imported, and Portico's model,
are there before the clock starts; the original fetches and unpickles its model in each call, as it does.
"""

import contextlib
import io
import json
import os
import pickle
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks import emulator, models
from benchmarks.batch.processes import ROOT
from benchmarks.report import Report

_ROWS = 1_000
_TOLERANCE = 1e-12

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """answer: one row → the probabilities"""

    name: str
    answer: Callable[[Row], list[float]]
    is_slow: bool = False


def measure(*, rounds: int = 7) -> Report:
    """One prediction, warm, in process, beside the original tool's handler.

    Raises: RuntimeError: the variants do not agree
    """
    sys.path.insert(0, str(ROOT / "lambda_docker"))
    rows: list[dict[str, Any]] = []
    with emulator.running() as endpoint, emulator.settings(endpoint), _quiet():
        import boto3

        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=emulator.BUCKET)
        for name in models.MODELS:
            model, table = models.fit(name)
            variants = _variants(model, table)
            observations = table.to_dict("records")[:_ROWS]
            _require_equal(name, variants, observations)
            rows += _summarize(name, variants, _time(variants, observations, rounds))
    return Report(
        title="One prediction, warm, in process",
        rows=rows,
        notes=[
            f"{rounds} rounds, the variants in turns; {_ROWS:,} distinct rows a round for the quick ones, 20 for the"
            " original's handler, whose S3 client, GET and unpickling are part of each call. Medians of single calls.",
            f"All answers were equal first, to {_TOLERANCE:g}. Portico's handler: a direct invoke, logged.",
            "OMP_NUM_THREADS not set.",
        ],
    )


def _variants(model: Any, table: Any) -> list[Variant]:
    import pandas as pd

    from predictor import handler

    names = list(table)
    walker = models.publish(model)

    def original(row: Row) -> list[float]:
        import boto3

        stored = boto3.client("s3").get_object(Bucket=emulator.BUCKET, Key=models.DROP_IN_KEY)["Body"].read()
        loaded = pickle.loads(stored)  # noqa: S301  # made by this benchmark
        frame = pd.DataFrame([{name: row[name] for name in names}])
        if frame.isna().to_numpy().any():
            raise RuntimeError("A value is missing.")
        return [float(share) for share in loaded.predict_proba(frame)[0]]

    def cached(row: Row) -> list[float]:
        return [float(share) for share in model.predict_proba(pd.DataFrame([row]))[0]]

    def portico(row: Row) -> list[float]:
        event = {"operation": "predict", "model": models.SLUG, "version": 1, "row": row}
        return list(handler.handle(event, None)["prediction"]["probabilities"])

    def walk(row: Row) -> list[float]:
        # With the body read and the answer written, as any handler must.
        values = list(json.loads(json.dumps(row)).values())
        prediction = walker.answer(values)
        json.dumps(prediction)
        return list(prediction["probabilities"])

    variants = [
        Variant("original handler", original, is_slow=True),
        Variant("scikit-learn, model kept, DataFrame", cached),
        Variant("Portico's handler", portico),
        Variant("bare walk, JSON in and out", walk),
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
            if any(abs(one - two) > _TOLERANCE for one, two in zip(answer, reference, strict=True)):
                raise RuntimeError(f"{other}, {name}: {answer} instead of {reference} for {row}.")


def _time(variants: list[Variant], rows: list[Row], rounds: int) -> dict[str, list[float]]:
    """Seconds of every call, by variant."""
    taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            for row in rows[:20] if variant.is_slow else rows:
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
    """The handler's log goes nowhere; it is written all the same."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(io.TextIOWrapper(nowhere.buffer)):
        yield
