"""A batch's life from its opening to its end, against a cloud side that tests speak for."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.errors import BackendAway, Refused
from portal.gateways import executions
from portal.gateways.contract import BatchStatus
from portal.predictions import actions
from portal.predictions.models import Batch
from tests.portal.factories import make_batch, make_user, make_version
from tests.portal.predictions.conftest import LOOK, PROGRESS, SUMMARY, BatchCloud

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting() -> Batch:
    """Its file is there, and nothing was started."""
    return make_batch(make_user(), make_version(), state="uploading", rows=None, scored=None, failed=None)


@pytest.fixture
def running(waiting: Batch, batches: BatchCloud) -> Batch:
    actions.start_batch(waiting)
    return waiting


def again(batch: Batch) -> Batch:
    """The same row, as another request reads it."""
    return Batch.objects.get(pk=batch.pk)


def open_once_more(opening: uuid.UUID, **facts) -> Batch:
    given = {"file_name": "a.csv", "size_bytes": 7, "by": facts.pop("by"), "opening": opening} | facts
    return actions.open_batch(given.pop("version"), **given)


def test_opening_that_is_repeated_is_one_batch():
    ada, version, opening = make_user(), make_version(), uuid.uuid4()

    first, second = (open_once_more(opening, by=ada, version=version) for _ in range(2))

    assert first == second
    assert Batch.objects.count() == 1


def test_opening_of_another_person_is_another_batch():
    version, opening = make_version(), uuid.uuid4()

    first, second = (open_once_more(opening, by=make_user(name), version=version) for name in ("ada", "bob"))

    assert first != second


def test_opening_used_for_another_file_is_refused():
    ada, version, opening = make_user(), make_version(), uuid.uuid4()
    open_once_more(opening, by=ada, version=version)

    with pytest.raises(Refused, match="another file"):
        open_once_more(opening, by=ada, version=version, file_name="b.csv")


def test_start_sends_the_documented_job_once_however_often_it_is_asked_for(waiting: Batch, batches: BatchCloud):
    other_tab = again(waiting)
    actions.choose(waiting, {"reading": {"delimiter": ";"}, "columns": {"year": "jahr"}, "result": "parquet"})

    actions.start_batch(waiting)
    actions.start_batch(other_tab)
    actions.start_batch(waiting)

    ((job, attempt),) = batches.started
    assert attempt == 1
    assert job == {
        "batch": str(waiting.pk), "user": str(waiting.user_id), "model": "penguins", "version": 1, "sha256": "0" * 64,
        "file_name": "penguins.csv", "reading": {"delimiter": ";"}, "columns": {"year": "jahr"}, "result": "parquet",
        "bands": [{"upper": 0.5, "label": "Good result"}, {"upper": None, "label": "Bad result"}],
        "give_up_share": 0.95,
    }  # fmt: skip
    assert (waiting.state, other_tab.state) == ("queued", "queued")


def test_start_of_a_file_that_cannot_be_scored_is_refused_and_starts_nothing(waiting: Batch, batches: BatchCloud):
    batches.look = LOOK

    with pytest.raises(Refused, match="bill_length_mm"):
        actions.start_batch(waiting)

    assert (batches.started, waiting.state) == ([], "uploading")


def test_start_that_fails_leaves_the_batch_to_be_started_again(
    waiting: Batch, batches: BatchCloud, monkeypatch: pytest.MonkeyPatch
):
    def fail(job, *, attempt):
        raise BackendAway("Away.")

    monkeypatch.setattr(executions, "start", fail)
    with pytest.raises(BackendAway):
        actions.start_batch(waiting)
    monkeypatch.setattr(executions, "start", batches.start)

    actions.start_batch(again(waiting))

    assert [attempt for _, attempt in batches.started] == [1]


def test_start_that_the_portal_died_over_is_made_good_at_a_later_look(waiting: Batch, batches: BatchCloud):
    long_ago = timezone.now() - timedelta(minutes=5)
    Batch.objects.filter(pk=waiting.pk).update(
        state="queued", attempt=1, job=waiting.make_job(), started_at=long_ago, execution_arn=""
    )

    actions.refresh_batch(again(waiting))

    assert [attempt for _, attempt in batches.started] == [1]
    assert again(waiting).execution_arn


def test_start_that_is_under_way_elsewhere_is_left_alone(waiting: Batch, batches: BatchCloud):
    Batch.objects.filter(pk=waiting.pk).update(state="queued", attempt=1, started_at=timezone.now())

    actions.refresh_batch(again(waiting))

    assert batches.started == []


def test_look_at_a_running_batch_keeps_how_far_it_is(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS

    actions.refresh_batch(running)

    assert (running.state, running.progress_percent) == ("running", 25)
    assert again(running).progress == PROGRESS


def test_look_without_an_answer_about_progress_keeps_the_last_known(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS
    actions.refresh_batch(running)
    batches.progress = None

    actions.refresh_batch(running)

    assert running.progress == PROGRESS


def test_stage_that_was_told_late_does_not_take_the_batch_back(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS
    actions.refresh_batch(running)
    batches.progress = PROGRESS | {"stage": "planning"}

    actions.refresh_batch(running)

    assert running.state == "running"


@pytest.mark.parametrize(("failed", "state"), [(0, "done"), (1, "done_with_errors")])
def test_look_after_the_end_skips_to_it(running: Batch, batches: BatchCloud, failed: int, state: str):
    batches.status = BatchStatus("done", summary=SUMMARY | {"failed": failed})

    actions.refresh_batch(running)

    assert (running.state, running.rows, running.failed) == (state, 3, failed)


def test_failure_keeps_its_reason_and_what_was_scored(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS
    batches.status = BatchStatus("failed", error="The job was interrupted.")

    actions.refresh_batch(running)

    assert (running.state, running.error) == ("failed", "The job was interrupted.")
    assert running.may_be_resumed and running.may_be_collected


def test_resume_starts_a_new_attempt_with_the_same_job_and_forgets_the_last_ending(running: Batch, batches: BatchCloud):
    batches.status = BatchStatus("failed", error="Interrupted.")
    actions.refresh_batch(running)
    running.version.bands.all().delete()

    actions.resume_batch(running)
    actions.resume_batch(again(running))

    (first, _), (second, attempt) = batches.started
    assert (attempt, second) == (2, first)
    assert (running.state, running.error) == ("queued", "")
    assert [key.rpartition("/")[2] for key in batches.deleted] == ["summary.json", "refusal.json"]


def test_resume_without_the_file_is_refused(running: Batch, batches: BatchCloud):
    batches.status = BatchStatus("failed", error="Interrupted.")
    actions.refresh_batch(running)
    batches.input_bytes = None

    with pytest.raises(Refused, match="no longer there"):
        actions.resume_batch(running)


def test_resume_that_cannot_be_started_says_so_and_can_be_tried_again(
    running: Batch, batches: BatchCloud, monkeypatch: pytest.MonkeyPatch
):
    batches.status = BatchStatus("failed", error="Interrupted.")
    actions.refresh_batch(running)

    def fail(job, *, attempt):
        raise BackendAway("Away.")

    monkeypatch.setattr(executions, "start", fail)
    with pytest.raises(BackendAway):
        actions.resume_batch(running)

    assert (running.state, running.error) == ("failed", "It could not be resumed. Away.")
    assert running.may_be_resumed


@pytest.mark.parametrize("state", ["queued", "planning", "running"])
def test_cancel_stops_the_execution_whatever_it_is_at(running: Batch, batches: BatchCloud, state: str):
    Batch.objects.filter(pk=running.pk).update(state=state)
    batch = again(running)

    actions.cancel_batch(batch)

    assert batch.state == "cancelled"
    assert batches.stopped == [batch.execution_arn]


def test_cancel_before_the_start_stops_nothing(waiting: Batch, batches: BatchCloud):
    actions.cancel_batch(waiting)

    assert (waiting.state, batches.stopped) == ("cancelled", [])
    assert not waiting.may_be_resumed


def test_cancel_that_comes_after_the_end_leaves_the_result(running: Batch, batches: BatchCloud):
    batches.status = BatchStatus("done", summary=SUMMARY)

    actions.cancel_batch(running)

    assert (running.state, batches.stopped) == ("done", [])


def test_batch_cancelled_while_it_is_being_started_is_stopped_once_it_is(
    waiting: Batch, batches: BatchCloud, monkeypatch: pytest.MonkeyPatch
):
    def start_slowly(job, *, attempt):
        actions.cancel_batch(again(waiting))
        return batches.start(job, attempt=attempt)

    monkeypatch.setattr(executions, "start", start_slowly)

    actions.start_batch(waiting)

    assert waiting.state == "cancelled"
    assert len(batches.stopped) == 1


def test_collect_makes_a_partial_result_of_what_was_scored(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS
    actions.cancel_batch(running)

    actions.collect_batch(running)

    assert running.is_partial and running.has_result
    assert (running.scored, len(batches.collected)) == (3, 1)
    assert running.output_name == "penguins_penguins-v1_predictions_partial.csv"


def test_collect_of_what_turns_out_to_be_everything_is_the_whole_result(running: Batch, batches: BatchCloud):
    batches.progress, batches.lacks_nothing = PROGRESS, True
    actions.cancel_batch(running)

    actions.collect_batch(running)

    assert (running.state, running.is_partial) == ("done", False)


def test_resume_after_a_partial_result_begins_anew(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS
    actions.cancel_batch(running)
    actions.collect_batch(running)

    actions.resume_batch(running)

    assert {"output.csv", "output.parquet"} <= {key.rpartition("/")[2] for key in batches.deleted}
    assert again(running).summary == {}


def test_collect_while_the_job_still_stops_is_refused(running: Batch, batches: BatchCloud):
    batches.progress = PROGRESS
    actions.cancel_batch(running)
    batches.status = BatchStatus("running")

    with pytest.raises(Refused, match="come to rest"):
        actions.collect_batch(running)


def test_collect_of_nothing_is_refused(running: Batch, batches: BatchCloud):
    actions.cancel_batch(running)

    with pytest.raises(Refused, match="Nothing was scored"):
        actions.collect_batch(running)


def test_upload_that_never_came_fails_with_a_reason(waiting: Batch, batches: BatchCloud):
    batches.input_bytes = None
    waiting.created_at = timezone.now() - timedelta(hours=2)

    actions.refresh_batch(waiting)

    assert (waiting.state, waiting.error) == ("failed", "The file never arrived. Upload it again.")


def test_upload_that_came_waits_for_its_owner_however_long(waiting: Batch, batches: BatchCloud):
    waiting.created_at = timezone.now() - timedelta(hours=2)

    actions.refresh_batch(waiting)

    assert waiting.state == "uploading"


@pytest.mark.parametrize(
    ("given", "result", "name"),
    [
        ("customers.csv", "output.csv", "customers_penguins-v1_predictions.csv"),
        ("customers.csv.gz", "output.parquet", "customers_penguins-v1_predictions.parquet"),
        ("a.b.JSONL.zst", "output.csv", "a.b_penguins-v1_predictions.csv"),
        (".csv", "output.csv", ".csv_penguins-v1_predictions.csv"),
        ("übung", "output.csv", "übung_penguins-v1_predictions.csv"),
    ],
)
def test_result_is_called_after_its_file_its_model_and_the_version(given: str, result: str, name: str):
    batch = make_batch(make_user(), make_version(), file_name=given, summary={"result": {"file": result}})

    assert batch.output_name == name
