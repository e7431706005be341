"""One prediction, warm, in process: Portico's handler beside the original tool's, scikit-learn, the walk and peers.

Everything runs in one process, row by row in turns, against a real S3 emulator; MLflow and BentoML in processes of
their own, by their own clocks. What is imported, and Portico's model, are there before the clock starts; the original
fetches and unpickles its model in each call, as it does.
"""

import base64
import contextlib
import hashlib
import hmac
import io
import json
import os
import pickle
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import types
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.batch.processes import ROOT
from benchmarks.peers.environments import CACHE, version_of
from benchmarks.peers.in_process import peer
from benchmarks.report import Report

MODELS = ("logreg", "forest", "histgb", "columns")

_BUCKET, _SLUG, _KEY = "benchmark", "model", "a key for a benchmark, known to everybody"
_STARTS_WITHIN_S = 30
_ROWS = 1_000
TOLERANCE = 1e-12
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

    rows: how many a round
    """

    name: str
    answer: Callable[[Row], list[float]]
    rows: int = 1_000
    timed: Callable[[Row], tuple[list[float], float]] | None = None


def measure(*, rounds: int = 7, with_peers: bool = True, quick: bool = False, cache: Path = CACHE) -> Report:
    """One prediction, warm, in process, beside the original tool's handler, MLflow and BentoML.

    Raises: RuntimeError: the variants do not agree; a peer cannot be installed
    """
    rounds, most = (min(rounds, _QUICK_ROUNDS), _QUICK_ROWS) if quick else (rounds, _ROWS)
    sys.path.insert(0, str(ROOT / "lambda_docker"))
    rows: list[dict[str, Any]] = []
    with _emulator() as endpoint, _settings(endpoint), _quiet():
        import boto3

        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=_BUCKET)
        for name in _QUICK_MODELS if quick else MODELS:
            model, table = fit(name)
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
            " for the quick ones, 20 for the original's handler, whose S3 client, GET and unpickling are part of each"
            " call. Medians of single calls.",
            f"All answers were equal first, to {TOLERANCE:g}. Portico's handler: a direct invoke, logged.",
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


def fit(name: str) -> tuple[Any, Any]:
    """A fitted model and 1,000 rows or more to ask it."""
    import numpy as np
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rng = np.random.default_rng(5)
    names = [f"var_{number}" for number in range(1, 5)]
    table = pd.DataFrame(rng.normal(size=(2_000, 4)), columns=names)
    wanted = (table["var_1"] * table["var_2"] + table["var_3"] + rng.normal(0, 0.5, len(table)) > 0).astype(int)
    if name == "columns":
        table["city"] = rng.choice(["Basel", "Bern", "Chur", "Genf", "Zug"], len(table))
        columns = make_column_transformer((StandardScaler(), names), (OneHotEncoder(), ["city"]))
        return make_pipeline(columns, LogisticRegression()).fit(table, wanted), table
    model = {
        "logreg": make_pipeline(StandardScaler(), LogisticRegression()),
        "forest": RandomForestClassifier(100, random_state=0, min_samples_leaf=2),
        "histgb": HistGradientBoostingClassifier(random_state=0),
    }[name]
    return model.fit(table, wanted), table


def _variants(model: Any, table: Any) -> list[Variant]:
    import pandas as pd

    from predictor import handler

    names = list(table)
    walker = _publish(model)
    # As Lambda calls it: the id of the request comes with it.
    context = types.SimpleNamespace(aws_request_id="c2f7a1d4-2f1c-4a6b-8a7e-1d2f3a4b5c6d")

    def original(row: Row) -> list[float]:
        import boto3

        stored = boto3.client("s3").get_object(Bucket=_BUCKET, Key="model/original.pkl")["Body"].read()
        loaded = pickle.loads(stored)  # noqa: S301  # made by this benchmark
        frame = pd.DataFrame([{name: row[name] for name in names}])
        if frame.isna().to_numpy().any():
            raise RuntimeError("A value is missing.")
        return [float(share) for share in loaded.predict_proba(frame)[0]]

    def cached(row: Row) -> list[float]:
        return [float(share) for share in model.predict_proba(pd.DataFrame([row]))[0]]

    def portico(row: Row) -> list[float]:
        event = {"operation": "predict", "model": _SLUG, "version": 1, "row": row}
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


def _publish(model: Any) -> Any:
    """Put the model and its tables where the predict function looks for them, as the portal does; its walker."""
    from predictor import bucket, keys, model_store, signatures
    from predictor.compiled.parity import Compiled, compile_model
    from predictor.description import describe
    from predictor.trials import try_out

    described = describe(model)
    golden = try_out(described).golden
    compiled = compile_model(described, golden=golden, single_milliseconds=1e9)
    if not isinstance(compiled, Compiled):
        raise RuntimeError(f"It was not compiled: {compiled.reason}.")
    body, text = pickle.dumps(model), compiled.text.encode()
    manifest = {
        **described.to_json(),
        "golden": golden,
        "format": "pickle",
        "file": "model.pkl",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "compiled": {**compiled.to_json(), "sha256": hashlib.sha256(text).hexdigest(), "size_bytes": len(text)},
        "slug": _SLUG,
        "number": 1,
    }
    mac = hmac.digest(_KEY.encode(), signatures.message("manifest", manifest), "sha256")
    bucket.write("model/original.pkl", body, content_type="application/octet-stream")
    bucket.write(f"models/{_SLUG}/1/model.pkl", body, content_type="application/octet-stream")
    bucket.write(keys.tables(_SLUG, 1), text, content_type="application/json")
    signature = {"by": "hmac-sha256", "mac": base64.b64encode(mac).decode()}
    bucket.write_json(keys.manifest(_SLUG, 1), {**manifest, "signature": signature})
    model_store.store = model_store.ModelStore()
    return model_store.store.get(_SLUG, 1)[0].tables


def _require_equal(name: str, variants: list[Variant], rows: list[Row]) -> None:
    for row in rows[:20]:
        answers = {variant.name: variant.answer(row) for variant in variants}
        reference = answers["scikit-learn, model kept, DataFrame"]
        for other, answer in answers.items():
            if any(abs(one - two) > TOLERANCE for one, two in zip(answer, reference, strict=True)):
                raise RuntimeError(f"{other}, {name}: {answer} instead of {reference} for {row}.")


def _time(variants: list[Variant], rows: list[Row], rounds: int) -> dict[str, list[float]]:
    """Seconds of every call, by variant."""
    taken: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for _ in range(rounds):
        for variant in variants:
            for row in rows[: variant.rows]:
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
def _emulator() -> Iterator[str]:
    """The address of a running S3 emulator."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR", "PERSIST_STATE": "0"}
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and a fixed module
        [sys.executable, "-m", "ministack"],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address, ends = f"http://127.0.0.1:{port}", time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                with urllib.request.urlopen(address, timeout=1):  # noqa: S310  # our own address
                    break
            except OSError as problem:
                if isinstance(problem, urllib.request.HTTPError):
                    break
                if time.monotonic() > ends or process.poll() is not None:
                    raise RuntimeError("The emulator did not start.") from problem
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def _settings(endpoint: str) -> Iterator[None]:
    """The environment of a function, for as long as this lasts."""
    before = dict(os.environ)
    os.environ.update(
        AWS_ENDPOINT_URL=endpoint,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106  # an emulator's
        PORTICO_BUCKET=_BUCKET,
        PORTICO_MANIFEST_KEY=_KEY,
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The handler's log goes nowhere; it is written all the same."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(io.TextIOWrapper(nowhere.buffer)):
        yield
