"""Jobs that the API has started, in the portal's history: followed to their end, handed out, and never touched."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import BackendAway
from portal.gateways import executions, storage
from portal.gateways.contract import BatchStatus
from portal.predictions import actions
from portal.predictions.models import Batch
from tests.portal.captured import ADA
from tests.portal.factories import make_batch, make_user, make_version
from tests.portal.predictions.conftest import PROGRESS, SUMMARY, UNKNOWN, BatchCloud

pytestmark = pytest.mark.django_db
GIVEN, OTHER, RESULT = (f"{ADA['sub']}/{name}" for name in ("1_colony.csv", "2_x.csv", "2_x_predictions.csv"))
CELL = "Zürich-4711"
QUOTING = SUMMARY | {"preview": [[CELL]], "errors": [{"row": 1, "line": 2, "error": f"'{CELL}' is not a number"}]}


def make_job(user: User, **facts: Any) -> Batch:
    given = {"file_name": "colony.csv", "size_bytes": 0, "state": "queued", "source": "program", "owner": ADA["sub"]}
    return make_batch(user, make_version(), **(given | UNKNOWN | {"attempt": 1, "call_id": "c-1"} | facts))


@pytest.fixture
def told(batches: BatchCloud, monkeypatch: pytest.MonkeyPatch, settings: Any) -> dict[str, Any]:
    """What job.json says."""
    settings.PORTICO_BATCH_STATE_MACHINE = "arn:aws:states:us-east-1:1:stateMachine:portico"
    document = {
        "created": timezone.now().timestamp() - 3600,
        "file_key": "ada/1_colony.csv",
        "wishes": {"result": "csv"},
    }
    kept: dict[str, Any] = {"job.json": document}
    monkeypatch.setattr(storage, "get_json", lambda key: kept.get(key.rpartition("/")[2]))
    return kept


def follow(batch: Batch, **how: Any) -> Batch:
    actions.refresh_batch(batch, **how)
    return Batch.objects.get(pk=batch.pk)


def test_job_is_found_by_what_the_api_has_kept_of_it(told: dict[str, Any], batches: BatchCloud):
    batch = make_job(make_user())

    found = follow(batch)

    created = int(told["job.json"]["created"])
    assert found.execution_arn == f"arn:aws:states:us-east-1:1:execution:portico:api-{batch.pk}-{created}"
    assert (found.job["user"], found.job["batch"], found.job["source"]) == (
        ADA["sub"],
        str(batch.pk),
        "ada/1_colony.csv",
    )
    assert batches.started == []


def test_job_under_way_shows_how_far_it_is(told: dict[str, Any], batches: BatchCloud):
    batches.progress = PROGRESS

    found = follow(make_job(make_user()))

    assert (found.state, found.progress["rows"]) == ("running", 600)


def test_job_that_is_done_has_its_counts_and_its_result(told: dict[str, Any], batches: BatchCloud):
    batches.status = BatchStatus("done", summary=SUMMARY)

    found = follow(make_job(make_user()))

    assert (found.state, found.rows, found.has_result) == ("done", 3, True)


def test_job_of_a_model_that_keeps_outputs_only_keeps_no_cell(told: dict[str, Any], batches: BatchCloud):
    batches.status, batches.progress = BatchStatus("done", summary=QUOTING), PROGRESS | {"errors": QUOTING["errors"]}

    found = follow(make_job(make_user(), is_without_values=True, file_name=""))

    kept = f"{found.summary} {found.progress} {found.job} {found.error}"
    assert found.scored == 3
    assert CELL not in kept and "colony" not in kept


def test_job_that_failed_says_why_unless_that_is_not_to_be_kept(told: dict[str, Any], batches: BatchCloud):
    batches.status = BatchStatus("failed", error=f"'{CELL}' is no column.", is_refused=True)
    ada = make_user()

    open_about_it = follow(make_job(ada))
    silent = make_batch(
        ada, open_about_it.version, state="queued", source="page", owner=ADA["sub"], is_without_values=True
    )
    silent = follow(silent)

    assert (open_about_it.state, open_about_it.error) == ("failed", f"'{CELL}' is no column.")
    assert silent.state == "failed" and "not kept" in silent.error and CELL not in silent.error


def test_job_that_its_caller_has_cancelled_is_cancelled(told: dict[str, Any], batches: BatchCloud):
    batches.status = BatchStatus("failed", error=executions.INTERRUPTED, is_stopped=True)

    assert follow(make_job(make_user())).state == "cancelled"


@pytest.mark.parametrize(("age_s", "state"), [(5, "queued"), (3600, "failed")])
def test_job_that_the_state_machine_does_not_know_has_failed_unless_it_has_just_begun(
    told: dict[str, Any], batches: BatchCloud, age_s: int, state: str
):
    told["job.json"]["created"] = (timezone.now() - timedelta(seconds=age_s)).timestamp()
    batches.status = BatchStatus("failed", error=executions.INTERRUPTED, is_unknown=True)

    assert follow(make_job(make_user())).state == state


def test_job_of_which_the_bucket_holds_nothing_has_ended(told: dict[str, Any]):
    told.clear()

    found = follow(make_job(make_user()))

    assert (found.state, found.error) == (
        "failed",
        "What the bucket held of this job is gone, and with it how it ended.",
    )


def test_job_with_the_bucket_away_stays_as_it_was(told: dict[str, Any], batches: BatchCloud):
    batches.is_away = True
    batch = make_job(make_user())

    with pytest.raises(BackendAway):
        actions.refresh_batch(batch)

    assert Batch.objects.get().state == "queued"


@pytest.mark.parametrize("state", ["running", "failed", "cancelled", "done"])
def test_page_of_a_job_says_where_it_came_from_and_has_no_buttons(
    ada: User, client: Client, told: dict[str, Any], batches: BatchCloud, state: str
):
    batch = make_job(ada, state=state, scored=3, failed=0, rows=3, progress={"parts_done": 1, "parts": 2})

    page = client.get(batch.get_absolute_url()).content.decode()

    assert "It was sent by a program, through the API." in page
    assert not any(f"/{do}/" in page for do in ("cancel", "resume", "collect", "start"))
    assert ("Download the result" in page) == (state == "done")


@pytest.mark.parametrize("do", ["start", "cancel", "resume", "collect"])
def test_job_can_be_started_or_stopped_by_nobody_here(ada: User, client: Client, told: dict[str, Any], do: str):
    batch = make_job(ada)

    answer = client.post(reverse(f"predictions:{do}_batch", args=[batch.pk]))

    assert answer.status_code == 404
    assert Batch.objects.get().state == "queued"


def test_result_of_a_job_is_handed_out_of_its_owners_folder(
    ada: User, client: Client, told: dict[str, Any], batches: BatchCloud, monkeypatch: pytest.MonkeyPatch
):
    handed: list[str] = []
    monkeypatch.setattr(
        storage, "presign_download", lambda key, **how: handed.append(key) or "https://bucket.example/x"
    )
    job = make_job(ada, state="done", scored=3, summary=SUMMARY)
    within = make_batch(
        ada, job.version, source="page", result_key="ada/1_colony_predictions.csv", rows=None, scored=None, failed=None
    )

    answers = [client.get(reverse("predictions:download", args=[batch.pk])) for batch in (job, within)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert handed == [f"batches/{ADA['sub']}/{job.pk}/output.csv", "ada/1_colony_predictions.csv"]


def test_file_scored_within_a_call_says_that_nobody_counted(ada: User, client: Client):
    batch = make_batch(
        ada, make_version(), source="page", result_key="ada/x_predictions.csv", file_name="",
        rows=None, scored=None, failed=None, size_bytes=0, is_without_values=True,
    )  # fmt: skip

    page = client.get(batch.get_absolute_url()).content.decode()
    listed = client.get(reverse("predictions:history")).content.decode()

    assert "It was sent on the published page." in page
    assert "its rows were not counted" in page
    assert "this model keeps outputs only" in page
    assert ">A file</a>" in listed and ">Prediction</a>" not in listed


def test_files_of_jobs_and_calls_go_when_their_time_is_over_and_those_of_nobody_stay(batches: BatchCloud):
    ada, old = make_user(), timezone.now() - timedelta(days=31)
    job = make_job(ada, state="done", created_at=old, given_key=GIVEN)
    call = make_batch(ada, job.version, source="page", given_key=OTHER, result_key=RESULT, created_at=old)
    make_batch(ada, job.version, source="program", result_key="ada/x_predictions.csv", created_at=old)

    assert actions.purge_batches() == 2
    assert actions.purge_batches() == 0
    assert set(batches.deleted) == {f"batches/{ADA['sub']}/{job.pk}/", GIVEN, OTHER, RESULT}
    call.refresh_from_db()
    assert not call.has_result


def test_file_that_a_later_batch_keeps_stays_until_that_ones_time_is_over(batches: BatchCloud):
    ada, now = make_user(), timezone.now()
    first = make_job(ada, state="done", created_at=now - timedelta(days=31), given_key=GIVEN)
    later = make_batch(ada, first.version, source="page", given_key=GIVEN, created_at=now - timedelta(days=29))

    actions.purge_batches()
    before = list(batches.deleted)
    Batch.objects.filter(pk=later.pk).update(created_at=now - timedelta(days=31))
    actions.purge_batches()

    assert before == [f"batches/{ADA['sub']}/{first.pk}/"]
    assert batches.deleted == [*before, GIVEN]


def test_result_in_another_folder_than_the_file_stays(batches: BatchCloud):
    old = timezone.now() - timedelta(days=31)
    make_batch(
        make_user(), make_version(), source="page", given_key=GIVEN, result_key="bob/x_predictions.csv", created_at=old
    )

    actions.purge_batches()

    assert batches.deleted == [GIVEN]


@pytest.mark.parametrize(("given_key", "is_said"), [(GIVEN, True), ("", False)])
def test_page_of_a_call_says_until_when_its_files_are_kept(ada: User, client: Client, given_key: str, is_said: bool):
    batch = make_batch(ada, make_version(), source="page", given_key=given_key, result_key=RESULT)

    assert ("kept until" in client.get(batch.get_absolute_url()).content.decode()) is is_said


def test_job_id_is_no_key_to_somebody_elses(client: Client, ada: User, batches: BatchCloud):
    batch = make_job(make_user("bob"), id=uuid.uuid4(), state="done")

    assert client.get(batch.get_absolute_url()).status_code == 404
    assert client.get(reverse("predictions:download", args=[batch.pk])).status_code == 404
