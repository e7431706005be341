"""What waits for S3: one object for calls that come together, nothing lost while S3 is away, and a bound to it."""

import json
import re
from collections.abc import Iterator

import pytest

from predictor import bucket, capture_buffer
from predictor.capture_buffer import FLUSH_COUNT, FLUSH_S, MAX_COUNT, RETRY_S, Buffer
from tests.predictor.factories import Clock


class Line:
    def __init__(self, text: str, size_bytes: int = 10) -> None:
        self.text, self.size_bytes = text, size_bytes

    def line(self) -> str:
        if not self.text:
            raise ValueError("a value of somebody's")
        return self.text


@pytest.fixture
def buffer(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Buffer]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    made: Buffer = Buffer(clock=clock)
    yield made
    made.close()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nobody listens where S3 was; undone by its undo()."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        yield patch


def _objects() -> dict[str, list[str]]:
    found = bucket.client().list_objects_v2(Bucket=bucket.name(), Prefix="captures/").get("Contents", [])
    return {entry["Key"]: bucket.read(entry["Key"], limit_bytes=10**7).body.decode().splitlines() for entry in found}


def _add(buffer: Buffer, *texts: str) -> None:
    for text in texts:
        buffer.add(Line(text))


def test_flush_writes_all_that_waits_into_one_object(buffer):
    _add(buffer, "one", "two")

    buffer.flush()
    buffer.flush()

    ((key, lines),) = _objects().items()
    assert re.fullmatch(r"captures/\d{4}/\d\d/\d\d/\d{6}\.\d{6}-[0-9a-f]{8}-1\.jsonl", key)
    assert lines == ["one", "two"]


def test_keys_are_in_the_order_in_which_they_were_written(buffer):
    for text in ("one", "two", "three"):
        _add(buffer, text)
        buffer.flush()

    assert [line for _, (line,) in sorted(_objects().items())] == ["one", "two", "three"]


def test_objects_are_written_where_only_boto3_can(buffer, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.client().meta.endpoint_url)
    _add(buffer, "one")

    buffer.flush()

    assert list(_objects().values()) == [["one"]]
    assert buffer._connection._open is None


def test_flush_is_due_after_a_second_or_where_much_waits(buffer, clock):
    assert not buffer.is_due()
    _add(buffer, "one")
    assert buffer.is_due()
    buffer.flush()
    _add(buffer, "two")
    assert not buffer.is_due()

    _add(buffer, *["more"] * (FLUSH_COUNT - 1))

    assert buffer.is_due()
    buffer.flush()
    buffer.add(Line("large", size_bytes=capture_buffer.FLUSH_BYTES))
    assert buffer.is_due()
    buffer.flush()
    _add(buffer, "three")
    clock.now += FLUSH_S
    assert buffer.is_due()


def test_what_s3_did_not_take_is_written_with_what_came_since(buffer, clock, away, capsys):
    _add(buffer, "one", "two")
    buffer.flush()
    _add(buffer, *["three"] * FLUSH_COUNT)
    assert not buffer.is_due()
    clock.now += RETRY_S
    assert buffer.is_due()
    away.undo()

    buffer.flush()

    assert list(_objects().values()) == [["one", "two", *["three"] * FLUSH_COUNT]]
    assert capsys.readouterr().out == ""


def test_oldest_are_lost_beyond_a_bound_and_the_log_says_how_many(buffer, away, capsys):
    _add(buffer, "one", "two")
    buffer.flush()
    _add(buffer, *map(str, range(MAX_COUNT - 1)))
    buffer.flush()
    away.undo()

    buffer.flush()

    (lines,) = _objects().values()
    assert lines == ["two", *map(str, range(MAX_COUNT - 1))]
    assert json.loads(capsys.readouterr().out) == {"event": "captures_lost", "count": 1, "reason": "NotConnected"}


def test_bound_counts_bytes_as_well(buffer, capsys):
    for text in ("one", "two", "three"):
        buffer.add(Line(text, size_bytes=capture_buffer.MAX_BYTES // 2))

    buffer.flush()

    assert list(_objects().values()) == [["two", "three"]]
    assert json.loads(capsys.readouterr().out)["count"] == 1


def test_entry_that_cannot_be_written_keeps_no_other(buffer, capsys):
    _add(buffer, "one", "", "two")

    buffer.flush()

    assert list(_objects().values()) == [["one", "two"]]
    bug, lost = map(json.loads, capsys.readouterr().out.splitlines())
    assert (bug["event"], bug["exception"]) == ("bug", "ValueError")
    assert "somebody" not in str(bug)
    assert lost == {"event": "captures_lost", "count": 1, "reason": "ValueError"}


def test_last_flush_that_fails_says_what_is_lost(buffer, away, capsys):
    _add(buffer, "one", "two")

    buffer.flush(is_last=True)

    assert json.loads(capsys.readouterr().out) == {"event": "captures_lost", "count": 2, "reason": "NotConnected"}


def test_flush_after_a_failure_that_is_over_is_quiet(buffer, away, capsys):
    _add(buffer, "one")
    buffer.flush()
    away.undo()
    buffer.flush()

    buffer.flush(is_last=True)

    assert capsys.readouterr().out == ""
