"""What docs/api.md shows is run as it stands, with curl and with Python, against the real stack."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.closeness import nearly
from tests.predictor.factories import penguin_model, penguins, publish

# The sample of the document's name is other tests' to load.
SLUG = "documented"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text().replace("/penguins/", f"/{SLUG}/")
BOXES = re.findall(r"^```(bash|python)\n(.*?)^```$", DOCUMENT, re.M | re.S)


@pytest.fixture
def model(stack_environment):
    fitted = penguin_model()
    publish(fitted, slug=SLUG)
    return fitted


def run(program, text, folder):
    done = subprocess.run(  # the repository's own text
        [*program, text], cwd=folder, env=os.environ | {"TOKEN": ""}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_boxes_of_the_document_do_what_it_says(model, tmp_path):
    table = penguins(60)
    table.to_csv(tmp_path / "penguins.csv", index=False)

    run(["bash", "-euo", "pipefail", "-c"], "\n".join(text for kind, text in BOXES if kind == "bash"), tmp_path)
    run([sys.executable, "-c"], "\n".join(text for kind, text in BOXES if kind == "python"), tmp_path)

    expected = model.predict_proba(table.drop(columns="species"))
    in_the_call, *by_jobs = (
        pd.read_csv(tmp_path / f"scored_{how}.csv") for how in ("in_the_call", "by_a_job", "by_python")
    )
    assert in_the_call["predicted_probability_1"].tolist() == nearly(expected[:, -1])
    for result in by_jobs:
        assert result[[f"probability_{name}" for name in model.classes_]].to_numpy() == nearly(expected)
        pd.testing.assert_frame_equal(result[table.columns], table)


def test_document_has_boxes_of_both_kinds():
    assert {kind for kind, _ in BOXES} == {"bash", "python"}
