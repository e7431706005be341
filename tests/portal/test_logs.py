"""One line each: JSON for programs, words for people."""

import json
import logging
import sys
import tomllib
from pathlib import Path

import pytest
from django.test import RequestFactory

from portal import VERSION, logs, request_ids, running_as

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
POSTGRESQL = (
    'null value in column "words" of relation "predictions_prediction" violates not-null constraint\n'
    'DETAIL:  Failing row contains (5b0cbb0e, {"bill_length_mm": 44.71625,\n "island": "atlantis-75"}).'
)


def record(message: str = "It happened.", *, error: Exception | None = None, **extra) -> logging.LogRecord:
    exc_info = None
    if error is not None:
        try:
            raise error
        except Exception:
            exc_info = sys.exc_info()
    made = logging.makeLogRecord(
        {"name": "portal.registry", "levelno": logging.ERROR, "levelname": "ERROR", "msg": message, "created": 0.0125}
    )
    made.exc_info = exc_info
    made.__dict__.update(extra)
    return made


@pytest.fixture
def asked():
    yield request_ids.begin(RequestFactory().post("/models/penguins/?text=secret"), proxies=[])
    request_ids.end()


def test_json_line_outside_a_request_says_when_where_and_what():
    line = logs.JsonFormatter().format(record())

    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.012Z", "level": "ERROR", "logger": "portal.registry", "message": "It happened.",
    }  # fmt: skip


def test_json_line_within_a_request_says_which_without_its_query(asked):
    line = logs.JsonFormatter().format(record(status=503, duration_ms=12))

    said = json.loads(line)
    assert (said["request_id"], said["method"], said["path"]) == (asked.id, "POST", "/models/penguins/")
    assert (said["status"], said["duration_ms"]) == (503, 12)
    assert "secret" not in line


@pytest.mark.parametrize("message", ["two\nlines", "a \x1b[31m colour", 'a "quote"', "Größe\u2028"])
def test_json_line_stays_one_whatever_is_in_the_message(message: str):
    line = logs.JsonFormatter().format(record(message))

    assert "\n" not in line
    assert json.loads(line)["message"] == message


def test_json_line_keeps_a_traceback_in_one_field():
    line = logs.JsonFormatter().format(record(error=RuntimeError("inside")))

    assert "\n" not in line
    assert json.loads(line)["exception"].startswith("Traceback")
    assert json.loads(line)["exception"].endswith("RuntimeError: inside")


def test_text_line_is_to_be_read_and_has_the_id(asked):
    line = logs.TextFormatter().format(record("two\nlines"))

    assert line.partition(" ")[2] == f"ERROR   portal.registry [{asked.id}] two\\nlines"


def test_text_line_is_followed_by_a_traceback_on_lines_of_its_own():
    first, *rest = logs.TextFormatter().format(record(error=RuntimeError("inside"))).splitlines()

    assert first.endswith("portal.registry It happened.")
    assert (rest[0], rest[-1]) == ("Traceback (most recent call last):", "RuntimeError: inside")


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.TextFormatter()])
def test_row_that_the_database_quotes_is_left_out(formatter: logging.Formatter):
    try:
        raise ValueError(POSTGRESQL)
    except ValueError as cause:
        error = RuntimeError("after it")
        error.__cause__ = cause

    line = formatter.format(record(error=error))

    assert "violates not-null constraint" in line and "RuntimeError: after it" in line
    assert "44.71625" not in line and "atlantis-75" not in line


@pytest.mark.parametrize(("target", "kind"), [("local", logs.TextFormatter), ("production", logs.JsonFormatter)])
def test_lines_are_for_people_on_a_laptop_alone(monkeypatch, target: str, kind: type):
    monkeypatch.setenv("PORTICO_ENV", target)

    assert type(logs.make_formatter()) is kind


def test_what_a_stranger_can_cause_is_a_warning_without_a_traceback():
    found = record(error=RuntimeError())

    assert logs.AsWarning().filter(found)
    assert (found.levelname, found.exc_info) == ("WARNING", None)


def test_description_of_the_portal_names_variables_and_not_what_is_in_them(settings):
    settings.PORTICO_MANIFEST_KEY = "a-secret-of-ours"
    settings.PORTICO_API_URL = ""

    said = running_as.describe()

    given, _, missing = said.partition("Not set: ")
    assert "PORTICO_MANIFEST_KEY" in given and "PORTICO_API_URL" in missing
    assert "a-secret-of-ours" not in said


def test_version_is_the_projects():
    project = tomllib.loads(PROJECT.read_text())["project"]

    assert project["version"] == VERSION
