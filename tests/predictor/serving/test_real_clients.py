"""The clients that people have, unchanged. Without them the other modules here send the same bytes."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PYTHON = os.environ.get("PORTICO_CLIENTS_PYTHON", "")
ROWS = [[39.1, 3750.0, "male"], [np.nan, 5000.0, "female"], [50.0, 5700.0, "male"]]


@pytest.mark.skipif(
    not PYTHON,
    reason="PORTICO_CLIENTS_PYTHON names no Python that has mlflow-skinny, pandas, scipy and tritonclient[http]",
)
def test_clients_of_mlflow_and_triton_get_the_models_answers(penguins_server, models):
    script = Path(__file__).parent / "real_clients.py"
    table = pd.DataFrame(ROWS, columns=["bill_length_mm", "body_mass_g", "sex"])

    done = subprocess.run([PYTHON, script, str(penguins_server.port)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    labels = models["penguins"].predict(table).tolist()
    probabilities = models["penguins"].predict_proba(table).tolist()
    answers = (labels, probabilities)
    assert json.loads(done.stdout) == {
        "mlflow": labels,
        "triton in JSON": list(answers),
        "triton in binary": list(answers),
    }
