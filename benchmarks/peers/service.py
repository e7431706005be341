"""A BentoML service of the model in its folder: run by BentoML, in its environment, as `service:Model`.

scikit-learn is asked with an array where all columns are numbers: of the ways that BentoML's guides show the quickest.
"""

import json
import pickle
import warnings
from pathlib import Path

import bentoml  # type: ignore[import-not-found]  # it is in an environment of its own
import numpy as np
import pandas as pd


@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        # It was fitted on a DataFrame, and says at each array that it was.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        self.columns = json.loads(Path("columns.json").read_text("utf-8"))
        self.model = pickle.loads(Path("model.pkl").read_bytes())  # noqa: S301  # made by the benchmark

    @bentoml.api
    def predict(self, rows: list[list[float | str]]) -> list[list[float]]:
        if any(isinstance(value, str) for value in rows[0]):
            table = pd.DataFrame(rows, columns=self.columns)
        else:
            table = np.array(rows)
        return self.model.predict_proba(table).tolist()
