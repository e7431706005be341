"""How log lines look, Django's and gunicorn's alike: an object of JSON each, on a laptop a line to read.

Each line says which request it belongs to (portal/request_ids.py). No values of features, passwords or tokens: nothing
logs a body or a query, and lines about requests name paths alone.
"""

import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import Any

from portal import request_ids

# What a line may say of a request, in this order, beside the request's id and who asked.
FACTS = ("method", "path", "status", "duration_ms")
# PostgreSQL quotes the row that it refuses, with what somebody asked about.
ROW = re.compile(r"^DETAIL:.*?(?=^\w[\w.]*(?:Error|Exception)\b|^Traceback |^During |^The above |\Z)", re.M | re.S)


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, request_id, user_id, the FACTS, exception: those that there are."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts_of(record),
        }
        if record.exc_info:
            line["exception"] = _without_rows(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """For people who watch a terminal. A line stays one line, whoever put a line break into it."""

    def format(self, record: logging.LogRecord) -> str:
        facts = _facts_of(record)
        words = [
            datetime.fromtimestamp(record.created).strftime("%H:%M:%S"),
            f"{record.levelname:<7}",
            record.name,
            *([f"[{facts['request_id']}]"] if "request_id" in facts else []),
            record.getMessage().replace("\r", "\\r").replace("\n", "\\n"),
            *([f"user {facts['user_id']}"] if "status" in facts and "user_id" in facts else []),
        ]
        line = " ".join(words)
        return f"{line}\n{_without_rows(self.formatException(record.exc_info))}" if record.exc_info else line


class AsWarning(logging.Filter):
    """What any stranger can cause is no error of ours, and where it happened tells nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
        return True


def make_formatter() -> logging.Formatter:
    """JSON, but where PORTICO_ENV is `local`."""
    return TextFormatter() if os.environ.get("PORTICO_ENV") == "local" else JsonFormatter()


def _without_rows(traceback: str) -> str:
    return ROW.sub("DETAIL: left out, since it quotes a row.\n", traceback).rstrip()


def _facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What is known of the request: as the record says itself (`extra={"asked": …}`), else of the one at hand."""
    asked = getattr(record, "asked", None) or request_ids.current()
    facts: dict[str, Any] = {}
    if asked is not None:
        facts = {"request_id": asked.id, "user_id": asked.user_id}
        facts |= {"method": asked.request.method, "path": asked.request.path}
    facts |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
    return {name: fact for name, fact in facts.items() if fact is not None}
