"""The models that single predictions are measured with, and their publication as the portal makes it."""

import base64
import hashlib
import hmac
import pickle
from typing import Any

from benchmarks.emulator import KEY

MODELS = ("logreg", "forest", "histgb", "columns")
SLUG = "model"
# How far probabilities may be from scikit-learn's.
TOLERANCE = 1e-12
# Where the original's handler finds its model.
DROP_IN_KEY = "model/original.pkl"


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


def publish(model: Any, *, number: int = 1, is_compiled: bool = True) -> Any:
    """Put a version where the predict function looks for it, as the portal does; its walker.

    Args: is_compiled: False: its manifest names no tables, there is no walker, and scikit-learn answers
    """
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
        "slug": SLUG,
        "number": number,
    }
    if is_compiled:
        sums = {"sha256": hashlib.sha256(text).hexdigest(), "size_bytes": len(text)}
        manifest["compiled"] = {**compiled.to_json(), **sums}
    mac = hmac.digest(KEY.encode(), signatures.message("manifest", manifest), "sha256")
    bucket.write(DROP_IN_KEY, body, content_type="application/octet-stream")
    bucket.write(f"models/{SLUG}/{number}/model.pkl", body, content_type="application/octet-stream")
    bucket.write(keys.tables(SLUG, number), text, content_type="application/json")
    signature = {"by": "hmac-sha256", "mac": base64.b64encode(mac).decode()}
    bucket.write_json(keys.manifest(SLUG, number), {**manifest, "signature": signature})
    model_store.store = model_store.ModelStore()
    return model_store.store.get(SLUG, number)[0].tables
