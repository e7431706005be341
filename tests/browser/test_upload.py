"""The way of a model from a file on somebody's disk to its report, in headless Chromium."""

import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from portal.accounts import roles
from portal.gateways import inference
from portal.registry import states
from portal.registry.models import ModelVersion
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations

pytestmark = pytest.mark.browser
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500 * 1024}


class Hostile:
    """Unpickled, it would run a program."""

    def __reduce__(self) -> Any:
        return eval, ("__import__('os').system('true')",)


@pytest.fixture
def hostile_file(tmp_path: Path) -> Path:
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(Hostile()))
    return file


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """Sent slowly it gives time to look at the progress; no model at all."""
    file = tmp_path / "forest.joblib"
    file.write_bytes(b"not a model " * 500_000)
    return file


def choose(page: Page, site: str, file: Path, name: str) -> None:
    page.goto(site + reverse("admin:registry_model_upload"))
    page.get_by_label("Model file").set_input_files(file)
    page.get_by_label("Name", exact=True).fill(name)


def open_folds(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach(part => { part.open = true })")


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_upload_of_a_sample_shows_the_stages_and_ends_with_the_report(
    site: str, page_as: PageAs, samples: Path, theme: str, width: str
):
    page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.method} {request.resource_type} {request.url}"))
    choose(page, site, samples / "penguins" / "model.joblib", "Penguins")

    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("Loading it in the sandbox and trying it out")).to_be_visible()
    keep(page, f"upload-stages-{theme}-{width}")
    expect(page.get_by_role("heading", name="What the check found")).to_be_visible(timeout=60_000)
    open_folds(page)
    keep(page, f"upload-report-{theme}-{width}")

    assert ModelVersion.objects.get().state == states.READY
    assert any(line.startswith("POST xhr") and not line.endswith("/upload/") for line in requests)  # to the bucket
    assert violations(page) == []
    assert not is_too_wide(page)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_upload_being_tried_shows_what_the_scan_found(
    site: str, page_as: PageAs, samples: Path, monkeypatch: pytest.MonkeyPatch, theme: str, width: str
):
    page, seen = page_as(roles.MODEL_OWNER, theme=theme, width=width), threading.Event()
    verify = inference.verify

    def verify_once_seen(**given: Any) -> Any:
        assert seen.wait(30)
        return verify(**given)

    monkeypatch.setattr(inference, "verify", verify_once_seen)
    choose(page, site, samples / "penguins" / "model.joblib", "Penguins")

    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("all of them on the list of what a model may use")).to_be_visible(timeout=20_000)
    keep(page, f"upload-trying-{theme}-{width}")
    found = violations(page) + (["wider than the window"] if is_too_wide(page) else [])
    said = page.locator("[data-said]").text_content()
    seen.set()

    expect(page.get_by_role("heading", name="What the check found")).to_be_visible(timeout=60_000)
    assert said == "Loading it in the sandbox and trying it out"
    assert found == []


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_upload_of_a_hostile_file_ends_with_the_reasons(
    site: str, page_as: PageAs, hostile_file: Path, theme: str, width: str
):
    page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
    choose(page, site, hostile_file, "Innocent")

    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("It was rejected and cannot be made live.")).to_be_visible(timeout=60_000)
    open_folds(page)
    keep(page, f"upload-refused-{theme}-{width}")

    assert ModelVersion.objects.get().state == states.REJECTED
    assert violations(page) == []
    assert not is_too_wide(page)


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_upload_under_way_tells_how_far_it_is_and_can_be_stopped(
    site: str, page_as: PageAs, large_file: Path, theme: str, width: str
):
    page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
    choose(page, site, large_file, "Forest")
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)

    page.get_by_role("button", name="Upload and check").click()
    expect(page.locator("[data-figures]")).to_contain_text("left")
    figures = page.locator("[data-figures]").inner_text()
    keep(page, f"upload-progress-{theme}-{width}")
    found = violations(page)
    page.get_by_role("button", name="Stop the upload").click()

    expect(page.get_by_text("Stopped. Nothing was kept.")).to_be_visible()
    assert " of 5.7 MB, " in figures and " %, about " in figures
    assert found == []
    assert not ModelVersion.objects.exists()


def test_upload_whose_connection_breaks_says_so_and_goes_through_the_second_time(
    site: str, page_as: PageAs, hostile_file: Path
):
    page, broken = page_as(roles.MODEL_OWNER), []

    def break_once(route: Route) -> None:
        if broken or route.request.resource_type != "xhr":
            route.continue_()
        else:
            broken.append(route.request.url)
            route.abort("connectionreset")

    page.route("**/*", break_once)
    choose(page, site, hostile_file, "Second try")
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("The connection broke, and nothing was kept.")).to_be_visible()
    page.get_by_role("button", name="Upload and check").click()

    expect(page.get_by_text("It was rejected and cannot be made live.")).to_be_visible(timeout=60_000)
    assert len(broken) == 1
    assert ModelVersion.objects.count() == 1


def test_upload_without_script_is_checked_by_a_button(site: str, page_as: PageAs, samples: Path):
    page = page_as(roles.MODEL_OWNER, script=False)
    choose(page, site, samples / "diabetes" / "model.joblib", "Diabetes")

    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", name="It was uploaded and waits for its check")).to_be_visible()
    keep(page, "upload-no-script")
    page.get_by_role("button", name="Check it now").click()

    expect(page.get_by_role("heading", name="What the check found")).to_be_visible(timeout=60_000)


def test_version_opened_in_two_tabs_is_checked_once(site: str, page_as: PageAs, samples: Path):
    page = page_as(roles.MODEL_OWNER)
    no_script = page_as(roles.MODEL_OWNER, script=False)
    choose(no_script, site, samples / "diabetes" / "model.joblib", "Diabetes")
    no_script.get_by_role("button", name="Upload and check").click()
    expect(no_script.get_by_role("button", name="Check it now")).to_be_visible()
    other = page.context.new_page()

    for tab in (page, other):
        tab.goto(no_script.url, wait_until="commit")

    for tab in (page, other):
        expect(tab.get_by_role("heading", name="What the check found")).to_be_visible(timeout=60_000)
    assert ModelVersion.objects.get().events.filter(did="passed the check").count() == 1


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_token_is_made_and_taken_back_on_its_page(site: str, page_as: PageAs, theme: str, width: str):
    page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
    page.goto(site + reverse("accounts:tokens"))

    page.get_by_label("Name").fill("nightly training")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("“nightly training” was made.")).to_be_visible()
    keep(page, f"tokens-{theme}-{width}")
    found = violations(page) + (["wider than the window"] if is_too_wide(page) else [])
    page.get_by_role("button", name="Take “nightly training” back").click()

    expect(page.get_by_text("There is none.")).to_be_visible()
    assert found == []
