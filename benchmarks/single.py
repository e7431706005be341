"""One prediction, warm, in process: Portico's handler beside the original tool's, scikit-learn and the bare walk.

Everything runs in one process, row by row in turns, against a real S3 emulator. What is imported, and Portico's model,
are there before the clock starts; the original fetches and unpickles its model in each call, as it does.
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
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.batch.processes import ROOT
from benchmarks.report import Report

MODELS = ("logreg", "forest", "histgb", "columns")

_BUCKET, _SLUG, _KEY = "benchmark", "model", "a key for a benchmark, known to everybody"
_STARTS_WITHIN_S = 30
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
    with _emulator() as endpoint, _settings(endpoint), _quiet():
        import boto3

        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=_BUCKET)
        for name in MODELS:
            model, table = fit(name)
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
