"""The walls around an unknown model: what it may not do, and in which words its author hears of it.

Each test sends a really hostile pickle through the real door. Nothing of it runs in this process.
"""

import ctypes
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from predictor import landlock, sandbox, seccomp, walls
from predictor.sandbox import Sandbox
from tests.predictor.factories import array_model, dump, verified

_SECRET = Path("/tmp/portico-secret")  # noqa: S108  # outside all that the sandbox may read; tests make and remove it
_DEEDS = {
    "network": [
        "__import__('socket').socket()",
        "__import__('socket').socket(__import__('socket').AF_UNIX)",
        "__import__('socket').socketpair()",
        "__import__('urllib.request').request.urlopen(os.environ['AWS_ENDPOINT_URL'])",
    ],
    "files": [
        f"open({str(_SECRET)!r}).read()",
        f"open({str(_SECRET)!r}, 'w')",
        f"os.listdir({str(_SECRET.parent)!r})",
        f"os.mkdir({str(_SECRET)!r} + '-folder')",
        f"os.remove({str(_SECRET)!r} + '-2')",
        f"os.chmod({str(_SECRET)!r}, 0o777)",
        "os.listdir('/')",
        "os.listdir(os.path.expanduser('~'))",
        "open('/etc/passwd').read()",
        "open(__import__('sys').prefix + '/pyvenv.cfg', 'a')",
    ],
    "processes": [
        "os.system('true') and 1 / 0",
        "__import__('subprocess').run(['true'], check=True)",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.fork() or os._exit(0)",
        "os.kill(int(sys.argv[1]), 0)",
        "open(f'/proc/{sys.argv[1]}/environ').read()",
        "open(f'/proc/{sys.argv[1]}/mem', 'rb')",
        "__import__('resource').prlimit(int(sys.argv[1]), 0)",
    ],
    "memory": ["bytearray(3 << 30)", "__import__('numpy').ones(400_000_000)"],
}


def running(code: str) -> bytes:
    """A pickle that runs `code` when it is loaded; it stands for whatever the code calls `found`."""
    whole = f"import os, pickle, sys, time\n{code}"
    return b"cbuiltins\neval\n" + pickle.dumps(f"(exec({whole!r}, ns := {{}}), ns['found'])[1]", 0)[:-1] + b"\x85R."


