"""What a portal in production writes while people use it: one object of JSON a line, and nothing that is theirs."""

import html
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from deploy.embedded.ports import LOOPBACK, find_free_port

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 60
STACK_KEY = "stack-key-0b6e2c9d8f7a41e5b3c4d5e6f7a8b9c0"
PASSWORD, WRONG_PASSWORD = "right-horse-battery-71", "wrong-horse-battery-72"
TOKEN, CODE = "portico_token-that-is-mistyped-73", "code-of-a-sign-in-74"
VALUE, OTHER_VALUE, CELL, FILE = "44.71625", "atlantis-75", "51.71626", "customers-of-76.csv"
SECRETS = (STACK_KEY, PASSWORD, WRONG_PASSWORD, TOKEN, CODE, VALUE, OTHER_VALUE, CELL, FILE, "ada")
PREPARE = f"""
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0); call_command("collectstatic", interactive=False, verbosity=0)
from tests.portal.factories import make_user, make_version
make_version(); ada = make_user("ada"); ada.set_password("{PASSWORD}"); ada.save(); print(ada.pk)
"""


@dataclass
class Visitor:
    """A browser, as far as it matters here, behind a proxy that has taken HTTPS off."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        headers = {
            "X-Forwarded-Proto": "https",
            "Origin": f"https://{LOOPBACK}:{self.port}",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        } | headers
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        page = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, page

    def post(self, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
        """Fill in the form that is at this address."""
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask(path)[2])
        return self.ask(path, urlencode({"csrfmiddlewaretoken": found.group(1) if found else "", **fields}).encode())


@dataclass(frozen=True)
class Story:
    """What was done: the answers by name (status, headers, page), who did it, and everything that was logged."""

    answers: dict[str, tuple[int, dict[str, str], str]]
    user_id: int
    lines: list[str]

    def of(self, name: str) -> list[dict[str, Any]]:
        """The lines of one of the answers."""
        asked = self.answers[name][1]["x-request-id"]
        return [line for line in map(json.loads, self.lines) if line.get("request_id") == asked]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A portal in production whose cloud side is away."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PORTICO_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTICO_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "PORTICO_SECRET_KEY": f"{STACK_KEY}-of-django",
        "PORTICO_MANIFEST_KEY": STACK_KEY,
        "PORTICO_ALLOWED_HOSTS": LOOPBACK,
        "PORTICO_BUCKET": "bucket",
        "PORTICO_PREDICT_FUNCTION": "predict",
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{find_free_port()}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIA-of-nobody",
        "AWS_SECRET_ACCESS_KEY": STACK_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
    }


@pytest.fixture(scope="module")
def story(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Somebody signs in, predicts and uploads, and not everything works."""
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PREPARE], env=environment, cwd=ROOT, check=True, capture_output=True
    )
    written, port = tmp_path_factory.mktemp("log") / "log", find_free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "portal/gunicorn.conf.py", "--bind", f"{LOOPBACK}:{port}"]
    with written.open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            answers = act(Visitor(port), Path(environment["PORTICO_STATE_DIR"]), server)
        finally:
            server.terminate()
            server.wait(timeout=30)
    yield Story(answers, int(made.stdout.split()[-1]), written.read_text().splitlines())


def act(ada: Visitor, state: Path, server: subprocess.Popen) -> dict[str, tuple[int, dict[str, str], str]]:
    await_health(ada, server)
    door = urlsplit(ada.ask("/")[1]["location"]).path
    predict = "/models/penguins/"
    answers = {
        "stylesheet": ada.ask("/static/portico/nothing.css"),
        "back": ada.ask(f"{door}?code={CODE}&next=/"),
        "wrong": ada.post(door, username="ada", login="ada", password=WRONG_PASSWORD),
        "right": ada.post(door, username="ada", login="ada", password=PASSWORD),
        "bad": ada.post(predict, f0=VALUE, f1=OTHER_VALUE),
        "away": ada.post(predict, f0=VALUE, f1="Dream"),
        "upload": upload(ada, f"{predict}batch/"),
        "token": ada.ask("/api/models/penguins/versions/1/", Authorization=f"Bearer {TOKEN}"),
        "host": ada.ask("/", Host="elsewhere.example"),
        "twice": ada.ask("/", **{"X-Request-Id": "00000000deadbeef"}),
    }
    for file in state.glob("portal.sqlite3*"):
        file.unlink()
    return answers | {"broken": ada.ask(f"/history/?code={CODE}")}


