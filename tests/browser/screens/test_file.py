"""The published page's screens of a file and of its job, against played doors."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import is_too_wide, keep, violations
from tests.browser.screens.conftest import OpenSite
from tests.browser.screens.played import JOB, ORIGIN, SUB, PlayedSite

pytestmark = [pytest.mark.browser, pytest.mark.looks, pytest.mark.django_db]
FILE = {"name": "birds.csv", "mimeType": "text/csv", "buffer": b"bill_length_mm,island\n44.5,Dream\n"}
LINK = f"{ORIGIN}/bucket/result.csv"


class PlayedJob:
    """A job of the API that says one state after another, the last for ever."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)
        self.is_cancelled = False

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "POST":
            return 202, {"job": JOB, "status": "queued", "statusUrl": f"https://elsewhere.example/{path}/{JOB}"}
        if method == "DELETE":
            self.states = [state("cancelled")]
            return 204, None
        return 200, self.states.pop(0) if len(self.states) > 1 else self.states[0]


def state(status: str, **facts: Any) -> dict[str, Any]:
    return {
        "job": JOB, "status": status, "fileName": "colony.csv", "model": "penguins", "version": 1,
        "rows": 0, "scored": 0, "failed": 0, "parts": 0, "partsDone": 0, "errors": [],
        "distribution": {"classes": None, "histogram": None, "bands": None},
    } | facts  # fmt: skip


RUNNING = state("running", rows=1200, scored=1190, failed=10, parts=4, partsDone=1)
SPREAD = {
    "classes": [["Adelie", 2379], ["Gentoo", 1000]],
    "histogram": {"of": "probability of Gentoo", "edges": [0.0, 0.5, 1.0], "counts": [2379, 1000]},
    "bands": [["Good result", 2379], ["Bad result", 1000]],
}
DONE = state("done", rows=3400, scored=3400, parts=4, partsDone=4, bucket="b", downloadLink=LINK, distribution=SPREAD)
DONE_WITH_ERRORS = DONE | {
    "status": "done with errors", "scored": 3379, "failed": 21,
    "errors": [{"line": n, "error": f"island: {n} is unknown"} for n in range(2, 22)],
}  # fmt: skip


def choose(page: Page, **changes: Any) -> None:
    page.get_by_label("File", exact=True).set_input_files([FILE | changes])
    page.get_by_role("button", name="Score the file").click()


def test_file_is_sent_scored_and_its_result_downloaded(open_site: OpenSite, played: PlayedSite):
    played.api = PlayedJob(state("queued"), state("planning"), RUNNING, DONE_WITH_ERRORS)
    page = open_site("#/penguins/file")

    choose(page)

    page.wait_for_url(f"**/#/penguins/file/{JOB}")
    expect(page.get_by_role("heading", name="birds.csv")).to_be_focused()
    expect(page.get_by_text("Done with errors").first).to_be_visible(timeout=15_000)
    expect(page.locator(".counts")).to_contain_text("3\u202f379 rows scored")
    expect(page.locator(".counts")).to_contain_text("21 not scored")
    expect(page.get_by_role("region", name="In words").locator("td.number")).to_have_text(["2\u202f379", "1\u202f000"])
    expect(page.get_by_role("img", name="most rows (2379) lie between 0 and 0.5")).to_be_visible()
    expect(page.locator(".errors tbody tr")).to_have_count(20)
    expect(page.get_by_text("The first 20 of 21.")).to_be_visible()
    assert played.uploads == {f"{SUB}/1_birds.csv": FILE["buffer"]}
    method, path, body = played.calls[0]
    assert (method, path) == ("POST", "penguins/batchPrediction")
    bands = [{"upper": 0.5, "label": "Good result"}, {"upper": None, "label": "Bad result"}]
    assert body == {"fileKey": f"{SUB}/1_birds.csv", "bands": bands}
    assert played.headers[0]["prefer"] == "respond-async"
    assert len(played.headers[0]["idempotency-key"]) == 36

    played.objects["result.csv"] = {"this is": "the result"}
    with page.expect_request(LINK):
        page.get_by_role("button", name="Download the result").click()


def test_job_is_found_again_after_a_reload(open_site: OpenSite, played: PlayedSite):
    played.api = PlayedJob(RUNNING)
    page = open_site("#/penguins/file")
    choose(page)
    expect(page.get_by_text("1 of 4 parts")).to_be_visible()

    page.reload()

    expect(page.get_by_role("heading", name="birds.csv")).to_be_visible()
    expect(page.get_by_text("1 of 4 parts")).to_be_visible()
    expect(page).to_have_title("25 % · birds.csv · Portico")


def test_job_that_the_service_loses_sight_of_for_a_moment_is_followed_on(open_site: OpenSite, played: PlayedSite):
    job, is_away = PlayedJob(RUNNING), [False, True, True, False]
    played.api = lambda *asked: (
        (503, {"message": "Step Functions does not answer."}) if is_away and is_away.pop(0) else job(*asked)
    )
    page = open_site(f"#/penguins/file/{JOB}")
    expect(page.get_by_text("Step Functions does not answer. The job itself goes on.")).to_be_visible()

    job.states = [DONE]

    expect(page.locator("h1 .band")).to_have_text("Done", timeout=15_000)
    expect(page.get_by_text("The job itself goes on.")).to_be_hidden()


