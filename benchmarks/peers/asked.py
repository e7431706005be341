"""Run by a peer's own interpreter: a model within its process, asked row by row over a pipe.

    python asked.py mlflow|bentoml FOLDER: a row as a line of JSON → [probabilities, seconds] as one

The clock runs around the peer's call alone, with the table that it wants made from the row.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]


def open_mlflow(folder: str) -> Callable[[Row], Any]:
    import pickle

    import mlflow.pyfunc  # type: ignore[import-not-found]  # it is in an environment of its own
    import mlflow.sklearn  # type: ignore[import-not-found]
    import pandas as pd

    saved = os.path.join(folder, "mlflow-model")
    with open(os.path.join(folder, "model.pkl"), "rb") as file:
        estimator = pickle.load(file)  # noqa: S301  # made by the benchmark
    mlflow.sklearn.save_model(estimator, saved, serialization_format="pickle", pyfunc_predict_fn="predict_proba")
    model = mlflow.pyfunc.load_model(saved)
    return lambda row: model.predict(pd.DataFrame([row]))[0]


def open_bentoml(folder: str) -> Callable[[Row], Any]:
    os.chdir(folder)
    sys.path.insert(0, folder)
    import service  # type: ignore[import-not-found]  # beside the model

    model = service.Model()
    with open("columns.json", encoding="utf-8") as file:
        columns = json.load(file)
    return lambda row: model.predict(rows=[[row[name] for name in columns]])[0]


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # Whatever a peer says of itself must not come between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    ask = {"mlflow": open_mlflow, "bentoml": open_bentoml}[sys.argv[1]](sys.argv[2])
    for line in sys.stdin:
        row = json.loads(line)
        began = time.perf_counter()
        answer = ask(row)
        seconds = time.perf_counter() - began
        print(json.dumps([[float(share) for share in answer], seconds]), file=answers, flush=True)


if __name__ == "__main__":
    main()
