"""The API's calls come into the history, once each: whatever the objects hold, and wherever a pass ends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from portal.accounts.models import User
from portal.errors import BackendAway, BackendFault
from portal.gateways import storage
from portal.predictions import actions, search
from portal.predictions.actions import ingesting
from portal.predictions.models import Batch, CapturedObject, Prediction
from portal.registry.models import ModelVersion
from tests.portal.captured import (
    ADA,
    key_after,
    lines,
    make_batch_call,
    make_call,
    make_job_call,
    make_refusal,
)
from tests.portal.factories import make_user, make_version

pytestmark = pytest.mark.django_db


class Bucket:
    """Objects under captures/, as S3 lists and gives them.

    Attributes:
        page: how many keys one listing has
        read: the keys that were fetched, in order
        fails_at: the number of the fetch from which on it is away
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.page = 1000
        self.read: list[str] = []
        self.starts: list[str] = []
        self.fails_at: float = float("inf")
        self._lock = threading.Lock()

    def put(self, key: str, *calls: Any) -> None:
        self.objects[key] = lines(*calls)

    def list_after(self, start: str, *, prefix: str) -> Iterator[list[tuple[str, int]]]:
        self.starts.append(start)
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > start)
        for first in range(0, len(keys), self.page):
            yield [(key, len(self.objects[key])) for key in keys[first : first + self.page]]

    def get_bytes(self, key: str) -> bytes | None:
        with self._lock:
            if len(self.read) >= self.fails_at:
                raise BackendAway("The prediction service cannot be reached just now.", detail="connection refused")
            self.read.append(key)
        return self.objects.get(key)


@pytest.fixture
def version() -> ModelVersion:
    return make_version()


@pytest.fixture
def bucket(version: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket()
    monkeypatch.setattr(storage, "list_after", made.list_after)
    monkeypatch.setattr(storage, "get_bytes", made.get_bytes)
    return made


def test_answered_call_is_a_prediction_of_its_person_with_bands_and_words(bucket: Bucket, version: ModelVersion):
    version.class_labels = {"Gentoo": "A gentoo"}
    version.save()
    bucket.put(key_after(minutes=1), make_call(id="c-1"))

    done = actions.ingest_captures()

    row = Prediction.objects.get()
    assert (done.objects, done.taken, done.known, done.unreadable, done.kept_back) == (1, 1, 0, 0, 0)
    assert (row.user.username, row.version, row.model, row.source) == (ADA["email"], version, version.model, "page")
    assert (row.state, row.outcome, row.outcome_words, row.band_label) == (
        "answered",
        "Gentoo",
        "A gentoo",
        "Bad result",
    )
    assert (row.call_id, row.request_id, row.milliseconds, row.is_cold) == ("c-1", "c-1", 1.25, False)
    assert row.created_at == datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
    assert "a gentoo" in row.words and "dream" in row.words


def test_answer_from_elsewhere_means_what_it_means_in_the_portal(
    bucket: Bucket, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
):
    from portal.gateways import inference
    from portal.gateways.contract import Answer

    call = make_call()
    monkeypatch.setattr(inference, "predict", lambda **asked: Answer.from_json(call))
    own = actions.predict_one(version, call["inputs"], by=make_user())
    bucket.put(key_after(minutes=1), call)

    actions.ingest_captures()

    other = Prediction.objects.get(call_id=call["id"])
    meant = ("outcome", "outcome_words", "value", "probabilities", "scores", "band_value", "band_label", "band_tone")
    assert {name: getattr(own, name) for name in meant} == {name: getattr(other, name) for name in meant}
    assert own.words == other.words


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (400, "bad_input", "refused"),
        (400, "prediction_failed", "refused"),
        (503, "away", "failed"),
        (500, "bug", "failed"),
    ],
)
def test_call_without_an_answer_is_a_row_that_says_why(bucket: Bucket, status: int, code: str, state: str):
    bucket.put(key_after(minutes=1), make_refusal(status=status, error={"code": code, "message": "No island."}))

    actions.ingest_captures()

    row = Prediction.objects.get()
    assert (row.state, row.error, row.outcome, row.is_without_values) == (state, "No island.", "", None)