def test_job_is_cancelled(open_site: OpenSite, played: PlayedSite):
    played.api = PlayedJob(RUNNING)
    page = open_site(f"#/penguins/file/{JOB}")

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("This batch was cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    assert ("DELETE", f"penguins/batchPrediction/{JOB}", None) in played.calls


def test_job_that_failed_says_why(open_site: OpenSite, played: PlayedSite):
    played.api = PlayedJob(state("failed", message="The column island is missing."))

    page = open_site(f"#/penguins/file/{JOB}")

    expect(page.get_by_text("This file was not scored. The column island is missing.")).to_be_visible()
    expect(page.get_by_role("link", name="Score another file")).to_be_visible()


def test_job_of_nobody_says_so(open_site: OpenSite, played: PlayedSite):
    played.api = lambda *asked: (404, {"message": "There is no job of that id, or it is not yours."})

    page = open_site(f"#/penguins/file/{JOB}")

    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_job_that_cannot_be_asked_after_may_be_asked_for_again(open_site: OpenSite, played: PlayedSite):
    played.api = lambda *asked: (503, {"message": "Step Functions does not answer."})
    page = open_site(f"#/penguins/file/{JOB}")
    expect(page.get_by_text("Step Functions does not answer.")).to_be_visible()
    played.api = PlayedJob(DONE)

    page.get_by_role("button", name="Try again").click()

    expect(page.locator("h1 .band")).to_have_text("Done")


@pytest.mark.parametrize(("name", "words"), [("birds.pdf", "Choose a file in CSV."), ("", "Choose a file first.")])
def test_file_that_cannot_be_scored_is_refused_before_it_is_sent(
    open_site: OpenSite, played: PlayedSite, name: str, words: str
):
    page = open_site("#/penguins/file")

    if name:
        choose(page, name=name)
    else:
        page.get_by_role("button", name="Score the file").click()

    expect(page.get_by_role("alert")).to_have_text(words)
    assert (played.uploads, played.calls) == ({}, [])


def test_file_that_the_api_refuses_is_not_sent_twice_and_asked_for_as_the_same_job(
    open_site: OpenSite, played: PlayedSite
):
    answers = iter([(503, {"message": "Step Functions does not answer."})])
    job = PlayedJob(DONE)
    played.api = lambda *asked: next(answers, None) or job(*asked)
    page = open_site("#/penguins/file")
    choose(page)
    expect(page.get_by_role("alert")).to_have_text("Step Functions does not answer.")
    played.uploads.clear()

    page.get_by_role("button", name="Score the file").click()

    page.wait_for_url(f"**/#/penguins/file/{JOB}")
    assert played.uploads == {}
    assert played.headers[0]["idempotency-key"] == played.headers[1]["idempotency-key"]


def test_upload_is_stopped(open_site: OpenSite, played: PlayedSite):
    played.is_upload_stuck = True
    page = open_site("#/penguins/file")
    choose(page)
    expect(page.locator("[data-progress-label]")).to_have_text("Uploading, 25 %")

    page.get_by_role("button", name="Stop the upload").click()

    expect(page.get_by_role("alert")).to_have_text("The upload was stopped. Nothing was scored.")
    expect(page.get_by_role("button", name="Score the file")).to_be_enabled()
    assert played.calls == []


def test_file_that_is_dropped_is_chosen(open_site: OpenSite, played: PlayedSite):
    played.api = PlayedJob(DONE)
    page = open_site("#/penguins/file")
    dropped = page.evaluate_handle(
        "() => { const all = new DataTransfer(); all.items.add(new File(['x'], 'dropped.csv')); return all; }"
    )

    page.dispatch_event(".drop-zone", "drop", {"dataTransfer": dropped})
    page.get_by_role("button", name="Score the file").click()

    expect(page.get_by_role("heading", name="dropped.csv")).to_be_visible()


def test_template_has_the_columns_and_the_examples(open_site: OpenSite):
    page = open_site("#/penguins/file")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download a file to start from").click()

    text = Path(download.value.path()).read_text("utf-8")
    assert download.value.suggested_filename == "penguins.csv"
    assert list(csv.DictReader(io.StringIO(text))) == [{"bill_length_mm": "50.5", "island": "Biscoe", "year": "2008"}]


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
@pytest.mark.parametrize("job", [RUNNING, DONE_WITH_ERRORS, state("failed", message="It has no rows.")])
def test_job_has_nothing_for_axe_and_fits_its_window(
    open_site: OpenSite, played: PlayedSite, theme: str, width: int, job: dict[str, Any]
):
    played.api = PlayedJob(job)

    page = open_site(f"#/penguins/file/{JOB}", theme=theme, width=width)

    expect(page.get_by_role("heading", name="colony.csv")).to_be_visible()
    keep(page, f"site-job-{job['status'].split()[-1]}-{theme}-{width}")
    assert violations(page) == []
    assert not is_too_wide(page)
