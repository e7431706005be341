"""From the start of a Python process to its first prediction, inside the containers.

Each round runs every variant once, in a fresh process of a fresh container; a model's bytes are given to all of them.
Page cache warm; what a cloud adds before the process starts (fetching the image, making the sandbox) is not in it.
"""

import base64
import json
import statistics
from dataclasses import dataclass

from benchmarks import images
from benchmarks.report import Report

ROUNDS = 9

# Runs in ours, so that no other version of scikit-learn is in play.
_MAKE_MODEL = """
import base64, pickle, sys
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(0)
table = rng.normal(size=(200, 4))
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, table.sum(axis=1) > 0)
if sys.argv[1] == "dataframe":
    # As fitting on a DataFrame leaves it, without needing pandas here.
    names = np.array(["var_1", "var_2", "var_3", "var_4"], dtype=object)
    model[0].feature_names_in_ = names
print(base64.b64encode(pickle.dumps(model)).decode())
"""

# Ours: the entry point's imports, the S3 client, loading, and the engine's own way to an answer.
_OURS = """
import sys
from predictor import bucket, handler
from predictor.discovery import inspect
from predictor.engines.sklearn_engine import build_table
from predictor.features import Feature
from predictor.loading import load
bucket.client()
model = load(open("/tmp/model", "rb").read(), format="pickle").estimator
inputs = inspect(model)
features = [Feature(name=name) for name in inputs.names]
table = build_table([[1.2], [-0.3], [0.5], [0.1]], inputs=inputs, features=features)
print(model.predict_proba(table)[0, 1].hex(), "pandas" in sys.modules, flush=True)
"""

# The original handler's steps, after its S3 get.
_ORIGINAL = """
import pickle, sys
import boto3
import pandas as pd
from sklearn.pipeline import Pipeline
boto3.client("s3")
model = pickle.load(open("/tmp/model", "rb"))
table = pd.DataFrame([[1.2, -0.3, 0.5, 0.1]], columns=model[0].feature_names_in_)
assert not table.isna().any(axis=None)
print(model.predict_proba(table)[0, 1].hex(), "pandas" in sys.modules, flush=True)
"""

# In the container: start the program as a process of its own and say when its answer came, and how much memory it took.
_TIME = """
import json, resource, subprocess, sys, time
open("/tmp/model", "wb").write(sys.stdin.buffer.read())
began = time.perf_counter()
with subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True) as process:
    answer, pandas = process.stdout.readline().split()
    took = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu, peak = (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024
print(json.dumps({"answer": answer, "pandas": pandas == "True", "ms": took * 1000, "cpu": cpu, "peak": peak}))
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """Something that is started; `options` are docker's."""

    name: str
    image: str
    program: str
    model: str
    options: tuple[str, ...] = ()


PANDAS_ON_THE_PATH = ("--env", "PYTHONPATH=/opt/packages:/opt/pandas")
VARIANTS = (
    Variant("Portico, model fitted on an array", images.OURS, _OURS, "array"),
    Variant("the same, pandas on the path", images.OURS, _OURS, "array", PANDAS_ON_THE_PATH),
    Variant("Portico, model fitted on a DataFrame", images.OURS, _OURS, "dataframe"),
    Variant("the same, pandas on the path", images.OURS, _OURS, "dataframe", PANDAS_ON_THE_PATH),
    Variant("original's imports and steps", images.ORIGINAL, _ORIGINAL, "dataframe"),
)


def measure() -> Report:
    """Cold start: the start of a process to its first prediction, in containers.

    Raises: RuntimeError: a variant gave another answer than the others
    """
    images.build_ours()
    images.build_original()
    models = {kind: _make_model(kind) for kind in ("array", "dataframe")}
    for variant in VARIANTS:
        _start(variant, models[variant.model])  # warms the page cache; not counted
    rounds = [[_start(variant, models[variant.model]) for variant in VARIANTS] for _ in range(ROUNDS)]
    answers = {run["answer"] for runs in rounds for run in runs}
    if len(answers) != 1:
        raise RuntimeError(f"The variants do not agree: {answers}. Times of unequal answers do not count.")
    return Report(
        title="Cold start: start of the process to the first prediction",
        rows=[_summarize(variant, runs) for variant, runs in zip(VARIANTS, zip(*rounds, strict=True), strict=True)],
        notes=[
            f"{ROUNDS} rounds, interleaved; a fresh container and process each. The page cache is warm;"
            " the S3 client is made, no object is fetched.",
            "OMP_NUM_THREADS is 1 in Portico's image and not set in the original's. All answers were equal.",
        ],
    )


def _make_model(kind: str) -> bytes:
    made = images.docker("run", "--rm", "--entrypoint", "python", images.OURS, "-c", _MAKE_MODEL, kind)
    return base64.b64decode(made)


def _start(variant: Variant, model: bytes) -> dict:
    output = images.docker(
        *("run", "--rm", "--interactive", "--network", "none", "--tmpfs", "/tmp"),  # noqa: S108  # in the container
        *("--env", "AWS_DEFAULT_REGION=eu-west-1", "--env", "AWS_ACCESS_KEY_ID=x", "--env", "AWS_SECRET_ACCESS_KEY=x"),
        *(*variant.options, "--entrypoint", "python", variant.image, "-c", _TIME, variant.program),
        given=model,
    )
    return dict(json.loads(output))


def _summarize(variant: Variant, runs: tuple[dict, ...]) -> dict:
    times = [run["ms"] for run in runs]
    return {
        "variant": variant.name,
        "median ms": round(statistics.median(times)),
        "min": round(min(times)),
        "max": round(max(times)),
        # Steadier than the clock on a machine that does other things; the process's end is in it.
        "CPU ms": round(statistics.median(run["cpu"] for run in runs)),
        "peak MB": round(statistics.median(run["peak"] for run in runs)),
        "pandas": "yes" if runs[0]["pandas"] else "no",
    }
