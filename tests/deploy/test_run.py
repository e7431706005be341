"""`make up` as a process: what Ctrl-C does to it. Its parts are replaced by one child; the rest is real."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.waiting import is_alive, wait_until

ROOT = Path(__file__).parent.parent.parent
PATIENT = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"


@pytest.fixture
def run(tmp_path):
    """Starts the program with `child` as its only part; gives the process and the child's id."""
    started = []

    def start(child):
        code = f"""
import os, sys, time
from pathlib import Path
from deploy.embedded import run
def one_child(state, supervisor):
    supervisor.start("child", [sys.executable, "-c", {child!r}], environment=dict(os.environ), folder=Path("/"))
    time.sleep(600)
run.run = one_child
run.main()
"""
        environment = {**os.environ, "PORTICO_STATE_DIR": str(tmp_path)}
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, int(process.stdout.readline().partition("│")[2])

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_run_ends_its_parts_and_says_where_everything_is_kept(run, tmp_path, number):
    process, child = run(PATIENT)

    process.send_signal(number)
    said, _ = process.communicate(timeout=15)

    assert process.returncode == 0
    assert f"Everything is kept in {tmp_path}" in said
    wait_until(lambda: not is_alive(child))


def test_second_ctrl_c_does_not_wait_for_a_part_that_does_not_listen(run):
    process, child = run(DEAF)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "\n"
    assert "Stopping" in process.stdout.readline()

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=5) == 128 + signal.SIGINT
    wait_until(lambda: not is_alive(child))
