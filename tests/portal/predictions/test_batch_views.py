"""The pages of a batch: what they show in each state, who may press what; nothing asked for ends in nothing."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.accounts import roles
from portal.accounts.models import User
from portal.gateways.contract import BatchStatus
from portal.predictions.models import Batch
from tests.portal.factories import make_batch, make_user, make_version
from tests.portal.predictions.conftest import GOOD_LOOK, LOOK, PROGRESS, SUMMARY, UNKNOWN, BatchCloud, make

pytestmark = pytest.mark.django_db
BUTTONS = ["start_batch", "cancel_batch", "resume_batch", "collect_batch"]


def press(client: Client, button: str, batch: Batch, **posted: str) -> Any:
    return client.post(reverse(f"predictions:{button}", args=[batch.pk]), posted)


def page(client: Client, batch: Batch) -> str:
    return re.sub(r"\s+", " ", client.get(batch.get_absolute_url()).content.decode())


def test_page_of_a_file_that_has_arrived_shows_what_was_recognised(client: Client, ada: User, batches: BatchCloud):
    batches.look = LOOK

    shown = page(client, make(ada))

    assert "It cannot be scored as it stands.</strong> The column bill_length_mm is missing." in shown
    assert 'value="score" disabled aria-describedby="cannot"' in shown
    assert '<option value="bill" selected>bill</option>' in shown
    assert "suggested" in shown
    assert "Comma (found out)" in shown
    assert "The file was read as Latin-1." in shown


def test_page_of_a_file_that_can_be_scored_offers_to(client: Client, ada: User):
    shown = page(client, make(ada))

    assert "It can be scored." in shown
    assert "disabled" not in shown
    assert "Row 2, <code>bill_length_mm</code>: &#x27;abc&#x27; is not a number" in shown
    assert re.search(r'class="used is-wrong" title="[^"]*">abc', shown)


def test_looking_again_keeps_what_was_chosen_and_starts_nothing(client: Client, ada: User, batches: BatchCloud):
    batch = make(ada)

    response = press(client, "start_batch", batch, do="look", c0="bill", delimiter="semicolon")

    batch.refresh_from_db()
    assert response.headers["Location"] == batch.get_absolute_url()
    assert batch.chosen["columns"] == {"bill_length_mm": "bill"}
    assert batch.chosen["reading"]["delimiter"] == ";"
    assert batches.started == []


def test_scoring_sends_what_was_chosen_in_the_same_form(client: Client, ada: User, batches: BatchCloud):
    batch = make(ada)

    press(client, "start_batch", batch, do="score", decimal="comma", result="parquet")

    ((job, _),) = batches.started
    assert (job["reading"]["decimal"], job["result"]) == (",", "parquet")


def test_scoring_twice_starts_once_and_keeps_what_was_sent(client: Client, ada: User, batches: BatchCloud):
    batch = make(ada)

    for decimal in ("comma", "point"):
        press(client, "start_batch", batch, do="score", decimal=decimal)

    batch.refresh_from_db()
    assert len(batches.started) == 1
    assert batch.chosen["reading"]["decimal"] == ","


def test_scoring_a_file_that_cannot_be_says_why_on_its_page(client: Client, ada: User, batches: BatchCloud):
    batches.look = LOOK

    response = press(client, "start_batch", make(ada), do="score")

    assert response.status_code == 422
    assert b"The column bill_length_mm is missing." in response.content


def test_scoring_a_file_that_has_not_arrived_says_so(client: Client, ada: User, batches: BatchCloud):
    batches.input_bytes = None

    response = press(client, "start_batch", make(ada), do="score")

    assert response.status_code == 422
    assert b"The file has not arrived. Upload it again." in response.content


def test_page_of_a_file_that_nobody_can_look_at_says_so(client: Client, ada: User, batches: BatchCloud):
    batches.is_away = True

    response = client.get(make(ada).get_absolute_url())

    assert response.status_code == 503
    assert b"Nothing was scored yet" in response.content
    assert b"secret-host" not in response.content


def test_status_of_a_file_that_has_just_arrived_tells_the_page_to_load_anew(client: Client, ada: User):
    fragment = client.get(f"{make(ada).get_absolute_url()}?part=status").content.decode()

    assert 'data-phase="arrived"' in fragment


def test_page_of_a_running_batch_shows_how_far_it_is(client: Client, ada: User, batches: BatchCloud):
    batches.progress = PROGRESS

    shown = page(client, make(ada, "queued"))

    for words in ("<strong>Scoring</strong>", "25 %", "about 30 s left", "60 rows/s", "bill: no number", "Adelie"):
        assert words in shown
    assert "<title>25 % · penguins.csv · Portico</title>" in shown
    assert "data-tell" in shown


def test_page_of_a_running_batch_without_progress_is_shown_all_the_same(client: Client, ada: User):
    assert "Queued: it begins in a moment" in page(client, make(ada, "queued"))


def test_page_with_the_service_away_says_that_the_job_goes_on(client: Client, ada: User, batches: BatchCloud):
    batches.is_away = True

    response = client.get(make(ada, "running").get_absolute_url())

    assert response.status_code == 200
    assert b"The job itself goes on" in response.content


def test_page_of_a_done_batch_shows_result_format_and_size(client: Client, ada: User):
    summary = SUMMARY | {"result": {"file": "output.parquet", "size_bytes": 2048}}

    shown = page(client, make(ada, "done", summary=summary, job={"result": "parquet"}, rows=3, scored=3, failed=0))

    assert "Parquet, 2.0 KB" in shown
    assert "Done with errors" not in shown


def test_page_of_a_batch_with_bad_rows_is_told_apart(client: Client, ada: User):
    summary = SUMMARY | {"errors": [{"row": 2, "line": 3, "error": "bill: no number"}]}

    shown = page(client, make(ada, "done_with_errors", summary=summary, rows=3, scored=2, failed=1))

    assert 'tone-caution">Done with errors</span>' in shown
    assert re.search(r'<td class="number"><data[^>]*>3</data></td><td>bill: no number</td>', shown)


def test_page_of_a_failed_batch_says_why_and_offers_to_go_on(client: Client, ada: User):
    shown = page(client, make(ada, "failed", error="The job was interrupted.", progress=PROGRESS))

    assert "The job was interrupted." in shown
    assert ">Resume</button>" in shown
    assert ">Keep what is scored</button>" in shown
    assert "1</data> of" in shown


def test_page_of_a_partial_result_says_that_it_is_one(client: Client, ada: User):
    shown = page(
        client,
        make(ada, "cancelled", summary=SUMMARY | {"partial": True}, rows=3, scored=3, failed=0, progress=PROGRESS),
    )

    assert "The result is partial." in shown
    assert "Download the partial result" in shown


def test_page_of_a_purged_batch_says_so_and_offers_no_file(client: Client, ada: User):
    batch = make(ada, "done", summary=SUMMARY, rows=3, scored=3, failed=0, purged_at=timezone.now())

    shown = page(client, batch)

    assert "files of this model are kept for 30 days" in shown
    assert reverse("predictions:download", args=[batch.pk]) not in shown


@pytest.mark.parametrize("keep", ["", "yes"])
def test_cancel_stops_it_and_keeps_a_partial_result_where_wanted(
    client: Client, ada: User, batches: BatchCloud, keep: str
):
    batches.progress = PROGRESS
    batch = make(ada, "running", progress=PROGRESS)

    response = press(client, "cancel_batch", batch, keep=keep)

    batch.refresh_from_db()
    assert response.status_code == 302
    assert (batch.state, batch.is_partial) == ("cancelled", bool(keep))


def test_resume_goes_on_with_a_new_attempt(client: Client, ada: User, batches: BatchCloud):
    batch = make(ada, "failed", error="Interrupted.", job={"batch": "b"})

    press(client, "resume_batch", batch)

    batch.refresh_from_db()
    assert (batch.state, batch.attempt, len(batches.started)) == ("queued", 2, 1)


@pytest.mark.parametrize("button", BUTTONS)
def test_button_of_somebody_elses_batch_is_not_there_even_for_those_who_see_it(
    client: Client, batches: BatchCloud, button: str
):
    batch = make(make_user("bob"), "running")
    client.force_login(make_user("olga", roles.MODEL_OWNER))

    assert press(client, button, batch).status_code == 404
    assert batches.started == batches.stopped == []


@pytest.mark.parametrize("button", BUTTONS)
def test_button_is_not_for_viewers(client: Client, batches: BatchCloud, button: str):
    viewer = make_user("vera", roles.VIEWER)
    client.force_login(viewer)

    assert press(client, button, make(viewer, "running")).status_code == 403


def test_page_of_a_viewer_has_no_buttons(client: Client, batches: BatchCloud):
    viewer = make_user("vera", roles.VIEWER)
    client.force_login(viewer)

    shown = page(client, make(viewer))

    assert "Score the file" not in shown
    assert "Cancel the batch" not in shown


@pytest.mark.parametrize("button", BUTTONS)
def test_button_is_pressed_by_post_only(client: Client, ada: User, button: str):
    assert client.get(reverse(f"predictions:{button}", args=[make(ada).pk])).status_code == 405


def test_history_brings_the_first_unfinished_batches_up_to_date(client: Client, ada: User, batches: BatchCloud):
    version = make_version()
    for _ in range(7):
        make_batch(ada, version, state="running", execution_arn="arn:x", attempt=1, **UNKNOWN)
    batches.status = BatchStatus("done", summary=SUMMARY)

    client.get("/history/")

    assert Batch.objects.filter(state="done").count() == 5


def test_history_with_the_service_away_is_shown_all_the_same(client: Client, ada: User, batches: BatchCloud):
    make(ada, "running")
    batches.is_away = True

    assert client.get("/history/").status_code == 200


def test_queries_of_a_batchs_page_do_not_grow_with_its_file(
    client: Client, ada: User, batches: BatchCloud, django_assert_max_num_queries
):
    batch = make(ada, chosen={"columns": {"year": "year"}})
    batches.look = GOOD_LOOK | {"rows": [["1", "Dream", "2008"]] * 20, "columns": GOOD_LOOK["columns"] * 20}
    client.get("/")  # which notes the visit: that is done once in five minutes

    with django_assert_max_num_queries(9):
        client.get(batch.get_absolute_url())


@pytest.mark.parametrize("state", ["running", "done", "failed"])
def test_queries_of_a_batchs_page_are_few_in_every_state(
    client: Client, ada: User, batches: BatchCloud, django_assert_max_num_queries, state: str
):
    batch = make(ada, state, summary=SUMMARY if state == "done" else {}, progress=PROGRESS)
    batches.progress = PROGRESS
    client.get("/")  # which notes the visit: that is done once in five minutes

    with django_assert_max_num_queries(10):
        client.get(batch.get_absolute_url())


def test_queries_of_the_history_do_not_grow_with_its_batches(client: Client, ada: User, django_assert_max_num_queries):
    version = make_version()
    make_batch(ada, version)
    client.get("/history/")
    with CaptureQueriesContext(connection) as with_one:
        client.get("/history/")
    for _ in range(10):
        make_batch(ada, version)

    with django_assert_max_num_queries(len(with_one)):
        client.get("/history/")
