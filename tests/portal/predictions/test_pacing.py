"""What the running page says of a batch."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.predictions.models import Batch
from portal.predictions.pacing import in_words, pace_of
from tests.portal.predictions.conftest import PROGRESS


def batch(state: str = "running", **progress) -> Batch:
    return Batch(state=state, progress=PROGRESS | progress)


def test_pace_of_a_running_batch_says_how_fast_and_how_long():
    pace = pace_of(batch())

    assert (pace.stage, pace.percent, pace.title) == ("Scoring", 25, "25 %")
    assert (pace.rows_per_s, pace.left) == (60, "about 30 s left")
    assert (pace.scored, pace.failed, pace.parts_done, pace.parts) == (590, 10, 1, 4)


def test_pace_of_a_resumed_batch_counts_what_this_attempt_has_done():
    resumed = batch(base={"rows": 500, "bytes_done": 50})
    resumed.attempt, resumed.started_at = 2, timezone.now() - timedelta(seconds=20)

    pace = pace_of(resumed)

    assert pace.rows_per_s == pytest.approx(5, rel=0.01)
    assert pace.left == "about 1 min left"


def test_pace_of_the_first_seconds_promises_nothing():
    pace = pace_of(batch(seconds=0.5))

    assert (pace.rows_per_s, pace.left) == (None, "")


@pytest.mark.parametrize(
    ("state", "progress", "stage"),
    [
        ("queued", {}, "Queued: it begins in a moment"),
        ("planning", {"planned_bytes": 0}, "Reading the file and cutting it into parts"),
        ("planning", {"planned_bytes": 500}, "Reading the file and cutting it into parts, 50 %"),
        ("running", {"stage": "finishing"}, "Putting the result together"),
    ],
)
def test_pace_names_the_stage_in_words(state: str, progress: dict, stage: str):
    assert pace_of(batch(state, **progress)).stage == stage


def test_pace_of_a_batch_of_which_nothing_is_known_is_silent():
    pace = pace_of(Batch(state="running"))

    assert (pace.percent, pace.rows_per_s, pace.left, pace.rows) == (None, None, "", 0)


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (5400, "1.5 h")])
def test_length_of_time_is_said_as_people_say_it(seconds: float, words: str):
    assert in_words(seconds) == words