def predicting(body: str) -> bytes:
    """A model of two features whose predict(X) has this body."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return running(f"class Model:\n    n_features_in_ = 2\n    def predict(self, X):\n{lines}\nfound = Model()")


def trying(deeds: list[str], parent: int) -> bytes:
    """A good model if all deeds fail for want of a right; an object named after those that succeed otherwise."""
    return running(
        f"sys.argv = ['', {str(parent)!r}]\n"
        f"done = []\n"
        f"for deed in {deeds!r}:\n"
        f"    try: exec(deed)\n"
        f"    except (OSError, MemoryError, ZeroDivisionError, LookupError, RuntimeError): pass\n"
        f"    else: done.append(deed)\n"
        f"found = type(' and '.join(done), (), {{}})() if done else pickle.loads({dump(array_model())!r})"
    )


def said(body: bytes) -> str:
    answer = verified(body)
    assert answer["ok"] is False, answer
    assert answer["error"]["code"] == "rejected"
    return answer["error"]["message"]


@pytest.fixture(scope="module", autouse=True)
def secrets() -> Iterator[None]:
    paths = [_SECRET, Path(f"{_SECRET}-2")]
    for path in paths:
        path.write_text("secret")
    yield
    for path in paths:
        path.unlink(missing_ok=True)
    # Nothing else in this process should go on without core files and debuggers.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


@pytest.fixture
def standing() -> list[str]:
    return verified(array_model())["manifest"]["sandbox"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have fewer walls")
def test_sandbox_on_linux_limits_time_memory_processes_and_network(standing):
    assert {"time", "memory", "processes", "network"} <= set(standing)


@pytest.mark.parametrize("wall", list(_DEEDS))
def test_hostile_model_behind_a_wall_does_nothing_of_what_it_tries(wall, standing):
    if wall not in standing:
        pytest.skip(f"This system has no wall against {wall}.")

    answer = verified(trying(_DEEDS[wall], os.getpid()))

    assert answer["ok"], answer["error"]["message"]


def test_hostile_model_without_walls_would_do_it():
    deeds = [deed for deed in _DEEDS["processes"][:6] + _DEEDS["files"][:3] + _DEEDS["network"] if "/mem" not in deed]
    program = "import os, sys\nfor deed in sys.argv[2:]: exec(deed)"
    target = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    done = subprocess.run([sys.executable, "-c", program, str(target.pid), *deeds], capture_output=True, text=True)

    target.communicate(b"\n")
    assert done.returncode == 0, done.stderr


def test_hostile_model_finds_no_credentials_in_its_environment():
    deeds = ["os.environ['AWS_SECRET_ACCESS_KEY']", "os.environ['HOME']", "os.environ['PORTICO_BUCKET']"]

    assert verified(trying(deeds, 0))["ok"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import socket; socket.socket()", "opens network connections, which is refused here: no model needs it"),
        (f"open({str(_SECRET)!r})", "opens files, which is refused here"),
        ("import subprocess; subprocess.run(['true'])", "starts other programs, which is refused here"),
        ("os.kill(os.getppid(), 9)", "sends signals to other processes, which is refused here"),
        ("found = bytearray(3 << 30)", "needs more memory"),
        ("import ctypes; ctypes.string_at(0)", "(loading), and crashed Python itself"),
        ("os.abort()", "(loading), and crashed Python itself"),
        ("os.kill(os.getpid(), 9)", "stopped by the system, most likely for want of memory"),
        ("os._exit(0)", "ended the check by itself while loading, without an answer"),
        ("os.closerange(3, 4096); time.sleep(9)", "ended the check by itself"),
        ("raise SystemExit(0)", "an error that nothing could catch"),
    ],
)
def test_hostile_file_refused_in_a_sentence(code, words):
    assert words in said(running(code))


_TRICKLING = """
while True:
    time.sleep(0.01)
    for pipe in range(3, 1024):
        try: os.write(pipe, b' ')
        except OSError: pass
