"""Two processes that take in the same objects, and one that is killed over it: on either database a call is one row."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from portal.gateways import storage
from tests.conftest import Stack
from tests.portal.captured import key_at, lines, make_call

ROOT = Path(__file__).parents[3]
OBJECTS, CALLS = 60, 4
PREPARE = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.portal.factories import make_model, make_version
make_version(make_model(sys.argv[1]))
"""
COUNT = """
import django
django.setup()
from portal.predictions.models import Prediction
calls = list(Prediction.objects.values_list("call_id", flat=True))
print(len(calls), len(set(calls)))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else ""


@pytest.fixture
def environment(cloud: None, stack: Stack, database_url: str, tmp_path: Path) -> Mapping[str, str]:
    return {
        **stack.environment,
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PORTICO_STATE_DIR": str(tmp_path),
        "PORTICO_DATABASE_URL": database_url,
    }


def run(environment: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def ingest(environment: Mapping[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "ingest_captures"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def count(environment: Mapping[str, str]) -> tuple[int, int]:
    rows, calls = run(environment, "-c", COUNT).split()
    return int(rows), int(calls)


def test_calls_are_taken_once_by_two_at_a_time_and_after_one_was_killed(environment: Mapping[str, str]):
    slug = f"m{uuid.uuid4().hex[:8]}"
    run(environment, "-c", PREPARE, slug)
    ids = [f"{slug}-{number}" for number in range(OBJECTS * CALLS)]
    begun = timezone.now() - timedelta(minutes=30)
    for number in range(OBJECTS):
        # Each object has one call of the one before as well.
        own = ids[max(0, number * CALLS - 1) : (number + 1) * CALLS]
        key = key_at(begun + timedelta(seconds=number), stream=slug[1:])
        storage.put_file(key, io.BytesIO(lines(*(make_call(id=call, model=slug) for call in own))))

    killed = ingest(environment)
    deadline = time.monotonic() + 60
    while not (some := count(environment)[0]):
        assert time.monotonic() < deadline
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    both = [ingest(environment) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]

    assert some > 0
    assert [process.returncode for process in both] == [0, 0], said
    assert count(environment) == (len(ids), len(ids))
