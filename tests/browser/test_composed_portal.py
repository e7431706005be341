"""The portal that docker-compose serves, in a browser on the host: sign-in, a prediction, a file, their history."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import keep
from tests.conftest import TARGET

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(TARGET != "localstack", reason="asks docker-compose's stack: make test-compose"),
]


@pytest.fixture
def page(browser, compose):
    """Signed in as the first administrator, with the password that the log said once."""
    said = compose.run("logs", "--no-color", "portal")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{compose.portal_url}/")
    keep(page, "compose-sign-in")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(re.search(r"Password +(\S+)", said).group(1))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Palmer penguins").first).to_be_visible()
    yield page
    context.close()


def test_prediction_of_an_example_shows_its_answer(page, compose):
    page.goto(f"{compose.portal_url}/models/penguins/")
    page.locator(".examples a").first.click()
    page.get_by_role("button", name="Predict").click()

    expect(page.locator(".outcome")).to_be_visible(timeout=60_000)
    keep(page, "compose-result")


def test_file_goes_straight_to_the_bucket_and_comes_back_scored(page, compose, samples: Path):
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.goto(f"{compose.portal_url}/models/penguins/batch/")

    page.get_by_label("File", exact=True).set_input_files(samples / "penguins" / "to_score.csv")
    page.get_by_role("button", name="Send the file").click()
    page.wait_for_url(re.compile("/batches/"))
    page.get_by_role("button", name="Score the file").click(timeout=60_000)
    expect(page.get_by_role("link", name="Download the result")).to_be_visible(timeout=90_000)
    keep(page, "compose-batch")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the result").click()

    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert any(url.startswith(f"{compose.aws_url}/") for url in posted), posted
    assert len(rows) > 50
    assert {"prediction", "error"} <= set(rows[0])
    page.goto(f"{compose.portal_url}/history/")
    expect(page.get_by_text("to_score.csv").first).to_be_visible()
    keep(page, "compose-history")


def test_console_of_the_composed_portal_lists_the_samples(page, compose):
    page.goto(f"{compose.portal_url}/admin/")
    page.goto(f"{compose.portal_url}/admin/registry/model/")

    expect(page.get_by_role("link", name="Palmer penguins").first).to_be_visible()
    keep(page, "compose-console")
