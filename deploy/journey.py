"""What a user does, step by step, from sign-in to sign-out. Each step raises DeployError when Portico did otherwise."""

from __future__ import annotations

import csv
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.portal import FirstLogin
from deploy.embedded.processes import Supervisor
from deploy.embedded.visitor import Page, Upload, Visitor
from deploy.errors import DeployError
from deploy.state import REPOSITORY

BATCH_WITHIN_S = 60.0
# The numbers that Portico's must equal come from a process with nothing of Portico in it.
_SCIKIT_LEARN = """
import json, sys
import joblib, pandas
model, rows = joblib.load(sys.argv[1]), pandas.read_csv(sys.argv[2], float_precision="round_trip")
answers = model.predict_proba(rows[list(model.feature_names_in_)]).tolist()
print(json.dumps({"features": list(model.feature_names_in_), "probabilities": answers}))
"""
# Fitted to the sample's own answers. Its probabilities are shares of neighbours, the same on every machine, and no
# tables are made of it: the small function has to hand it over.
_WITHOUT_TABLES = """
import sys
import joblib, pandas
from sklearn.neighbors import RadiusNeighborsClassifier
model, rows = joblib.load(sys.argv[1]), pandas.read_csv(sys.argv[2], float_precision="round_trip")
rows = rows[list(model.feature_names_in_)]
fitted = RadiusNeighborsClassifier(1.5, outlier_label="most_frequent").fit(rows, model.predict(rows))
joblib.dump(fitted, sys.argv[3])
"""


@dataclass(frozen=True)
class Sample:
    """A model, what it shall be called, a file to score with it, and what scikit-learn says about that file.

    Attributes:
        rows: as they stand in the file
        probabilities: of each row, in the order of the model's classes
    """

    name: str
    slug: str
    model: Path
    file: Path
    features: list[str]
    rows: list[dict[str, str]]
    probabilities: list[list[float]]


def read_sample(supervisor: Supervisor, folder: Path) -> Sample:
    """One of the samples that `make up` trains, with scikit-learn's own answers to its file."""
    return _read(supervisor, folder / "model.pkl", folder / "to_score.csv", name="Smoke test", slug="smoke-test")


def make_sample_without_tables(supervisor: Supervisor, sample: Sample) -> Sample:
    """Another model for the sample's rows, which only the full engine can answer."""
    model = sample.file.with_name("without_tables.joblib")
    command = [sys.executable, "-c", _WITHOUT_TABLES, str(sample.model), str(sample.file), str(model)]
    supervisor.run("sklearn", command, environment=os.environ, folder=REPOSITORY)
    return _read(supervisor, model, sample.file, name="Smoke test in full", slug="smoke-test-full")


def _read(supervisor: Supervisor, model: Path, file: Path, *, name: str, slug: str) -> Sample:
    command = [sys.executable, "-c", _SCIKIT_LEARN, str(model), str(file)]
    said = supervisor.run("sklearn", command, environment=os.environ, folder=REPOSITORY)
    answers = json.loads(said.splitlines()[-1])
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    return Sample(name, slug, model, file, answers["features"], rows, answers["probabilities"])


def sign_in(visitor: Visitor, login: FirstLogin) -> None:
    page = visitor.get("/")
    _require(page.path == "/sign-in/", f"Without a login, {page.path} was shown.")
    form = page.form_with("username", "password")
    home = visitor.submit(page, form, username=login.username, password=login.password or "")
    _require(home.path == "/", f"The sign-in of {login.username} was refused. {home.complaint}")


def upload_model(visitor: Visitor, sample: Sample) -> Page:
    """The version's page, once the check has passed it."""
    page = visitor.get("/admin/registry/model/upload/")
    form = page.form_with("file", "name", "slug")
    file = Upload(sample.model.name, sample.model.read_bytes())
    uploaded = visitor.submit(page, form, file=file, name=sample.name, slug=sample.slug)
    check = next((form for form in uploaded.html.forms if form.action.endswith("/check/")), None)
    if check is None:
        raise DeployError(f"The model did not arrive. {uploaded.complaint}")
    version = visitor.submit(uploaded, check)
    _require("It passed the check" in version.text, f"The model did not pass its check. {version.complaint}")
    return version


