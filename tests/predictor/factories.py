"""Models, uploads and files for the tests, made when they are needed."""

import base64
import hashlib
import hmac
import io
import json
import os
import pickle
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from predictor import bucket, keys, signatures
from predictor.errors import BatchRefused
from predictor.handler import handle, verify
from tests.original import original_file
from tests.predictor.examining import examine

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "tests" / "events"

SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def context_of(request_id: str) -> Any:
    return SimpleNamespace(aws_request_id=request_id, get_remaining_time_in_millis=lambda: 30_000)


def original_bytes() -> bytes:
    return original_file("binary_sklearn_model.pkl").read_bytes()


def event(name: str, **changes: Any) -> dict[str, Any]:
    """A stored event with some of its entries changed."""
    return {**json.loads((EVENTS / f"{name}.json").read_text()), **changes}


def penguins(rows: int = 120, *, seed: int = 0, missing: bool = False) -> pd.DataFrame:
    """A table of two numbers, a choice and a species that depends on them."""
    rng = np.random.default_rng(seed)
    species = rng.integers(0, 3, rows)
    table = pd.DataFrame(
        {
            "bill_length_mm": rng.normal(40 + 4 * species, 2),
            "body_mass_g": rng.normal(3700 + 600 * species, 200),
            "sex": rng.choice(["female", "male"], rows),
            "species": np.array(SPECIES)[species],
        }
    )
    if missing:
        table.loc[::7, "bill_length_mm"] = np.nan
        table.loc[::11, "sex"] = np.nan
    return table


def penguin_model(*, missing: bool = False, estimator: Any = None, target: str = "species") -> Any:
    """A pipeline fitted on a DataFrame: scaled numbers and a one-hot choice."""
    table = penguins(missing=missing)
    numbers: Any = StandardScaler()
    choices: Any = OneHotEncoder()
    if missing:
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        choices = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    features = ["bill_length_mm", "body_mass_g", "sex"]
    columns = ColumnTransformer([("numbers", numbers, ["bill_length_mm", "body_mass_g"]), ("sex", choices, ["sex"])])
    model = make_pipeline(columns, estimator or LogisticRegression(max_iter=2000))
    return model.fit(table[features], table[target])


def array_model(classes: list[Any] | None = None, *, features: int = 3, estimator: Any = None) -> Any:
    """A classifier fitted on a plain array."""
    rng = np.random.default_rng(1)
    table = rng.normal(size=(90, features))
    known = np.array(classes if classes is not None else [0, 1])
    target = known[np.digitize(table.sum(axis=1), np.linspace(-1, 1, len(known) - 1))]
    return (LogisticRegression() if estimator is None else estimator).fit(table, target)


def forest() -> RandomForestClassifier:
    return array_model([0, 1], estimator=RandomForestClassifier(10, random_state=0))


def regression_model() -> Any:
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"])
    return LinearRegression().fit(table, 3 * table["a"] - table["b"] + 10)


def dump(model: Any, *, as_joblib: bool = False) -> bytes:
    if not as_joblib:
        return pickle.dumps(model)
    stream = io.BytesIO()
    joblib.dump(model, stream, compress=3)
    return stream.getvalue()


def upload(body: bytes) -> dict[str, Any]:
    """Put bytes into quarantine; the event that verifies them."""
    name = str(uuid.uuid4())
    bucket.write(keys.quarantine(name), body, content_type="application/octet-stream")
    checksum = hashlib.sha256(body).hexdigest()
    return {"operation": "verify", "upload": name, "sha256": checksum, "format": "pickle"}


def verified(model: Any) -> dict[str, Any]:
    """The answer of verify to a model, or to the bytes of one."""
    return verify(upload(model if isinstance(model, bytes) else dump(model)), context_of("verify"))