def test_call_whose_values_were_not_to_be_kept_says_so(bucket: Bucket):
    answered, refused = make_call(), make_refusal(error={"code": "bad_input", "message": None})
    del answered["inputs"], refused["inputs"]
    bucket.put(key_after(minutes=1), answered, refused)

    actions.ingest_captures()

    rows = {row.state: row for row in Prediction.objects.all()}
    assert {(row.inputs == {}, row.is_without_values) for row in rows.values()} == {(True, True)}
    assert rows["refused"].error == (
        "The API answered with status 400. Why was not kept: this model keeps outputs only."
    )


def test_body_that_could_not_be_read_is_not_taken_for_values_that_are_not_kept(bucket: Bucket):
    call = make_refusal(error={"code": "bad_request", "message": "The request's body is not JSON."})
    del call["inputs"]
    bucket.put(key_after(minutes=1), call)

    actions.ingest_captures()

    assert Prediction.objects.get().is_without_values is None


def test_person_who_is_new_is_made_without_a_role_or_a_password_and_found_again(bucket: Bucket):
    bucket.put(key_after(minutes=1), make_call(), make_call())
    bucket.put(key_after(minutes=2), make_call(person=ADA | {"email": "ada@elsewhere.org"}))

    actions.ingest_captures()

    (user,) = User.objects.filter(predictions__isnull=False).distinct()
    assert (user.username, user.role, user.has_usable_password()) == (ADA["email"], "", False)
    assert user.predictions.count() == 3


def test_calls_that_nobody_checked_belong_to_somebody_who_cannot_sign_in(bucket: Bucket):
    bucket.put(key_after(minutes=1), make_call(person=None))

    actions.ingest_captures()

    user = Prediction.objects.get().user
    assert (user.username, user.is_active, user.has_usable_password()) == ("api", False, False)


def test_the_same_call_twice_in_an_object_and_in_another_is_one_row(bucket: Bucket):
    call = make_call()
    bucket.put(key_after(minutes=1), call, call)
    bucket.put(key_after(minutes=2), call, make_call())

    done = actions.ingest_captures()

    assert (Prediction.objects.count(), done.taken, done.known) == (2, 2, 2)


@pytest.mark.parametrize("places", [(1, 2), (2, 1), (1, 1)], ids=["failed first", "answered first", "in one object"])
def test_call_that_both_functions_have_left_is_the_answer_of_the_one_that_answered(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, places: tuple[int, int]
):
    monkeypatch.setattr(ingesting, "follow_jobs", lambda: None)
    failed = {"status": 503, "error": {"code": "away", "message": "It is busy."}}
    job = uuid.uuid4()
    said: dict[int, list[Any]] = {1: [], 2: []}
    said[places[0]] += [make_refusal(id="c-1", **failed), make_batch_call(id="c-2", result=None, **failed)]
    said[places[1]] += [make_call(id="c-1"), make_job_call(job, id="c-2")]
    for minute, calls in said.items():
        bucket.put(key_after(minutes=minute), *calls)

    actions.ingest_captures()

    row, batch = Prediction.objects.get(), Batch.objects.get()
    assert (row.state, row.error, row.outcome) == ("answered", "", "Gentoo")
    assert (batch.pk, batch.state, batch.error) == (job, "queued", "")
    assert Prediction.objects.filter(pk__in=search.rare_matches("gentoo") or []).exists()


def test_job_that_failed_in_its_turn_is_not_begun_again_by_a_second_look(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ingesting, "follow_jobs", lambda: None)
    bucket.put(key_after(minutes=1), make_job_call(uuid.uuid4()), make_call(v=2))
    actions.ingest_captures()
    Batch.objects.update(state="failed", error="The column island is missing.")

    actions.ingest_captures(again=True)

    assert Batch.objects.get().state == "failed"


