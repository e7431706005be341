"""Every page in both themes, at a desk and on a phone: nothing for axe-core, nothing to scroll sideways."""

import pytest

from portal.accounts import roles
from portal.predictions.models import Batch, Prediction
from portal.registry.models import ModelVersion
from tests.browser.conftest import PageAs, is_too_wide, keep, violations
from tests.portal.factories import make_batch, make_prediction

pytestmark = pytest.mark.browser
LOOKS = [("light", "desk"), ("dark", "desk"), ("light", "phone"), ("dark", "phone")]


def pages(prediction: Prediction, done: Batch, failed: Batch, running: Batch) -> dict[str, str]:
    return {
        "home": "/",
        "predict": "/models/penguins/",
        "predict-many-features": "/models/breast-cancer/",
        "example": f"/models/penguins/?example={prediction.version.examples.first().pk}",
        "answer": prediction.get_absolute_url(),
        "about": "/models/diabetes/about/",
        "new-batch": "/models/penguins/batch/",
        "batch-done": done.get_absolute_url(),
        "batch-failed": failed.get_absolute_url(),
        "batch-running": running.get_absolute_url(),
        "history": "/history/",
        "history-nothing-matches": "/history/?text=nowhere",
        "history-bad-filter": "/history/?version=x",
        "password": "/password/",
        "not-found": "/nowhere/",
        "not-allowed": "/admin/accounts/user/",
    }


@pytest.fixture
def everything(loaded_site: str, page_as: PageAs, django_user_model: type) -> dict[str, str]:
    page_as(roles.PREDICTOR)
    user, version = (
        django_user_model.objects.get(username="predictor"),
        ModelVersion.objects.get(model__slug="penguins"),
    )
    row = dict(version.examples.first().row)
    shares = [["Adelie", 0.98], ["Chinstrap", 0.015], ["Gentoo", 0.005]]
    prediction = make_prediction(user, version, inputs=row, probabilities=shares, outcome="Adelie")
    summary = {
        "columns": ["id", "island"],
        "added": ["prediction", "probability_Adelie", "error"],
        "preview": [["1", "Dream", "Adelie", "0.123456789", ""], ["2", "Atlantis", "", "", "island: unknown"]],
        "errors": [{"row": 2, "error": "island: unknown"}],
        "notes": ["The file was read as Latin-1."],
        "distribution": {
            "classes": [["Adelie", 1]],
            "histogram": {"of": "probability of Gentoo", "edges": [0, 0.5, 1], "counts": [1, 0]},
        },
    }
    done = make_batch(user, version, summary=summary, rows=2, scored=1, failed=1)
    failed = make_batch(
        user, version, state="failed", error="The file has no rows.", rows=None, scored=None, failed=None
    )
    running = make_batch(user, version, state="uploading", rows=None, scored=None, failed=None)
    return {name: loaded_site + path for name, path in pages(prediction, done, failed, running).items()}


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

    assert page.get_by_role("alert").is_visible()
    assert before + violations(page) == []


@pytest.mark.looks
def test_form_with_errors_has_nothing_for_axe(loaded_site: str, page_as: PageAs):
    page = page_as(roles.PREDICTOR)
    page.goto(f"{loaded_site}/models/diabetes/")
    page.locator("form.panel input[type=text]").first.fill("abc")

    page.get_by_role("button", name="Predict").click()

    assert page.locator(".errorlist").count() == 1
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