def publish(model: Any, *, slug: str = "penguins", version: int = 1, live: bool = True) -> dict[str, Any]:
    """Put a model where the predict function looks for it, without the verify function's walls; its manifest."""
    body = model if isinstance(model, bytes) else dump(model)
    bucket.write(f"models/{slug}/{version}/model.pkl", body, content_type="application/octet-stream")
    file = {"file": "model.pkl", "sha256": hashlib.sha256(body).hexdigest(), "size_bytes": len(body)}
    manifest = write_manifest({**examine(body), "format": "pickle", **file}, slug=slug, version=version)
    if live:
        make_live(slug, version, manifest["sha256"])
    return manifest


def publish_compiled(model: Any, *, slug: str = "penguins", checked: dict[str, Any] | None = None) -> dict[str, Any]:
    """Publish version 1 with its tables, as a check leaves them; one of its golden rows, as the manifest has it.

    checked: what verify answered to it, where that is known
    """
    answer = checked or verified(model)
    manifest = publish(model, slug=slug)
    bucket.write(keys.tables(slug, 1), answer["compiled"].encode(), content_type="application/json")
    write_manifest({**manifest, "compiled": answer["manifest"]["compiled"]}, slug=slug)
    golden: dict[str, Any] = answer["manifest"]["golden"][0]
    return golden


def write_manifest(manifest: dict[str, Any], *, slug: str = "penguins", version: int = 1) -> dict[str, Any]:
    """Store a manifest as the portal does; what was stored."""
    stored = signed("manifest", {**manifest, "slug": slug, "number": version})
    bucket.write_json(keys.manifest(slug, version), stored)
    return stored


def make_live(slug: str, version: int, sha256: str, **more: Any) -> None:
    pointer = {"slug": slug, "version": version, "sha256": sha256, **more}
    bucket.write_json(keys.live_pointer(slug), signed("live", pointer))


def signed(what: str, document: dict[str, Any], *, key: str = "") -> dict[str, Any]:
    """A document with the portal's signature, by this process's key where none is given."""
    secret = (key or os.environ["PORTICO_MANIFEST_KEY"]).encode()
    mac = hmac.digest(secret, signatures.message(what, document), "sha256")
    return {**document, "signature": {"by": "hmac-sha256", "mac": base64.b64encode(mac).decode()}}


def predict(row: dict[str, Any], *, model: str = "penguins", **more: Any) -> dict[str, Any]:
    return handle({"operation": "predict", "model": model, "row": row, **more}, context_of("request-1"))


class BatchRun:
    """A batch of one file, run through the steps as the state machine does."""

    def __init__(self, content: bytes, *, slug: str = "penguins", version: int = 1) -> None:
        self.job = {"batch": str(uuid.uuid4()), "user": "7", "model": slug, "version": version}
        bucket.write(self.key("input.csv"), content, content_type="text/csv")

    def key(self, name: str) -> str:
        return keys.batch("7", str(self.job["batch"]), name)

    def step(self, name: str, **more: Any) -> dict[str, Any]:
        """Raises: BatchRefused: with the sentence that was left in the bucket."""
        try:
            return handle({"operation": f"batch.{name}", "job": self.job, **more}, context_of(f"{name}-1"))
        except BatchRefused as refusal:
            raise BatchRefused(bucket.read_json(self.key("refusal.json"))["message"]) from refusal

    def run(self) -> dict[str, Any]:
        """The summary, after plan, parts and finish."""
        self.step("plan")
        self.run_parts()
        self.step("finish")
        return bucket.read_json(self.key("summary.json"))

    def run_parts(self) -> list[dict[str, int]]:
        parts = bucket.read_json(self.key("parts.json"))
        for part in reversed(parts):
            self.step("part", part=part)
        return parts

    def output(self) -> bytes:
        return bucket.read(self.key("output.csv"), limit_bytes=10**9).body

    def table(self, **options: Any) -> pd.DataFrame:
        """The output as a reader sees it, floats bit for bit."""
        return pd.read_csv(io.BytesIO(self.output()), **options)
