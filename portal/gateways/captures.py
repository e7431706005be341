"""What the API answered: the calls that the functions leave in the bucket, as JSON Lines.

An object may be cut off, a line may be anything: what cannot be read is told from what only a later release can.
Source: docs/contract.md section 10
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.gateways import storage
from portal.gateways.contract import Answer

PREFIX = "captures/"
FORMAT = 1
# The functions write 5 MB at most; nothing larger is theirs.
OBJECT_MAX_BYTES = 64 * 1024**2
CALLS = ("singlePrediction", "batchPrediction")
SOURCES = ("page", "program")

_KEY = re.compile(r"captures/(\d{4}/\d\d/\d\d/\d{6}\.\d{6})-[0-9a-f]{8}-\d+\.jsonl")
_WRITTEN_AT = "%Y/%m/%d/%H%M%S"
_TEXT_MAX = 500
_ID_MAX, _SUB_MAX, _KEY_MAX = 64, 150, 1024
# Databases take neither: a NUL, and halves of characters, which JSON may spell.
_HALVES = re.compile("[\x00\ud800-\udfff]")


class LaterFormat(ValueError):
    """A line that a later release writes, and can read."""


@dataclass(frozen=True)
class Object:
    """An object that lies there. written_at: as its key says"""

    key: str
    written_at: datetime
    size_bytes: int


@dataclass(frozen=True)
class Person:
    """Who called, as the user pool says."""

    sub: str
    email: str
    username: str


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        version: number; sha256: of the version's file
        person: None where nobody checked who calls
        inputs: None where values are not kept
        answer: None where it was refused or failed, and of batches
        code, message: of the error; the message is empty where it was not kept
        file, job, owner, result: of batches; empty where there is none
    """

    id: str
    at: datetime
    name: str
    status: int
    slug: str
    version: int
    sha256: str
    person: Person | None
    source: str
    inputs: dict[str, Any] | None
    answer: Answer | None
    code: str
    message: str
    file: str
    job: str
    owner: str
    result: str

    @property
    def is_batch(self) -> bool:
        return self.name == "batchPrediction"

    @property
    def is_answered(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Content:
    """What an object holds. `unreadable` and `later` are numbers of lines, counted from 1."""

    calls: list[Call]
    unreadable: list[int]
    later: list[int]

    @property
    def lines(self) -> int:
        return len(self.calls) + len(self.unreadable) + len(self.later)


def objects_after(moment: datetime | None) -> Iterator[list[Object]]:
    """What was written since, in the order of the keys, some hundreds at a time. Raises: GatewayError."""
    start = f"{PREFIX}{moment.astimezone(UTC):{_WRITTEN_AT}}" if moment else ""
    for listed in storage.list_after(start, prefix=PREFIX):
        found = ((key, _written_at(key), size_bytes) for key, size_bytes in listed)
        yield [Object(key, written_at, size_bytes) for key, written_at, size_bytes in found if written_at]


def read(found: Object) -> Content | None:
    """The calls of an object, or None where it is gone. Raises: GatewayError."""
    if found.size_bytes > OBJECT_MAX_BYTES:
        return Content([], [1], [])
    body = storage.get_bytes(found.key)
    return None if body is None else read_lines(body)


def read_lines(body: bytes) -> Content:
    """The calls of an object's content; a line that is of no use takes none of the others with it."""
    content = Content([], [], [])
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            content.calls.append(read_line(line))
        except LaterFormat:
            content.later.append(number)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            content.unreadable.append(number)
    return content


def read_line(line: bytes) -> Call:
    """One call. Raises: LaterFormat; ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError."""
    entry = json.loads(line.decode("utf-8"), parse_constant=str, parse_float=_read_float)
    if isinstance(entry.get("v"), int) and entry["v"] > FORMAT:
        raise LaterFormat
    if entry["v"] != FORMAT:
        raise ValueError("It has no format.")
    entry = _for_databases(entry)
    error = entry.get("error") or {}
    person = entry.get("person")
    inputs = entry.get("inputs")
    name, status = _one_of(CALLS, entry["call"]), int(entry["status"])
    return Call(
        id=_name(entry["id"], most=_ID_MAX),
        at=_moment(entry["at"]),
        name=name,
        status=status,
        slug=_name(entry["model"], most=100),
        version=int(entry["version"]),
        sha256=_name(entry["sha256"], most=64),
        person=_read_person(person) if person else None,
        source=_one_of(SOURCES, entry["source"]),
        inputs=None if inputs is None else dict(inputs),
        answer=_read_answer(entry) if name == "singlePrediction" and 200 <= status < 300 else None,
        code=str(error.get("code") or ""),
        message=str(error.get("message") or "")[:_TEXT_MAX],
        file=_text(entry.get("file") or "", most=_KEY_MAX),
        job=_text(entry.get("job") or "", most=36),
        owner=_text(entry.get("owner") or "", most=36),
        result=_text(entry.get("result") or "", most=_KEY_MAX),
    )


def _written_at(key: str) -> datetime | None:
    """None for what the functions did not write."""
    match = _KEY.fullmatch(key)
    try:
        return datetime.strptime(match[1], f"{_WRITTEN_AT}.%f").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def _read_answer(entry: Mapping[str, Any]) -> Answer:
    answer = Answer.from_json(entry)
    numbers = [answer.value, answer.milliseconds, *(answer.probabilities or ()), *(answer.scores or ())]
    if not all(number is None or (isinstance(number, int | float) and math.isfinite(number)) for number in numbers):
        raise ValueError("An answer's numbers are finite.")
    return answer


def _read_person(person: Mapping[str, Any]) -> Person:
    return Person(
        sub=_name(person["sub"], most=_SUB_MAX),
        email=str(person.get("email") or ""),
        username=str(person.get("username") or ""),
    )


def _read_float(text: str) -> float | str:
    """What no database's JSON has stays as it was written."""
    number = float(text)
    return number if math.isfinite(number) else text


def _for_databases(value: Any) -> Any:
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_for_databases(item) for item in value]
    if isinstance(value, dict):
        return {_for_databases(name): _for_databases(item) for name, item in value.items()}
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("A moment without a zone is none.")
    return moment.astimezone(UTC)


def _text(value: str, *, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError("A text is missing, or too long.")
    return value


def _name(value: str, *, most: int) -> str:
    if not value:
        raise ValueError("A name is empty.")
    return _text(value, most=most)


def _one_of(words: tuple[str, ...], value: str) -> str:
    if value not in words:
        raise ValueError("It is none of the words that there are.")
    return value
