"""What people come for, from sign-in to result, on real models; the same journeys take the README's pictures."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from portal.accounts import roles
from portal.predictions.models import Prediction
from tests.browser.conftest import PageAs, keep, load

pytestmark = pytest.mark.browser


def predict_first_example(page: Page, site: str, slug: str) -> Prediction:
    page.goto(f"{site}/models/{slug}/")
    page.locator(".examples a").first.click()
    page.get_by_role("button", name="Predict").click()
    page.wait_for_url(re.compile("/predictions/"))
    return Prediction.objects.get(pk=page.url.rstrip("/").rpartition("/")[2])


@pytest.mark.parametrize("slug", ["four-variables", "breast-cancer", "penguins", "diabetes"])
def test_prediction_of_an_example_is_scikit_learns(loaded_site: str, page_as: PageAs, samples: Path, slug: str):
    page, model = page_as(), load(samples, slug)

    prediction = predict_first_example(page, loaded_site, slug)

    names = list(getattr(model, "feature_names_in_", [f"x{i}" for i in range(model.n_features_in_)]))
    row = pd.DataFrame([[prediction.inputs[name] for name in names]], columns=names)
    table = row.replace({None: np.nan}) if hasattr(model, "feature_names_in_") else row.to_numpy(float)
    if slug == "diabetes":
        assert prediction.value == model.predict(table)[0]
    else:
        # They are compiled: numpy adds up in another order.
        shares = [share for _, share in prediction.probabilities]
        assert shares == pytest.approx(model.predict_proba(table)[0].tolist(), rel=1e-12, abs=0)
        assert prediction.outcome == str(model.predict(table)[0])
    expect(page.locator(".outcome")).to_be_visible()
    keep(page, f"result-{slug}")


def test_bad_values_stand_at_their_fields_and_what_was_typed_stays(loaded_site: str, page_as: PageAs):
    page = page_as()
    page.goto(f"{loaded_site}/models/diabetes/")
    first, second = (
        page.locator("form.panel input[type=text]").nth(0),
        page.locator("form.panel input[type=text]").nth(1),
    )

    first.fill("abc")
    second.fill("1e9")
    page.get_by_role("button", name="Predict").click()

    expect(page.get_by_text("“abc” is not a number.")).to_be_visible()
    expect(page.get_by_text(re.compile("The highest value allowed is"))).to_be_visible()
    expect(first).to_have_value("abc")
    expect(second).to_have_value("1e9")
    expect(first).to_have_attribute("aria-invalid", "true")


def test_model_uploaded_checked_and_made_live_answers_colleagues(
    loaded_site: str, page_as: PageAs, samples: Path, original_model: Path
):
    owner = page_as(roles.MODEL_OWNER)
    owner.goto(f"{loaded_site}/admin/")
    owner.get_by_role("link", name="Upload a model").first.click()
    owner.get_by_label("Name", exact=True).fill("Original model")
    owner.get_by_label("Model file").set_input_files(original_model)
    keep(owner, "console-upload")
    owner.get_by_role("button", name=re.compile("Upload")).click()
    expect(owner.get_by_text("1.2.0").first).to_be_visible(timeout=30_000)
    keep(owner, "console-version")
    owner.get_by_role("link", name="Make live").or_(owner.get_by_role("button", name="Make live")).first.click()
    expect(owner.get_by_role("button", name=re.compile("Make .*live"))).to_be_visible()
    keep(owner, "console-make-live")
    owner.get_by_role("button", name=re.compile("Make .*live")).click()

    colleague = page_as(roles.PREDICTOR)
    colleague.goto(f"{loaded_site}/")
    colleague.get_by_role("link", name="Original model", exact=True).click()
    for field, value in zip(
        colleague.locator("form.panel input[type=text]").all(), ("0.1", "-1.5", "2", "0.7"), strict=True
    ):
        field.fill(value)
    colleague.get_by_role("button", name="Predict").click()
    colleague.wait_for_url(re.compile("/predictions/"))

    prediction = Prediction.objects.get(user__username="predictor")
    assert [share for _, share in prediction.probabilities] == _original_answer(original_model, [0.1, -1.5, 2, 0.7])
    expect(colleague.get_by_text("version 1")).to_be_visible()


def test_history_filtered_and_exported_holds_exactly_the_rows_shown(loaded_site: str, page_as: PageAs):
    page = page_as()
    predict_first_example(page, loaded_site, "penguins")
    wanted = predict_first_example(page, loaded_site, "diabetes")
    page.goto(f"{loaded_site}/history/")
    keep(page, "history")

    page.get_by_label("Model").select_option("diabetes")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Export 1 row")).click()

    text = Path(download.value.path()).read_text("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["id"] == str(wanted.pk)
    assert float(row["outcome"]) == wanted.value
    assert {name: row[name] for name in wanted.inputs} == {name: str(value) for name, value in wanted.inputs.items()}


def _original_answer(path: Path, row: list[float]) -> list[float]:
    """scikit-learn's own answer, in a process of its own: loading this old file warns, and warnings are errors here."""
    import subprocess
    import sys

    code = (
        "import json, sys, warnings; warnings.simplefilter('ignore'); import joblib, pandas as pd; "
        "m = joblib.load(sys.argv[1]); n = list(m.feature_names_in_); "
        "print(json.dumps(m.predict_proba(pd.DataFrame([json.loads(sys.argv[2])], columns=n))[0].tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), json.dumps(row)], capture_output=True, check=True)
    return json.loads(done.stdout)
