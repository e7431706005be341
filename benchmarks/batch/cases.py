"""The models and the files that are scored, with scikit-learn's own answers beside them.

Run as a program, so that the benchmark's own process stays small: `python -m benchmarks.batch.cases FOLDER NAME ROWS`.
"""

import base64
import hashlib
import hmac
import json
import os
import pickle
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SLUG, VERSION = "benchmark", 1
# Of the processes of a benchmark and of nothing else.
MANIFEST_KEY = "the benchmarks' own key, of 32 characters and more"


@dataclass(frozen=True, slots=True)
class Case:
    """A model: `columns` features, all of them numbers, fitted on a DataFrame of `fitted_rows` rows."""

    name: str
    title: str
    columns: int
    fitted_rows: int


CASES = {
    case.name: case
    for case in (
        Case("logreg4", "LogisticRegression, 4 columns", 4, 1_000),
        Case("logreg30", "LogisticRegression, 30 columns", 30, 1_000),
        Case("histgb", "HistGradientBoosting, 4 columns, 20,000 rows", 4, 20_000),
        Case("forest", "RandomForest 100, 4 columns, 1,000 rows", 4, 1_000),
        Case("forest-deep", "RandomForest 100, 4 columns, 10,000 rows", 4, 10_000),
    )
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where a case's files lie. answers: scikit-learn's probabilities of the whole table, (rows, 2), as .npy"""

    case: str
    rows: int
    csv: str
    model: str
    manifest: str
    answers: str
    says: str

    @classmethod
    def from_json(cls, text: str) -> "Prepared":
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def prepare(folder: Path, case: Case, rows: int) -> Prepared:
    """Fit the model, write the CSV where it does not lie there yet, and ask scikit-learn about the whole table."""
    import numpy as np
    import pandas as pd

    model = _fit(case)
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.normal(size=(rows, case.columns)), columns=_names(case.columns))
    csv = folder / f"{case.columns}-columns-{rows}-rows.csv"
    if not csv.exists():
        table.to_csv(csv, index=False)
    body = pickle.dumps(model)
    stem = folder / f"{case.name}-{rows}"
    files = {kind: stem.with_suffix(f".{kind}") for kind in ("pkl", "json", "npy")}
    files["pkl"].write_bytes(body)
    files["json"].write_text(json.dumps(_sign(_manifest(model, body))), "utf-8")
    np.save(files["npy"], model.predict_proba(table))
    return Prepared(
        case=case.name,
        rows=rows,
        csv=str(csv),
        model=str(files["pkl"]),
        manifest=str(files["json"]),
        answers=str(files["npy"]),
        says=_describe_size(model, body),
    )


def _fit(case: Case) -> Any:
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(1)
    table = rng.normal(size=(case.fitted_rows, case.columns))
    # Not a plain sum: trees that fit a noisy bend are as large as those of real tables.
    target = (table[:, 0] + table[:, 1] ** 2 + rng.normal(scale=0.5, size=case.fitted_rows) > 1).astype(int)
    if case.name.startswith("logreg"):
        model = make_pipeline(StandardScaler(), LogisticRegression())
    elif case.name == "histgb":
        model = HistGradientBoostingClassifier(random_state=0)
    else:
        model = RandomForestClassifier(100, random_state=0)
    return model.fit(pd.DataFrame(table, columns=_names(case.columns)), target)


def _names(columns: int) -> list[str]:
    return [f"var_{number}" for number in range(1, columns + 1)]


def _manifest(model: Any, body: bytes) -> dict[str, Any]:
    from predictor.description import describe
    from predictor.loading import load, versions

    loaded = load(body, format="pickle")
    return {
        "slug": SLUG,
        "number": VERSION,
        "format": "pickle",
        "file": "model.pkl",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "versions": versions(loaded.fitted_with),
        **describe(model).to_json(),
        "warnings": loaded.warnings,
    }


def _sign(manifest: dict[str, Any]) -> dict[str, Any]:
    from predictor import signatures

    mac = hmac.digest(MANIFEST_KEY.encode(), signatures.message("manifest", manifest), "sha256")
    return {**manifest, "signature": {"by": "hmac-sha256", "mac": base64.b64encode(mac).decode()}}


def _describe_size(model: Any, body: bytes) -> str:
    size = f"{len(body) / 1000:,.0f} kB pickled"
    trees = getattr(model, "estimators_", None)
    if trees is not None:
        depth = max(tree.get_depth() for tree in trees)
        leaves = sum(tree.get_n_leaves() for tree in trees)
        return f"{size}, {len(trees)} trees, depth up to {depth}, {leaves:,} leaves"
    if hasattr(model, "n_iter_"):
        return f"{size}, {model.n_iter_} trees of up to 31 leaves"
    return size


if __name__ == "__main__":
    os.environ.setdefault("PORTICO_MANIFEST_KEY", MANIFEST_KEY)
    print(prepare(Path(sys.argv[1]), CASES[sys.argv[2]], int(sys.argv[3])).to_json())