def make_live(visitor: Visitor, version: Page) -> None:
    page = visitor.get(version.link_to(r"/admin/registry/modelversion/\d+/live/"))
    form = next((form for form in page.html.forms if not form.action), None)
    if form is None:
        raise DeployError(f"{page.path} has no button that makes the version live. {page.complaint}")
    live = visitor.submit(page, form)
    _require("It is live" in live.text, f"The version did not go live. {live.complaint}")


def predict_first_row(visitor: Visitor, sample: Sample) -> Page:
    """The answer's own page; it must show scikit-learn's probabilities."""
    page = visitor.get(f"/models/{sample.slug}/")
    names = [f"f{position}" for position in range(len(sample.features))]
    values = [sample.rows[0][feature] for feature in sample.features]
    answer = visitor.submit(page, page.form_with(*names), **dict(zip(names, values, strict=True)))
    _require(answer.path.startswith("/predictions/"), f"There was no answer. {answer.complaint}")
    shown = [float(figure) for figure in answer.html.figures]
    are_shown = all(any(_is_same(share, figure) for figure in shown) for share in sample.probabilities[0])
    _require(are_shown, f"The page shows {answer.html.figures}, scikit-learn says {sample.probabilities[0]}.")
    return answer


def score_file(visitor: Visitor, sample: Sample) -> Page:
    """The batch's page, by way of the look at its file; its result must have every row, as scikit-learn answers it."""
    page = visitor.get(f"/models/{sample.slug}/batch/")
    file = Upload(sample.file.name, sample.file.read_bytes(), "text/csv")
    seen = visitor.submit(page, page.form_with("file"), file=file)
    batch = visitor.submit(seen, seen.form_with("encoding"))
    deadline = time.monotonic() + BATCH_WITHIN_S
    ended = ("done", "done_with_errors")
    while (state := (status := visitor.get(f"{batch.path}?part=status")).attribute("data-state")) not in ended:
        _require(state != "failed", f"The file was not scored. {status.complaint}")
        _require(time.monotonic() < deadline, f"The file was not scored within {BATCH_WITHIN_S:.0f} s: it is {state}.")
        time.sleep(0.2)
    scored = _read_csv(visitor.get(status.link_to(r"/batches/[0-9a-f-]+/download/")))
    found = [float(row["probability_1"] or "nan") for row in scored]
    expected = [shares[1] for shares in sample.probabilities]
    _require(len(scored) == len(sample.rows), f"{len(sample.rows)} rows went in, {len(scored)} came out.")
    _require(all(map(_is_same, found, expected)), "The file holds other numbers than scikit-learn's.")
    return batch


def read_history(visitor: Visitor, sample: Sample, *, pages: list[str]) -> None:
    """Both the prediction and the file must be on the page and in its export."""
    history = visitor.get("/history/")
    for path in pages:
        history.link_to(path)
    rows = {row["kind"]: row for row in _read_csv(visitor.get(history.link_to(r"/history/export\.csv.*")))}
    _require(set(rows) == {"prediction", "batch"}, f"The export holds {sorted(rows)}.")
    exported = dict(part.split("=") for part in rows["prediction"]["probabilities"].split("; "))
    expected = sample.probabilities[0][1]
    _require(_is_same(float(exported["1"]), expected), f"The export says {exported}, scikit-learn {expected} for 1.")
    _require(rows["batch"]["scored"] == str(len(sample.rows)), f"The export says {rows['batch']['scored']} rows.")


def call_api(address: str, sample: Sample) -> None:
    """The original tool's call, for the model just uploaded."""
    body = json.dumps({feature: sample.rows[0][feature] for feature in sample.features}).encode()
    answer = Visitor(address).post(f"{address}/{sample.slug}/singlePrediction", body, "application/json")
    rounded = {"pred_proba": round(sample.probabilities[0][-1], 3)}
    _require(json.loads(answer.body) == {**rounded, "body": rounded}, f"It answered {answer.body[:200]!r}.")


def sign_out(visitor: Visitor) -> None:
    home = visitor.get("/")
    visitor.submit(home, home.form_with(action="/sign-out/"))
    page = visitor.get("/history/")
    _require(page.path == "/sign-in/", f"After signing out, {page.path} was still shown.")


def _read_csv(page: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(page.body.decode("utf-8-sig").splitlines()))


def _is_same(found: float, expected: float) -> bool:
    # Of one row and of many, BLAS adds up in other orders: the last digits depend on the processor.
    return math.isclose(found, expected, rel_tol=1e-12)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DeployError(otherwise)
