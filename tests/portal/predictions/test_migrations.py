"""Rows of earlier releases in the table of today."""

from importlib import import_module

import pytest
from django.apps import apps

from portal.predictions.models import Batch
from tests.portal.factories import make_batch, make_user, make_version

pytestmark = pytest.mark.django_db
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
