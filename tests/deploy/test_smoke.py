"""`make smoke` as a process: once for real, which is the longest way through everything; then with parts replaced."""

import signal

from tests.deploy.smoking import JOURNEY, start
from tests.deploy.waiting import is_alive, wait_until

STEPS = [
    "Starting the emulator of AWS",
    "Deploying the stack",
    "Bringing the database up to date",
    "Asking the live models their golden rows",
    "Training the sample models",
    "Loading the sample models",
    "Starting the portal",
    *JOURNEY,
    "Stopping everything",
]
# One child instead of all parts, and a portal that nobody answers for.
REPLACED = """
import os, sys, time
from pathlib import Path
from types import SimpleNamespace
from deploy import smoke

def one_child(state, supervisor, **options):
    child = supervisor.start(
        "child", [sys.executable, "-c", "import time; time.sleep(600)"], environment=dict(os.environ), folder=Path("/")
    )
    print(child.process.pid, flush=True)
    return SimpleNamespace(url="http://127.0.0.1:9", login=None, variables={{"PORTICO_API_URL": ""}})

def stay(supervisor, state):
    time.sleep(600)

smoke.start_everything = one_child
smoke.read_samples = {read_samples}
smoke.main()
"""


def test_smoke_goes_through_every_step_and_leaves_nothing(tmp_path):
    process = start(tmp_path, "-m", "deploy.smoke")

    said, complaints = process.communicate()

    assert (process.returncode, complaints) == (0, "")
    assert [line.removeprefix("✓ ").partition("  ")[0].rsplit(" ", 2)[0] for line in said.splitlines()[:-2]] == STEPS
    assert list(tmp_path.iterdir()) == []


def test_smoke_with_a_failing_step_names_it_and_ends_with_1(tmp_path):
    process = start(tmp_path, "-c", REPLACED.format(read_samples="lambda supervisor, state: (None, None)"))

    said, complaints = process.communicate(timeout=30)

    child, *steps = said.splitlines()
    assert process.returncode == 1
    assert steps[-1].startswith("✗ Signing in")
    assert "GET / got no answer" in complaints
    assert not is_alive(child)
    assert list(tmp_path.iterdir()) == []


def test_smoke_stopped_midway_ends_its_parts_with_130(tmp_path):
    process = start(tmp_path, "-c", REPLACED.format(read_samples="stay"))
    child = process.stdout.readline().strip()

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == 130
    wait_until(lambda: not is_alive(child))
    assert list(tmp_path.iterdir()) == []