def test_pass_after_pass_reads_each_object_once(bucket: Bucket):
    bucket.put(key_after(minutes=1), make_call())
    actions.ingest_captures()
    bucket.put(key_after(minutes=2), make_call())

    done = actions.ingest_captures()
    again = actions.ingest_captures()

    assert (done.objects, done.taken, again.objects) == (1, 1, 0)
    assert bucket.read == [key_after(minutes=1), key_after(minutes=2)]


def test_object_that_comes_late_within_the_hour_is_taken_and_older_keys_are_forgotten(bucket: Bucket):
    for minutes in (0, 90):
        bucket.put(key_after(minutes=minutes), make_call())
    actions.ingest_captures()
    bucket.put(key_after(minutes=31), make_call())

    done = actions.ingest_captures()

    assert done.taken == 1
    assert bucket.starts[-1] == "captures/2026/03/01/123000"
    assert set(CapturedObject.objects.values_list("key", flat=True)) == {key_after(minutes=31), key_after(minutes=90)}


def test_clock_that_is_ahead_keeps_no_other_object_out(bucket: Bucket):
    ahead = "captures/2999/01/01/000000.000000-0a1b2c3d-1.jsonl"
    bucket.put(ahead, make_call())
    bucket.put(key_after(minutes=1), make_call())
    actions.ingest_captures()
    bucket.put(key_after(minutes=2), make_call())

    done = actions.ingest_captures()

    assert (done.objects, Prediction.objects.count()) == (1, 3)
    assert bucket.read.count(ahead) == 1


def test_weeks_of_objects_are_paged_through_and_an_interruption_loses_nothing(bucket: Bucket):
    bucket.page = 10
    for minute in range(95):
        bucket.put(key_after(minutes=20 * minute), make_call())
    bucket.fails_at = 47

    with pytest.raises(BackendAway):
        actions.ingest_captures()
    taken_before = Prediction.objects.count()
    bucket.fails_at = float("inf")
    actions.ingest_captures()

    assert 47 - ingesting.AHEAD <= taken_before <= 47
    assert Prediction.objects.count() == 95
    assert CapturedObject.objects.count() <= 4  # the last hour's


