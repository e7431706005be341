"""MLflow's and Triton's own clients, unchanged, against a running server: `python real_clients.py PORT`.

Run by a Python of its own, since these clients bring more packages than everything else that is tested with.
"""

import json
import sys

import numpy as np
import pandas as pd
import tritonclient.http as triton
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

FEATURES = ["bill_length_mm", "body_mass_g", "sex"]
ROWS = [[39.1, 3750.0, "male"], [np.nan, 5000.0, "female"], [50.0, 5700.0, "male"]]


def ask_mlflow(port: int) -> list[str]:
    client = ScoringServerClient("127.0.0.1", port)
    client.wait_server_ready()
    client.get_version()
    return client.invoke(pd.DataFrame(ROWS, columns=FEATURES)).get_predictions("ndarray").tolist()


def ask_triton(port: int, *, is_binary: bool) -> tuple[list[str], list[list[float]]]:
    client = triton.InferenceServerClient(f"127.0.0.1:{port}")
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("penguins")  # noqa: S101
    assert client.get_server_metadata()["name"] == "portico"  # noqa: S101
    assert len(client.get_model_metadata("penguins")["inputs"]) == len(FEATURES)  # noqa: S101
    inputs = []
    for name, column in zip(FEATURES, zip(*ROWS, strict=True), strict=True):
        kind = "BYTES" if name == "sex" else "FP64"
        tensor = triton.InferInput(name, [len(ROWS), 1], kind)
        array = np.array(column, dtype=object if kind == "BYTES" else np.float64).reshape(-1, 1)
        tensor.set_data_from_numpy(array, binary_data=is_binary)
        inputs.append(tensor)
    answer = client.infer("penguins", inputs)
    labels = [
        label.decode() if isinstance(label, bytes) else str(label) for label in answer.as_numpy("predict").ravel()
    ]
    return labels, answer.as_numpy("predict_proba").tolist()


if __name__ == "__main__":
    port = int(sys.argv[1])
    found = {"mlflow": ask_mlflow(port)}
    for form in ("JSON", "binary"):
        found[f"triton in {form}"] = ask_triton(port, is_binary=form == "binary")
    print(json.dumps(found))
