"""Rows of earlier releases in the table of today."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps

from portal.predictions.models import Batch
from tests.portal.factories import make_batch, make_user, make_version

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
LIFE = import_module("portal.predictions.migrations.0003_life_of_a_batch")


def test_batches_of_before_keep_working_under_the_new_states():
    ada, version = make_user(), make_version()
    started = {"execution_arn": "arn:x"}
    batches = {
        "done": make_batch(ada, version, state="done", failed=0, **started),
        "bad rows": make_batch(ada, version, state="done", failed=1, **started),
        "running": make_batch(ada, version, state="running", **started),
        "uploading": make_batch(ada, version, state="uploading"),
    }

    LIFE.rename_states(apps, None)

    found = {name: Batch.objects.get(pk=batch.pk) for name, batch in batches.items()}
    assert {name: (batch.state, batch.attempt) for name, batch in found.items()} == {
        "done": ("done", 1),
        "bad rows": ("done_with_errors", 1),
        "running": ("running", 1),
        "uploading": ("uploading", 0),
    }


@pytest.mark.parametrize("number", ["0008", "0009"])
def test_predictions_are_not_written_anew_in_sqlite_for_columns_that_later_releases_added(number: str, tmp_path: Path):
    # A process of its own: within a test's transaction SQLite lets nobody change tables.
    command = [sys.executable, "manage.py", "sqlmigrate", "predictions", number]
    environment = {"PORTICO_STATE_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tests.settings"}

    statements = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    assert 'ALTER TABLE "predictions_prediction" ADD COLUMN' in statements
    assert "new__predictions_prediction" not in statements
    assert 'UPDATE "predictions_prediction"' not in statements
