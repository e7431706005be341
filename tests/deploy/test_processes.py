"""Supervision, with real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.processes import Supervisor
from deploy.errors import DeployError
from tests.deploy.waiting import is_alive, wait_until

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
HERE = Path(__file__).parent

# Starts a child which starts a grandchild; both write their process id.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import os, time; print(os.getpid()); time.sleep(600)"])
print(os.getpid())
time.sleep(600)
"""
# A supervisor of that family, for which no Python code runs when it is killed.
PARENT = f"""
import signal, sys, time
from pathlib import Path
from deploy.embedded.processes import Supervisor
# A job in the background of a shell is started deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Supervisor() as supervisor:
    supervisor.start("family", [sys.executable, "-c", {FAMILY!r}], environment={ENVIRONMENT!r}, folder=Path("/"))
    time.sleep(600)
"""


@pytest.fixture
def supervisor():
    with Supervisor() as supervisor:
        yield supervisor


def start(supervisor, code, name="child"):
    return supervisor.start(name, [sys.executable, "-c", code], environment=ENVIRONMENT, folder=HERE)


def test_log_lines_carry_the_name_of_who_wrote_them(supervisor, capfd):
    child = start(supervisor, "print('hello'); print('world')", name="portal")

    child.reader.join()

    assert capfd.readouterr().out == "portal   │ hello\nportal   │ world\n"


def test_run_that_fails_says_the_command_and_the_code(supervisor, capfd):
    with pytest.raises(DeployError, match="ended with code 3. What it said is above"):
        supervisor.run("x", [sys.executable, "-c", "raise SystemExit(3)"], environment=ENVIRONMENT, folder=HERE)


def test_quiet_run_shows_nothing_and_returns_what_was_said(supervisor, capfd):
    command = [sys.executable, "-c", "print('a secret')"]

    said = supervisor.run("x", command, environment=ENVIRONMENT, folder=HERE, is_quiet=True)

    assert (said, capfd.readouterr().out) == ("a secret", "")


def test_child_does_not_inherit_this_environment(supervisor, capfd, monkeypatch):
    monkeypatch.setenv("SOMEBODY_S_SECRET", "1")

    said = supervisor.run(
        "x",
        [sys.executable, "-c", "import os; print('SOMEBODY_S_SECRET' in os.environ)"],
        environment=ENVIRONMENT,
        folder=HERE,
    )

    assert said == "False"


def test_stop_ends_grandchildren_too(supervisor, capfd):
    child = start(supervisor, FAMILY)
    wait_until(lambda: len(child.last_lines) == 2)
    pids = [int(line) for line in child.last_lines]

    supervisor.stop(child)

    wait_until(lambda: not any(map(is_alive, pids)))


def test_stop_forces_a_child_that_does_not_listen(supervisor, capfd, monkeypatch):
    monkeypatch.setattr("deploy.embedded.processes.STOP_GRACE_S", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    child = start(supervisor, deaf)
    wait_until(lambda: child.last_lines)

    supervisor.stop(child)

    assert child.exit_code == -signal.SIGKILL


def test_wait_for_any_returns_the_child_that_ended(supervisor, capfd):
    start(supervisor, "import time; time.sleep(600)", name="stays")
    start(supervisor, "raise SystemExit(7)", name="leaves")

    ended = supervisor.wait_for_any()

    assert (ended.name, ended.exit_code) == ("leaves", 7)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_parent_that_is_ended_leaves_no_orphans(number):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=HERE.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pids = [int(parent.stdout.readline().partition("│")[2]) for _ in range(2)]
    assert all(map(is_alive, pids))

    parent.send_signal(number)
    parent.wait(timeout=15)
    parent.stdout.close()

    wait_until(lambda: not any(map(is_alive, pids)))
