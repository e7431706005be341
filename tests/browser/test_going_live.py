"""Going live, rolling back and archiving in Chromium, with versions that the real functions answer."""

import uuid
from pathlib import Path

import joblib
import pandas
import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from portal.accounts import roles
from portal.gateways import inference
from portal.gateways.contract import Replay
from portal.registry import actions
from portal.registry.models import Model, ModelVersion
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations
from tests.browser.test_console import open_everything
from tests.portal.factories import make_model

pytestmark = pytest.mark.browser


@pytest.fixture
def successor(site: str, samples: Path, tmp_path: Path) -> ModelVersion:
    """A ready version, fitted on so few penguins that it answers otherwise here and there than the live one before it.

    Its model is one of its own: the bucket outlives the test, and a version's place in it is given away once.
    """
    model = make_model(f"penguins-{uuid.uuid4().hex[:8]}", name="Palmer penguins")
    sample = samples / "penguins" / "model.joblib"
    actions.make_live(_upload(model, sample), by=model.created_by)
    fitted, path = joblib.load(sample), tmp_path / "model.joblib"
    training = pandas.read_csv(samples / "penguins" / "training.csv").sample(25, random_state=3)
    joblib.dump(fitted.fit(training[list(fitted.feature_names_in_)], training["species"]), path)
    return _upload(model, path)


def _upload(model: Model, path: Path) -> ModelVersion:
    with path.open("rb") as file:
        version = actions.upload_version(model, file, file_name=path.name, by=model.created_by)
    actions.check(version, by=model.created_by)
    assert version.has_passed, version.refusals
    return version


def problems(page: Page) -> list[str]:
    return violations(page) + (["wider than the window"] if is_too_wide(page) else [])


def confirm_address(site: str, version: ModelVersion) -> str:
    return site + reverse("admin:registry_modelversion_live", args=[version.pk])


@pytest.mark.looks
def test_side_by_side_has_nothing_for_axe_in_any_look(site: str, successor: ModelVersion, page_as: PageAs):
    found = {}

    for theme, width in LOOKS:
        page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
        page.goto(confirm_address(site, successor))
        keep(page, f"side-by-side-{theme}-{width}")
        expect(page.get_by_role("img", name="rows keep their answer; the largest move is")).to_be_visible()
        open_everything(page)
        keep(page, f"side-by-side-table-{theme}-{width}")
        found |= {(theme, width): problems(page)} if problems(page) else {}

    assert found == {}


def test_version_goes_live_is_rolled_back_with_one_click_and_archived(
    site: str, successor: ModelVersion, page_as: PageAs
):
    page = page_as(roles.MODEL_OWNER)
    page.goto(confirm_address(site, successor))

    page.get_by_role("button", name="Make version 2 live").click()
    expect(page.get_by_text("made live by model-owner")).to_be_visible()
    page.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_text("version 1 of Palmer penguins is live again, in place of version 2.")).to_be_visible()
    keep(page, "rolled-back")
    page.get_by_role("link", name="Version 2").first.click()
    page.get_by_text("Archive this version").click()
    expect(page.get_by_role("button", name="Archive version 2 for good")).to_be_visible()
    keep(page, "archive")
    page.get_by_role("button", name="Archive version 2 for good").click()

    expect(page.get_by_text("Version 2 of Palmer penguins is archived.")).to_be_visible()
    expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    open_everything(page)
    keep(page, "archived")
    assert problems(page) == []


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_rows_that_moved_are_shown_and_the_old_version_stays(
    site: str,
    successor: ModelVersion,
    page_as: PageAs,
    monkeypatch: pytest.MonkeyPatch,
    theme: str,
    width: str,
):
    first, second, *rest = successor.manifest["golden"]
    other = {**first["prediction"], "probabilities": first["prediction"]["probabilities"][::-1]}
    moved = [
        {"row": first["row"], "before": first["prediction"], "now": other, "error": None},
        {"row": second["row"], "before": second["prediction"], "now": None, "error": "The model raised ValueError."},
    ]
    monkeypatch.setattr(inference, "replay", lambda **asked: Replay(len(rest) + 2, moved))
    page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
    page.goto(confirm_address(site, successor))

    page.get_by_role("button", name="Make version 2 live").click()

    expect(page.get_by_role("heading", name="Rows that are answered otherwise")).to_be_visible()
    keep(page, f"rows-moved-{theme}-{width}")
    assert problems(page) == []
    assert successor.model.live_version.number == 1
