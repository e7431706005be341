"""Files from a person's disk to their results: looked at, mended, scored, stopped, gone on with."""

import contextlib
import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from portal.gateways import executions, inference
from portal.gateways.contract import BatchStatus
from portal.predictions.models import Batch
from tests.browser.conftest import PageAs, keep, load
from tests.closeness import nearly
from tests.portal.predictions.conftest import PROGRESS

pytestmark = pytest.mark.browser
IN_TIME_MS = 60_000


def read_exactly(path: Path) -> pd.DataFrame:
    """A CSV with every number as Python reads it, not as a faster parser approximates it."""
    table = pd.read_csv(path, dtype=str)
    for name in table.columns:
        with contextlib.suppress(ValueError):
            table[name] = table[name].map(float, na_action="ignore").astype(float)
    return table


def send(page: Page, site: str, slug: str, file: Path) -> None:
    """As far as the look at the file."""
    page.goto(f"{site}/models/{slug}/batch/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Send the file").click()
    page.wait_for_url(re.compile("/batches/"))


def score(page: Page) -> None:
    page.get_by_role("button", name="Score the file").click()
    expect(page.get_by_role("link", name="Download the result")).to_be_visible(timeout=IN_TIME_MS)


def executions_of(batch: Batch) -> int:
    """How many were started for it, by the service's own list."""
    machine = batch.execution_arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    listed = executions.client("stepfunctions").list_executions(stateMachineArn=machine, maxResults=1000)["executions"]
    return sum(str(batch.pk) in one["name"] for one in listed)


@pytest.mark.parametrize("slug", ["four-variables", "breast-cancer", "penguins", "diabetes"])
def test_batch_downloaded_is_the_file_with_scikit_learns_predictions(
    loaded_site: str, page_as: PageAs, samples: Path, slug: str
):
    page, model, given = page_as(), load(samples, slug), samples / slug / "to_score.csv"

    send(page, loaded_site, slug, given)
    keep(page, f"look-{slug}")
    score(page)
    keep(page, f"batch-{slug}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the result").click()

    assert download.value.suggested_filename == f"to_score_{slug}-v1_predictions.csv"
    result, before = read_exactly(download.value.path()), read_exactly(given)
    names = list(getattr(model, "feature_names_in_", [f"x{i}" for i in range(model.n_features_in_)]))
    assert list(result.columns[: len(before.columns)]) == list(before.columns)
    assert result.columns[-1] == "error"
    good = result["error"].isna()
    table = before[names][good]
    assert good.sum() > 50
    if slug != "diabetes":
        shares = result.loc[good, [f"probability_{name}" for name in model.classes_]]
        assert shares.to_numpy() == nearly(model.predict_proba(table))
    assert result.loc[good, "prediction"].tolist() == model.predict(table).tolist()


def test_batch_without_javascript_gets_its_result_too(loaded_site: str, page_as: PageAs, samples: Path):
    page = page_as(script=False)

    send(page, loaded_site, "penguins", samples / "penguins" / "to_score.csv")
    page.get_by_label("Result as").select_option("parquet")
    score(page)

    expect(page.get_by_text("Parquet").first).to_be_visible()


def test_columns_of_other_names_are_suggested_and_count_once_looked_at(
    loaded_site: str, page_as: PageAs, tmp_path: Path
):
    file = tmp_path / "colony.csv"
    file.write_text(
        "Island;Bill length;bill_depth_mm;flipper_length_mm;body_mass_g;sex\n"
        "Dream;39,1;18,7;181;3750;male\nDream;abc;17,4;186;3800;female\nBiscoe;50,0;16,3;230;5700;male\n"
    )
    page = page_as()

    send(page, loaded_site, "penguins", file)
    expect(page.get_by_text("It cannot be scored as it stands.")).to_be_visible()
    expect(page.get_by_role("button", name="Score the file")).to_be_disabled()
    keep(page, "look-suggested")
    page.get_by_role("button", name="Look again with these").click()
    expect(page.get_by_text("It can be scored.")).to_be_visible()
    keep(page, "look-mended")
    page.get_by_label("Missing values").press("Enter")
    expect(page.locator("h1 .band")).to_have_text("Not started")
    score(page)

    batch = Batch.objects.get()
    expect(page.locator("h1 .band")).to_have_text("Done with errors")
    expect(page.get_by_role("row", name=re.compile("^3 .*abc"))).to_be_visible()
    assert batch.chosen["columns"]["bill_length_mm"] == "Bill length"
    assert (batch.state, batch.scored, batch.failed) == ("done_with_errors", 2, 1)
    keep(page, "batch-done-with-errors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,island\n1,Dream\n", "bill_length_mm"),
        (b"island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex\n", "row"),
        (b"%PDF-1.7 nothing to see", "PDF"),
    ],
    ids=["missing columns", "header only", "not a table"],
)
def test_file_that_cannot_be_scored_says_why_before_anything_is_started(
    loaded_site: str, page_as: PageAs, tmp_path: Path, content: bytes, message: str
):
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    page = page_as()

    send(page, loaded_site, "penguins", file)

    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.get_by_role("button", name="Score the file")).to_be_disabled()
    assert Batch.objects.get().attempt == 0


