"""Files are deleted when their time is over; the history keeps the counts."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal.predictions.models import Batch
from tests.portal.factories import make_batch, make_model, make_user, make_version
from tests.portal.predictions.conftest import SUMMARY, BatchCloud

pytestmark = pytest.mark.django_db


def make_old(days: float, *, keep: int = 30, **facts) -> Batch:
    version = make_version(make_model(f"m{Batch.objects.count()}", keep_batches_days=keep))
    user = version.model.created_by
    return make_batch(user, version, created_at=timezone.now() - timedelta(days=days), summary=SUMMARY, **facts)


def test_purge_deletes_what_lies_there_and_the_rows_that_were_shown(batches: BatchCloud):
    batch = make_old(31)

    call_command("purge_batches")
    call_command("purge_batches")

    batch.refresh_from_db()
    assert batches.deleted == [f"batches/{batch.user_id}/{batch.pk}/"]
    assert batch.purged_at and not batch.has_result
    assert {"preview", "errors"} & batch.summary.keys() == set()
    assert (batch.state, batch.rows, batch.summary["rows"]) == ("done", 3, 3)


@pytest.mark.parametrize(
    ("days", "keep", "is_purged"), [(29, 30, False), (2, 1, True), (31, 90, False), (366, 365, True)]
)
def test_purge_goes_by_what_the_model_says(batches: BatchCloud, days: int, keep: int, is_purged: bool):
    batch = make_old(days, keep=keep)

    call_command("purge_batches")

    batch.refresh_from_db()
    assert bool(batch.purged_at) == is_purged


@pytest.mark.parametrize("state", ["queued", "planning", "running"])
def test_purge_leaves_a_batch_that_is_under_way(batches: BatchCloud, state: str):
    make_old(400, state=state)

    call_command("purge_batches")

    assert batches.deleted == []


def test_purge_of_a_file_that_was_never_started_calls_it_off(batches: BatchCloud):
    batch = make_old(31, state="uploading")

    call_command("purge_batches")

    batch.refresh_from_db()
    assert (batch.state, batch.error) == ("cancelled", "It was not started before its file's time was over.")


def test_purge_with_the_bucket_away_fails_and_forgets_nothing(batches: BatchCloud):
    batch = make_old(31)
    batches.is_away = True

    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("purge_batches")

    batch.refresh_from_db()
    assert batch.purged_at is None


def test_batch_is_kept_until_as_many_days_after_its_upload_as_the_model_says():
    batch = make_batch(make_user(), make_version(make_model(keep_batches_days=7)))

    assert batch.kept_until - batch.created_at == timedelta(days=7)