"""


@pytest.mark.parametrize("code", ["time.sleep(60)", "while True: pass", _TRICKLING], ids=["sleep", "spin", "trickle"])
def test_endless_loading_stopped_when_the_time_is_over(code, monkeypatch):
    monkeypatch.setenv("PORTICO_VERIFY_SECONDS", "1")

    assert "took longer than 1 seconds; it was stopped while loading" in said(running(code))


def test_endless_prediction_stopped_and_named(monkeypatch):
    monkeypatch.setenv("PORTICO_VERIFY_SECONDS", "1")

    assert "it was stopped while answering a single row" in said(predicting("time.sleep(60)"))


def test_model_that_dies_of_many_rows_refused_naming_them():
    message = said(predicting("if len(X) > 50: os.kill(os.getpid(), 11)\nreturn [1.5] * len(X)"))

    assert "(answering 1,000 rows), and crashed Python itself" in message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("b'{\"manifest\": {}}\\n'", "makes no sense"),
        ('b\'{"manifest": {"features": NaN}}\\n\'', "ended the check by itself"),
        ("b'[' * 200_000 + b'\\n'", "ended the check by itself"),
        ("b'[]\\n'", "ended the check by itself"),
        ("b'\\xff\\n'", "ended the check by itself"),
        ("b'{\"rejected\": \"' + b'x' * 9_000 + b'\"}\\n'", "x" * 1_000),
        ("b'x' * (6 << 20)", "description is too long"),
    ],
)
def test_answer_that_a_model_forges_is_not_believed(answer, words):
    forging = (
        f"for pipe in range(3, 1024):\n    try:\n        left = {answer}\n"
        "        while left: left = left[os.write(pipe, left):]\n    except OSError: pass\nos._exit(0)"
    )

    message = said(running(forging))

    assert words in message
    assert len(message) <= 1_000


def test_model_that_reads_files_while_predicting_is_flagged():
    body = "try: open('/etc/hostname')\nexcept OSError: pass\nreturn [1.5] * len(X)"

    manifest = verified(predicting(body))["manifest"]

    assert [flag["code"] for flag in manifest["flags"]] == ["reads_files"]
    assert "While predicting it opens files." in manifest["flags"][0]["message"]


def test_ordinary_model_is_not_flagged(standing):
    manifest = verified(array_model())["manifest"]

    assert manifest["flags"] == []
    assert 0 < manifest["memory_bytes"] < 500_000_000


def test_model_that_fills_half_the_function_is_flagged_as_large(monkeypatch):
    monkeypatch.setenv("PORTICO_PREDICT_MEMORY_BYTES", "100000000")

    flags = verified(array_model())["manifest"]["flags"]

    assert [flag["code"] for flag in flags] == ["large"]


def test_function_with_little_memory_gives_its_models_less(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")

    assert sandbox.memory_limit_bytes() == (1024 - 192) << 20
    assert "needs more memory" in said(running("found = bytearray(900 << 20)"))


def test_parent_is_closed_to_other_processes_while_a_model_is_checked(monkeypatch):
    seen = []
    original = Sandbox.examine

    def look(child, job):
        seen.append(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
        return original(child, job)

    monkeypatch.setattr(Sandbox, "examine", look)

    verified(array_model())

    assert seen == [0]


def test_readable_paths_hold_no_home_and_no_temporary_folder():
    paths = [Path(path) for path in walls.readable_paths()]

    assert Path.home() not in paths
    assert Path("/") not in paths
    assert not any(Path("/tmp").is_relative_to(path) for path in paths)  # noqa: S108


@pytest.mark.parametrize("system", ["Darwin", "FreeBSD"])
def test_system_without_filters_runs_without_these_walls(system, monkeypatch):
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(sysname=system, machine="arm64"))

    assert landlock.allow_only(["/"]) is False
    assert seccomp.refuse_calls() is False


def _judge(machine: seccomp.Machine, number: int, argument: int = 0, *, architecture: int | None = None) -> int:
    """What the filter returns for a call: the kernel's part, in a few lines."""
    program = seccomp.build_filter(machine, own_pid=77)
    words = {0: number, 4: machine.audit_architecture if architecture is None else architecture, 16: argument}
    place = value = 0
    while True:
        code, if_true, if_false, operand = program[place]
        place += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = words[operand]
            continue
        holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
        place += if_true if holds else if_false


_ALLOWED, _REFUSED, _NOT_THERE, _KILLED = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_filter_of_each_machine_refuses_what_it_says(name):
    machine = seccomp.MACHINES[name]
    read = {"x86_64": 0, "aarch64": 63}[name]

    assert _judge(machine, read) == _ALLOWED
    assert {_judge(machine, number) for calls in machine.refused.values() for number in calls.values()} == {_REFUSED}
    assert _judge(machine, machine.clone3) == _NOT_THERE
    assert _judge(machine, machine.clone, 0x3D0F00) == _ALLOWED  # a thread
    assert _judge(machine, machine.clone, 17) == _REFUSED  # a process
    assert [_judge(machine, machine.kill[0], pid) for pid in (77, 78, 0)] == [_ALLOWED, _REFUSED, _REFUSED]
    assert [_judge(machine, machine.prlimit64, pid) for pid in (77, 78, 0)] == [_ALLOWED, _REFUSED, _ALLOWED]
    assert _judge(machine, read, architecture=0x40000003) == _KILLED  # 32-bit calls have other numbers


def test_filter_refuses_the_second_set_of_numbers_of_x86():
    assert _judge(seccomp.MACHINES["x86_64"], 0x40000000 | 41) == _REFUSED