def test_database_that_fails_within_an_object_keeps_neither_the_half_nor_the_mark(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    bucket.put(key_after(minutes=1), make_call(), make_batch_call())
    real, fails = ingesting._create, [True]

    def create(kind: Any, rows: Any) -> int:
        if kind is Batch and fails:
            raise DatabaseError("disk full")
        return real(kind, rows)

    monkeypatch.setattr(ingesting, "_create", create)
    with pytest.raises(DatabaseError):
        actions.ingest_captures()
    assert (Prediction.objects.count(), CapturedObject.objects.count()) == (0, 0)
    fails.clear()

    actions.ingest_captures()

    assert (Prediction.objects.count(), Batch.objects.count()) == (1, 1)


def test_row_that_the_database_refuses_takes_no_other_with_it(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    from django.db import IntegrityError

    bucket.put(key_after(minutes=1), make_call(id="a"), make_call(id="b"), make_call(id="c"))
    real = ingesting._create

    def create(kind: Any, rows: Any) -> int:
        if any(row.call_id == "b" for row in rows):
            raise IntegrityError("too large for the index")
        return real(kind, rows)

    monkeypatch.setattr(ingesting, "_create", create)

    done = actions.ingest_captures()

    assert set(Prediction.objects.values_list("call_id", flat=True)) == {"a", "c"}
    assert (done.taken, done.known, done.unreadable) == (2, 0, 1)


def test_lines_cut_off_or_garbled_are_counted_named_in_the_log_and_not_quoted(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
):
    bucket.put(key_after(minutes=1), b"secret \xff", make_call(), lines(make_call())[:-30])

    done = actions.ingest_captures()

    (kept,) = CapturedObject.objects.all()
    assert (done.taken, done.unreadable, kept.lines, kept.unreadable) == (1, 2, 3, 2)
    assert f"{key_after(minutes=1)}: of 3 lines 2 cannot be read (1, 3)" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "facts",
    [{"v": 2}, {"model": "diabetes"}, {"version": 7}, {"sha256": "f" * 64}, {"version": 10**30}],
    ids=["a later format", "another model", "another version", "another file", "no version at all"],
)
def test_line_that_is_not_for_this_portal_is_kept_back_and_not_asked_for_each_time(
    bucket: Bucket, facts: dict[str, Any]
):
    bucket.put(key_after(minutes=1), make_call(**facts), make_call())

    done = actions.ingest_captures()
    later = actions.ingest_captures()

    assert (done.taken, done.kept_back, done.unreadable, later.objects) == (1, 1, 0, 0)


def test_line_that_was_kept_back_is_taken_at_a_start_once_its_version_is_known(bucket: Bucket, version: ModelVersion):
    bucket.put(key_after(minutes=1), make_call(version=2), make_call())
    bucket.put(key_after(hours=5), make_call())
    actions.ingest_captures()
    make_version(version.model, is_live=False)

    done = actions.ingest_captures(again=True)

    assert (done.taken, done.known, done.kept_back, Prediction.objects.count()) == (1, 1, 0, 3)
    assert not CapturedObject.objects.filter(kept_back__gt=0).exists()


def test_object_with_lines_kept_back_is_forgotten_once_the_bucket_has_dropped_it(bucket: Bucket):
    bucket.put(key_after(minutes=1), make_call(v=2))
    actions.ingest_captures()
    bucket.objects.clear()

    actions.ingest_captures(again=True)

    assert not CapturedObject.objects.exists()


def test_large_values_come_through_whole(bucket: Bucket):
    text = "Dream " * 200_000
    bucket.put(key_after(minutes=1), make_call(inputs={"island": text, "bill_length_mm": [1, {"deep": None}]}))

    actions.ingest_captures()

    assert Prediction.objects.get().inputs == {"island": text, "bill_length_mm": [1, {"deep": None}]}


def test_file_scored_within_a_call_is_a_batch_that_is_done_with_its_name_and_its_result(bucket: Bucket):
    bucket.put(key_after(minutes=1), make_batch_call())

    actions.ingest_captures()

    batch = Batch.objects.get()
    assert (batch.state, batch.file_name, batch.was_within_a_call, batch.rows) == ("done", "colony.csv", True, None)
    assert batch.result_key == f"{ADA['sub']}/1764417600123_colony_predictions.csv"
    assert batch.given_key == f"{ADA['sub']}/1764417600123_colony.csv"


@pytest.mark.parametrize(
    "changed",
    [{"person": None}, {"file": "ada/1_colony.csv"}, {"file": f"{ADA['sub']}"}, {"file": f"{ADA['sub']}/../models/x"},
     {"file": f"{ADA['sub']}//x.csv"}, {"file": "models/penguins/1/model.pkl"}, {"file": None, "result": None},
     {"person": ADA | {"sub": "batches"}, "file": "batches/x.csv"}],
)  # fmt: skip
def test_file_that_is_in_no_folder_of_the_callers_own_is_none_that_the_portal_deletes(
    bucket: Bucket, changed: dict[str, Any]
):
    bucket.put(key_after(minutes=1), make_batch_call(**changed))

    actions.ingest_captures()

    assert Batch.objects.get().given_key == ""


@pytest.mark.parametrize(
    "result",
    ["models/penguins/1/model.pkl", "quarantine/x_predictions.csv", "captures/x_predictions.csv", "x/../batches/y.csv",
     "x/../models/y_predictions.csv", "/x_predictions.csv", "x/input.csv"],
)  # fmt: skip
def test_result_that_lies_where_no_such_result_lies_is_not_handed_out(bucket: Bucket, result: str):
    bucket.put(key_after(minutes=1), make_batch_call(result=result))

    actions.ingest_captures()

    assert Batch.objects.get().result_key == ""


def test_file_that_was_refused_is_a_batch_that_failed(bucket: Bucket):
    error = {"code": "refused", "message": "The column island is missing."}
    bucket.put(key_after(minutes=1), make_batch_call(status=400, result=None, error=error))

    actions.ingest_captures()

    batch = Batch.objects.get()
    assert (batch.state, batch.error, batch.is_refused) == ("failed", "The column island is missing.", True)


def test_job_that_was_posted_twice_with_one_key_is_one_batch(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ingesting, "follow_jobs", lambda: None)
    job = uuid.uuid4()
    bucket.put(key_after(minutes=1), make_job_call(job), make_job_call(job))
    bucket.put(key_after(minutes=2), make_job_call(job))

    done = actions.ingest_captures()

    batch = Batch.objects.get()
    assert (batch.pk, batch.owner, batch.state, batch.attempt) == (job, ADA["sub"], "queued", 1)
    assert (done.taken, done.known) == (1, 2)


def test_one_job_that_cannot_be_asked_after_keeps_no_other_waiting(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    bucket.put(key_after(minutes=1), make_job_call(uuid.uuid4()), make_job_call(uuid.uuid4()))
    asked = count()

    def refresh(batch: Batch, *, with_progress: bool) -> None:
        next(asked)
        raise BackendFault("Refused.", detail="AccessDenied")

    monkeypatch.setattr(ingesting, "refresh_batch", refresh)

    actions.ingest_captures()

    assert next(asked) == 2
    assert caplog.text.count("AccessDenied") == 2


def test_command_says_what_it_took_and_nothing_where_nothing_is_new(bucket: Bucket, capsys: pytest.CaptureFixture[str]):
    bucket.put(key_after(minutes=1), make_call(), make_call(v=2), b"x")

    call_command("ingest_captures")
    call_command("ingest_captures")

    said = capsys.readouterr().out
    assert said.splitlines()[0] == (
        "Took 1 calls of the API into the history. 0 were there already. 1 lines cannot be read; the log names their "
        "objects, which stay in the bucket. 1 are kept back for a later release, or until their model is known here."
    )


def test_command_with_the_bucket_away_fails_with_a_sentence(bucket: Bucket):
    bucket.put(key_after(minutes=1), make_call())
    bucket.fails_at = 0

    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("ingest_captures")


def test_schedule_goes_on_after_the_bucket_was_away_and_after_a_bug(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from portal.predictions.management.commands import ingest_captures as command

    bucket.put(key_after(minutes=1), make_call())
    passes: Iterator[Callable[[], None]] = iter(
        [
            lambda: setattr(bucket, "fails_at", 0),
            lambda: monkeypatch.setattr(bucket, "fails_at", "a bug"),
            lambda: setattr(bucket, "fails_at", float("inf")),
        ]
    )

    def sleep(seconds: float) -> None:
        assert seconds == 7
        change = next(passes, None)
        if change is None:
            raise KeyboardInterrupt
        change()

    bucket.fails_at = 0
    monkeypatch.setattr(command.time, "sleep", sleep)
    monkeypatch.setattr(command, "close_old_connections", lambda: None)

    call_command("ingest_captures", "--every", "7")

    assert Prediction.objects.count() == 1
    assert "connection refused" in caplog.text and "TypeError" in caplog.text


@pytest.mark.parametrize("every", ["0", "soon", "1e9"])
def test_schedule_with_a_pause_that_is_none_is_refused(every: str):
    with pytest.raises(CommandError, match="--every"):
        call_command("ingest_captures", "--every", every)