def test_double_clicks_send_one_file_and_start_it_once(loaded_site: str, page_as: PageAs, samples: Path):
    page = page_as()
    page.goto(f"{loaded_site}/models/penguins/batch/")
    page.get_by_label("File", exact=True).set_input_files(samples / "penguins" / "to_score.csv")

    page.get_by_role("button", name="Send the file").dblclick()
    page.wait_for_url(re.compile("/batches/"))
    page.get_by_role("button", name="Score the file").dblclick()
    expect(page.get_by_role("link", name="Download the result")).to_be_visible(timeout=IN_TIME_MS)

    batch = Batch.objects.get()
    assert (batch.attempt, executions_of(batch)) == (1, 1)


def test_two_tabs_start_one_execution(loaded_site: str, page_as: PageAs, samples: Path):
    page = page_as()
    send(page, loaded_site, "penguins", samples / "penguins" / "to_score.csv")
    other = page.context.new_page()
    other.goto(page.url)

    score(page)
    score(other)

    batch = Batch.objects.get()
    assert (batch.attempt, executions_of(batch)) == (1, 1)


def test_batch_that_was_interrupted_says_so_and_goes_on_when_resumed(loaded_site: str, page_as: PageAs, samples: Path):
    page = page_as()
    send(page, loaded_site, "penguins", samples / "penguins" / "to_score.csv")
    batch = Batch.objects.get()
    # As after a restart of the emulator: it was under way, and nobody knows its execution.
    Batch.objects.filter(pk=batch.pk).update(
        state="running",
        attempt=1,
        job=batch.make_job(),
        execution_arn=f"{inference.settings.PORTICO_BATCH_STATE_MACHINE}".replace(":stateMachine:", ":execution:")
        + ":lost",
    )

    page.reload()
    expect(page.get_by_text("The job was interrupted before its end")).to_be_visible()
    keep(page, "batch-interrupted")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("link", name="Download the result")).to_be_visible(timeout=IN_TIME_MS)

    batch.refresh_from_db()
    assert (batch.attempt, executions_of(batch)) == (2, 1)


@pytest.fixture
def running(loaded_site: str, page_as: PageAs, samples: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page of a batch that stays where it is, as long as nobody stops it."""
    page = page_as()
    send(page, loaded_site, "penguins", samples / "penguins" / "to_score.csv")
    stopped: list[str] = []
    monkeypatch.setattr(executions, "start", lambda job, attempt: "arn:x")
    monkeypatch.setattr(executions, "stop", stopped.append)
    monkeypatch.setattr(
        executions, "status", lambda arn, user_id, batch: BatchStatus("failed" if stopped else "running", error="no")
    )
    monkeypatch.setattr(inference, "batch_progress", lambda job: dict(PROGRESS))
    page.get_by_role("button", name="Score the file").click()
    expect(page.get_by_text("about 30 s left")).to_be_visible()
    return page


def test_running_batch_shows_how_far_it_is_in_its_title_too(running: Page):
    keep(running, "batch-under-way")

    expect(running).to_have_title(re.compile("^25 % · to_score.csv"))
    expect(running.get_by_text("bill: no number")).to_be_visible()
    expect(running.get_by_text("60 rows/s")).to_be_visible()


def test_running_batch_is_cancelled_after_a_second_thought(running: Page):
    running.get_by_text("Cancel…").click()
    keep(running, "batch-cancel")
    running.get_by_role("button", name="Cancel the batch").click()

    expect(running.get_by_text("This batch was cancelled.")).to_be_visible()
    expect(running.get_by_role("button", name="Resume")).to_be_visible()
    expect(running.get_by_role("button", name="Keep what is scored")).to_be_visible()
    keep(running, "batch-cancelled")


def test_batch_not_started_yet_is_called_off(loaded_site: str, page_as: PageAs, samples: Path):
    page = page_as()
    send(page, loaded_site, "penguins", samples / "penguins" / "to_score.csv")

    page.get_by_text("Cancel…").click()
    page.get_by_role("button", name="Cancel the batch").click()

    expect(page.get_by_text("Nothing was scored.")).to_be_visible()
    assert Batch.objects.get().state == "cancelled"


def test_note_is_given_at_the_end_to_those_who_asked_for_it(running: Page, monkeypatch: pytest.MonkeyPatch):
    running.context.grant_permissions(["notifications"])
    running.evaluate(
        "() => { window.Notification = class extends EventTarget {"
        " static permission = 'granted'; static requestPermission() { return Promise.resolve('granted'); }"
        " constructor(title, { body }) { super(); sessionStorage.note = `${title}: ${body}`; } } }"
    )

    running.get_by_role("button", name="Tell me when it is done").click()
    expect(running.get_by_text("as long as this tab stays open")).to_be_visible()
    monkeypatch.setattr(executions, "status", lambda arn, user_id, batch: BatchStatus("failed", error="It stopped."))

    expect(running.get_by_text("It stopped.")).to_be_visible()
    assert running.evaluate("sessionStorage.note") == "to_score.csv: It was not scored. The page says why."


def test_queued_batch_is_read_out_stage_by_stage(running: Page):
    expect(running.locator("[data-said]")).to_have_text("Scoring")
    expect(running.get_by_role("heading", level=1)).to_have_text("to_score.csv Running")
