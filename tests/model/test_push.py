"""The client of a training pipeline: alone in a folder, on the real stack and against whatever it may be told."""

import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from model import push as client
from model.push import Meter, PushError, push
from portal.accounts import roles, tokens
from portal.registry import states
from portal.registry.models import ModelVersion
from tests.portal.factories import make_user

ROOT = Path(__file__).parents[2]


@pytest.fixture
def token(live_server: Any, cloud: None) -> str:
    """Of a model owner; the database of a live server is empty but for the roles."""
    roles.write_roles(Group.objects, Permission.objects)
    return tokens.make_token(make_user("olga", roles.MODEL_OWNER), name="nightly", days=1)[1]


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with a copy of that one file."""
    shutil.copy(ROOT / "model" / "push.py", tmp_path)
    return tmp_path


def run(folder: Path, *arguments: object, token: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", "push.py", *map(str, arguments)]
    environment = {"PORTICO_API_TOKEN": token}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_push_alone_in_a_folder_takes_a_sample_to_live(alone: Path, token: str, live_server: Any, samples: Path):
    file = samples / "diabetes" / "model.joblib"

    done = run(alone, file, "--model", "diabetes", "--live", "--url", live_server.url, token=token)

    assert done.returncode == 0, done.stderr
    version = ModelVersion.objects.get()
    assert (version.state, version.model.slug, version.created_by.username) == (states.LIVE, "diabetes", "olga")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Uploading: ") and lines[-1] == "Version 1 of diabetes is live."


def test_push_of_a_hostile_file_ends_with_the_reasons(alone: Path, token: str, live_server: Any):
    (alone / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    done = run(alone, "model.pkl", "--model", "innocent", "--live", "--url", live_server.url, token=token)

    assert done.returncode == 1
    assert "Version 1 was rejected:\n  " in done.stderr
    assert ModelVersion.objects.get().state == states.REJECTED


@pytest.mark.parametrize(
    ("arguments", "token", "told"),
    [
        (["--url", "ftp://portal"], "portico_x", "no address"),
        (["--url", "http://127.0.0.1:9"], "portico_x", "http://127.0.0.1:9 cannot be reached"),
        ([], "", "Set PORTICO_API_TOKEN."),
    ],
)
def test_push_that_cannot_begin_says_why(alone: Path, arguments: list[str], token: str, told: str):
    (alone / "model.pkl").write_bytes(b"a model")

    done = run(alone, "model.pkl", "--model", "churn", *arguments, token=token)

    assert done.returncode == 1
    assert told in done.stderr and "Traceback" not in done.stderr


def test_push_of_a_file_that_is_not_there_says_so(alone: Path):
    done = run(alone, "missing.pkl", "--model", "churn", token="portico_x")

    assert done.returncode == 1
    assert "missing.pkl" in done.stderr and "Traceback" not in done.stderr


class Script(http.server.BaseHTTPRequestHandler):
    """Answers what the test has laid ready: path → answers, one after another, the last one again and again."""

    ready: dict[str, list[tuple[int, Any]]] = {}
    received: list[int] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        while length > 0:
            length -= len(self.rfile.read(min(length, 65536)))
        self.do_GET()

    def do_GET(self) -> None:
        answers = self.ready[self.path]
        status, content = answers.pop(0) if len(answers) > 1 else answers[0]
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a portal and bucket that say what a test wants; at first, that all goes well."""
    monkeypatch.setattr(client, "ASK_EVERY_S", 0.01)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Script) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        Script.ready = {
            "/api/models/churn/uploads/": [(201, {"url": f"{url}/bucket", "fields": {"key": "k"}, "ticket": "t"})],
            "/bucket": [(204, b"")],
            "/api/models/churn/versions/": [(201, version("uploaded"))],
            "/api/models/churn/versions/1/check/": [(200, version("ready"))],
            "/api/models/churn/versions/1/": [(200, version("ready"))],
            "/api/models/churn/versions/1/live/": [(200, version("live"))],
        }
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield url
        server.shutdown()


def version(state: str, **facts: Any) -> dict[str, Any]:
    told = {"version": 1, "state": state, "page": "p", "stage_words": "", "checking_seconds": None}
    return {**told, "warnings": [], "flags": [], "reasons": [], **facts}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"a model" * 100_000)
    return path


def push_to(url: str, file: Path, **more: Any) -> list[str]:
    said: list[str] = []
    push(file, model="churn", url=url, token="portico_x", say=said.append, **more)
    return said


def test_push_tells_stages_notes_and_quarters_of_the_way(script: str, file: Path):
    Script.ready["/api/models/churn/versions/1/"] = [
        (200, version("checking", stage_words="Reading it", checking_seconds=0.1)),
        (200, version("ready", warnings=["Old."], flags=[{"code": "slow", "message": "Slow."}])),
    ]

    said = push_to(script, file, live=True)

    assert [line for line in said if line.startswith("Uploading")][-1] == "Uploading: 0.7 of 0.7 MB, 100 %"
    assert said[-5:] == [
        "Reading it …",
        "Note: Old.",
        "Note: Slow.",
        "Version 1 passed the check.",
        "Version 1 of churn is live.",
    ]


def test_push_whose_long_call_is_cut_off_goes_on_watching(script: str, file: Path):
    Script.ready["/api/models/churn/versions/1/check/"] = [(504, b"gateway timeout")]
    under_way = (200, version("checking", stage_words="Trying it", checking_seconds=60.0))
    Script.ready["/api/models/churn/versions/1/"] = [under_way, under_way, (200, version("ready"))]

    assert push_to(script, file)[-1] == "Version 1 passed the check."


@pytest.mark.parametrize(
    ("path", "answer", "told"),
    [
        ("uploads/", (401, {"error": {"code": "unauthorized", "message": "Not valid."}}), "Not valid."),
        ("uploads/", (200, b"<html>"), "not as Portico does"),
        ("versions/", (409, {"error": {"code": "refused", "message": "Taken."}}), "Taken."),
        (
            "versions/1/",
            (200, version("rejected", reasons=["It names os.system."])),
            "rejected:\n  It names os.system.",
        ),
        ("versions/1/live/", (409, {"error": {"code": "rows_moved", "message": "Moved."}}), "Moved."),
    ],
)
def test_push_that_is_refused_says_what_the_portal_said(
    script: str, file: Path, path: str, answer: tuple[int, Any], told: str
):
    Script.ready[f"/api/models/churn/{path}"] = [answer]

    with pytest.raises(PushError) as refused:
        push_to(script, file, live=True)

    assert told in str(refused.value)


def test_push_that_the_bucket_refuses_says_so(script: str, file: Path):
    Script.ready["/bucket"] = [(403, b"<Error>EntityTooLarge</Error>")]

    with pytest.raises(PushError, match="status 403.*EntityTooLarge"):
        push_to(script, file)


def test_push_whose_check_fails_on_the_portals_side_says_what_that_said(script: str, file: Path):
    away = {"error": {"code": "away", "message": "Away. Reference: 1234."}}
    Script.ready["/api/models/churn/versions/1/check/"] = [(503, away)]
    Script.ready["/api/models/churn/versions/1/"] = [(200, version("checking"))]

    with pytest.raises(PushError, match="Away. Reference: 1234."):
        push_to(script, file)


def test_meter_on_a_terminal_writes_one_line_that_changes(monkeypatch: pytest.MonkeyPatch, capsys: Any):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    meter = Meter(print)

    for sent in (1, 1, 2):
        meter.at(sent, 2)

    assert capsys.readouterr().err.count("\r") == 2
