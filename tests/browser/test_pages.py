"""Every page in both themes, at a desk and on a phone: nothing for axe-core, nothing to scroll sideways."""

import io
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from portal.accounts import roles
from portal.gateways import executions, inference, storage
from portal.gateways.contract import BatchStatus
from portal.predictions.models import Batch, Prediction
from portal.registry.models import ModelVersion
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations
from tests.portal.factories import make_batch, make_prediction

pytestmark = pytest.mark.browser
DISTRIBUTION = {
    "classes": [["Adelie", 150], ["Gentoo", 120], ["Chinstrap", 68]],
    "histogram": {
        "of": "probability of the predicted class",
        "edges": [n / 20 for n in range(21)],
        "counts": [0] * 10 + [2, 3, 2, 5, 4, 8, 10, 14, 60, 230],
    },
    "bands": [["Sure", 290], ["Look twice", 48]],
}
PROGRESS_OF_PENGUINS = {
    "ok": True, "stage": "running", "planned_bytes": 9_000_000, "size_bytes": 9_000_000, "parts": 12, "parts_done": 5,
    "bytes_done": 3_870_000, "rows": 343, "scored": 338, "failed": 5, "seconds": 14.0,
    "errors": [{"line": 18, "error": "sex: empty, a value is needed"}, {"line": 97, "error": "island: unknown"}],
    "distribution": DISTRIBUTION,
}  # fmt: skip
SUMMARY_OF_PENGUINS = {
    "columns": ["id", "island"],
    "added": ["prediction", "probability_Adelie", "band", "error"],
    "preview": [["1", "Dream", "Adelie", "0.123456789", "Sure", ""], ["2", "Atlantis", "", "", "", "island: unknown"]],
    "errors": [{"row": 2, "line": 3, "error": "island: unknown"}],
    "notes": ["The file was read as Latin-1."],
    "distribution": DISTRIBUTION,
    "result": {"file": "output.csv", "size_bytes": 20_480},
}  # fmt: skip
FILE_OF_PENGUINS = (
    b"Island;Bill length;bill_depth_mm;flipper_length_mm;body_mass_g;sex\n"
    b"Dream;39,1;18,7;181;3750;male\nDream;abc;17,4;186;3800;female\nBiscoe;50,0;16,3;;5700;male\n"
)


def pages(prediction: Prediction, batches: dict[str, Batch]) -> dict[str, str]:
    return {
        "home": "/",
        "predict": "/models/penguins/",
        "predict-many-features": "/models/breast-cancer/",
        "example": f"/models/penguins/?example={prediction.version.examples.first().pk}",
        "answer": prediction.get_absolute_url(),
        "about": "/models/diabetes/about/",
        "new-batch": "/models/penguins/batch/",
        **{f"batch-{name}": batch.get_absolute_url() for name, batch in batches.items()},
        "history": "/history/",
        "history-nothing-matches": "/history/?text=nowhere",
        "history-bad-filter": "/history/?version=x",
        "password": "/password/",
        "not-found": "/nowhere/",
        "not-allowed": "/admin/accounts/user/",
    }


def make_batches(user: Any, version: ModelVersion) -> dict[str, Batch]:
    """One in each state that has a look of its own."""
    unknown = {"rows": None, "scored": None, "failed": None}
    started = {"attempt": 1, "execution_arn": "arn:x", "progress": PROGRESS_OF_PENGUINS}
    kinds: dict[str, dict[str, Any]] = {
        "done": {"state": "done_with_errors", "summary": SUMMARY_OF_PENGUINS, "rows": 2, "scored": 1, "failed": 1},
        "refused": {"state": "failed", "error": "The file has no rows.", "is_refused": True, "attempt": 1, **unknown},
        "failed": {"state": "failed", "error": "The job was interrupted before its end.", **unknown, **started},
        "cancelled": {
            "state": "cancelled", "rows": 2, "scored": 1, "failed": 1, **started,
            "summary": SUMMARY_OF_PENGUINS | {"partial": True, "notes": ["The result lacks lines 80 to 344."]},
        },
        "purged": {"state": "done", "purged_at": timezone.now()},
        "running": {"state": "running", **unknown, **started},
        "waiting": {"state": "uploading", **unknown},
        "look": {"state": "uploading", "file_name": "colony.csv", **unknown},
        "look-mended": {
            "state": "uploading", "chosen": {"columns": {"bill_length_mm": "Bill length"}}, **unknown
        },
    }  # fmt: skip
    made = {name: make_batch(user, version, **facts) for name, facts in kinds.items()}
    for name in ("look", "look-mended"):
        key = storage.batch_key(user.pk, made[name].pk, "input.csv")
        storage.put_file(key, io.BytesIO(FILE_OF_PENGUINS))
    return made


@pytest.fixture
def everything(
    loaded_site: str, page_as: PageAs, django_user_model: type, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    page_as(roles.PREDICTOR)
    user, version = (
        django_user_model.objects.get(username="predictor"),
        ModelVersion.objects.get(model__slug="penguins"),
    )
    # What runs stays as it is.
    monkeypatch.setattr(executions, "status", lambda arn, user_id, batch: BatchStatus("running"))
    monkeypatch.setattr(inference, "batch_progress", lambda job: dict(PROGRESS_OF_PENGUINS))
    row = dict(version.examples.first().row)
    shares = [["Adelie", 0.98], ["Chinstrap", 0.015], ["Gentoo", 0.005]]
    prediction = make_prediction(user, version, inputs=row, probabilities=shares, outcome="Adelie")
    shown = pages(prediction, make_batches(user, version))
    return {name: loaded_site + path for name, path in shown.items()}


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_page_has_nothing_for_axe_and_fits_its_window(
    everything: dict[str, str], page_as: PageAs, theme: str, width: str
):
    page, found = page_as(roles.PREDICTOR, theme=theme, width=width), {}

    for name, address in everything.items():
        page.goto(address)
        keep(page, f"{name}-{theme}-{width}")
        problems = violations(page) + (["wider than the window"] if is_too_wide(page) else [])
        found |= {name: problems} if problems else {}

    assert found == {}


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_sign_in_page_has_nothing_for_axe_also_with_an_error(site: str, page_as: PageAs, theme: str, width: str):
    page = page_as(None, theme=theme, width=width)
    page.goto(f"{site}/sign-in/")
    keep(page, f"sign-in-{theme}-{width}")
    before = violations(page)
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_be_visible()
    assert before + violations(page) == []


@pytest.mark.looks
def test_form_with_errors_has_nothing_for_axe(loaded_site: str, page_as: PageAs):
    page = page_as(roles.PREDICTOR)
    page.goto(f"{loaded_site}/models/diabetes/")
    page.locator("form.panel input[type=text]").first.fill("abc")

    page.get_by_role("button", name="Predict").click()

    expect(page.locator(".errorlist")).to_have_count(1)
    assert violations(page) == []


def test_predict_page_is_usable_by_keyboard_alone(loaded_site: str, page_as: PageAs):
    page = page_as(roles.PREDICTOR)
    page.goto(f"{loaded_site}/models/four-variables/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "INPUT":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("0.25")
    page.keyboard.press("Enter")
    page.wait_for_url("**/predictions/**")

    assert Prediction.objects.get().inputs["var_1"] == 0.25