def await_health(visitor: Visitor, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if visitor.ask("/health/")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("The portal did not start.")


def upload(visitor: Visitor, path: str) -> tuple[int, dict[str, str], str]:
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|opening)" value="([^"]+)"', visitor.ask(path)[2]))
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    file = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{FILE}"\r\nContent-Type: text/csv\r\n\r\n'
    body = "".join([*parts, file, f"bill_length_mm,island,year\r\n{CELL},Dream,2008\r\n--b--\r\n"])
    return visitor.ask(path, body.encode(), **{"Content-Type": "multipart/form-data; boundary=b"})


def test_story_went_as_it_should(story: Story):
    statuses = {name: answer[0] for name, answer in story.answers.items()}

    assert statuses.pop("wrong") in (200, 401, 422)
    assert statuses == {
        "stylesheet": 404, "back": 200, "right": 302, "bad": 422, "away": 503, "upload": 503, "token": 401,
        "host": 400, "twice": 200, "broken": 503,
    }  # fmt: skip


def test_every_line_is_one_object_of_json_with_the_same_names(story: Story):
    lines = [json.loads(line) for line in story.lines]

    named = {"time", "level", "logger", "message", "request_id", "user_id", "method", "path", "status", "duration_ms"}
    assert all({"time", "level", "logger", "message"} <= line.keys() <= named | {"exception"} for line in lines)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_that_somebody_typed_sent_or_keeps_secret_is_in_the_log(story: Story, secret: str):
    assert [line for line in story.lines if re.search(rf"\b{re.escape(secret)}\b", line)] == []


def test_each_request_has_exactly_one_line_that_says_how_it_went(story: Story):
    for name, (status, headers, _) in story.answers.items():
        told = [line for line in story.of(name) if "status" in line]
        assert len(told) == 1, name
        assert (told[0]["status"], told[0]["logger"]) == (status, "gunicorn.access")
        assert told[0]["duration_ms"] >= 0
        assert "?" not in told[0]["path"] + told[0]["message"]
        assert headers["x-request-id"] == told[0]["request_id"]


def test_line_of_who_is_signed_in_has_a_number_for_a_name(story: Story):
    assert {line["user_id"] for name in ("bad", "away", "upload") for line in story.of(name)} == {story.user_id}
    assert all("user_id" not in line for line in story.of("back"))


@pytest.mark.parametrize("name", ["away", "upload", "broken", "host"])
def test_reference_on_the_page_is_the_one_beside_the_cause(story: Story, name: str):
    _, headers, page = story.answers[name]

    shown = re.search(r"Reference:? (?:<code>)?(\w+)", html.unescape(page)).group(1)
    causes = [line for line in story.of(name) if line["level"] in ("ERROR", "WARNING")]
    assert shown == headers["x-request-id"]
    assert len(causes) == 1
    assert {"away": "BackendAway", "upload": "BackendAway", "broken": "OperationalError", "host": "HTTP_HOST"}[
        name
    ] in causes[0]["message"]


def test_bug_has_its_whole_traceback_in_one_field_and_nothing_on_the_page(story: Story):
    (line,) = [line for line in story.of("broken") if "exception" in line]

    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert "no such table" in line["exception"]
    assert not any(word in story.answers["broken"][2] for word in ("Traceback", "no such table", ".py"))


def test_id_that_a_stranger_sends_is_not_taken(story: Story):
    assert story.answers["twice"][1]["x-request-id"] != "00000000deadbeef"
    assert not any("00000000deadbeef" in line for line in story.lines)


def test_checks_of_health_are_no_news(story: Story):
    assert not any("/health/" in line for line in story.lines)


def test_first_line_says_what_the_portal_runs_as(story: Story):
    first = json.loads(story.lines[0])["message"]

    assert re.match(r"Portico \d+\.\d+\.\d+ starts: production, SQLite, Django [\d.]+, Python [\d.]+\. Set: ", first)
    given, _, missing = first.partition(" Not set: ")
    assert {"PORTICO_BUCKET", "PORTICO_PREDICT_FUNCTION", "PORTICO_MANIFEST_KEY"} <= set(
        re.findall(r"PORTICO_\w+", given)
    )
    assert "PORTICO_VERIFY_FUNCTION" in missing
