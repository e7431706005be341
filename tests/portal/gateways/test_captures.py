"""What the functions leave of the API's calls, read line by line, and listed in the real bucket."""

import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.gateways import captures, storage
from tests.portal.captured import ADA, ANSWERED, key_at, lines, make_batch_call, make_call, make_refusal


def read_one(call: dict[str, Any]) -> captures.Call:
    (found,) = captures.read_lines(lines(call)).calls
    return found


def test_answered_call_is_read_with_all_there_is():
    found = read_one(make_call(id="c-1"))

    assert (found.id, found.at, found.slug, found.version) == (
        "c-1",
        datetime(2026, 3, 1, 12, 0, 0, 123456, UTC),
        "penguins",
        1,
    )
    assert found.person == captures.Person(**ADA)
    assert found.inputs == ANSWERED["inputs"]
    assert found.answer is not None and found.answer.probabilities == (0.25, 0.75)
    assert (found.answer.milliseconds, found.answer.is_cold) == (1.25, False)


def test_refused_call_has_no_answer_and_says_why():
    found = read_one(make_refusal())

    assert (found.answer, found.code, found.message) == (None, "bad_input", "year: 'x' is not a number")


def test_call_that_nobody_checked_without_values_has_neither_person_nor_inputs():
    call = make_call(person=None)
    del call["inputs"]

    found = read_one(call)

    assert (found.person, found.inputs) == (None, None)


def test_batch_is_read_with_its_file_and_where_its_result_lies():
    found = read_one(make_batch_call())

    assert (found.is_batch, found.answer, found.job) == (True, None, "")
    assert found.file.endswith("_colony.csv") and found.result.endswith("_colony_predictions.csv")


BROKEN = {
    "cut off": lines(make_call())[:-40],
    "not UTF-8": b'{"v": 1, "id": "\xff\xfe"}',
    "no JSON": b"upload finished",
    "no object": b"[1, 2]",
    "a number": b"7",
    "nested without end": b"[" * 100_000,
    "a number of 5,000 digits": b'{"v": 1, "id": ' + b"9" * 5_000 + b"}",
    "no format": lines({"id": "x"}),
    "an older format": lines(make_call(v=0)),
    "no id": lines(make_call(id="")),
    "an id that is too long": lines(make_call(id="x" * 65)),
    "another call": lines(make_call(call="describe")),
    "another source": lines(make_call(source="pigeon")),
    "a moment without a zone": lines(make_call(at="2026-03-01T12:00:00")),
    "a moment before the calendar": lines(make_call(at="0001-01-01T00:00:00+14:00")),
    "no answer though it was answered": lines({**make_call(), "prediction": None}),
    "an answer that is not finite": lines(make_call()).replace(b"0.75", b"1e999"),
    "a milliseconds that is text": lines(make_call(milliseconds="soon")),
    "a person without a sub": lines(make_call(person={"email": "x@example.org"})),
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_line_that_is_of_no_use_is_counted_and_takes_no_other_with_it(line: bytes):
    body = lines(make_call(id="before")) + line.rstrip(b"\n") + b"\n" + lines(make_call(id="after"))

    found = captures.read_lines(body)

    assert [call.id for call in found.calls] == ["before", "after"]
    assert (found.unreadable, found.later, found.lines) == ([2], [], 3)


def test_line_of_a_later_format_is_kept_for_a_later_release():
    found = captures.read_lines(lines(make_call(v=2, call="somethingNew")))

    assert (found.calls, found.unreadable, found.later) == ([], [], [1])


def test_values_that_no_database_takes_are_kept_as_what_comes_nearest():
    line = json.dumps(make_call(inputs={"a": "\x00", "b": "\ud800", "c": [{"d\x00": "\udfff"}]})).encode()
    line = line.replace(b'"a":', b'"n": NaN, "i": -Infinity, "h": 1e999, "e": 1e-999, "a":')

    (found,) = captures.read_lines(line).calls

    assert found.inputs == {
        "n": "NaN", "i": "-Infinity", "h": "1e999", "e": 0.0, "a": "\ufffd", "b": "\ufffd",
        "c": [{"d\ufffd": "\ufffd"}],
    }  # fmt: skip


def test_character_outside_the_first_plane_stays_whole():
    assert read_one(make_call(inputs={"text": "🐧"})).inputs == {"text": "🐧"}


def test_object_larger_than_any_of_the_functions_is_not_fetched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(storage, "get_bytes")
    found = captures.Object("captures/x", datetime.now(UTC), captures.OBJECT_MAX_BYTES + 1)

    content = captures.read(found)

    assert content is not None and (content.calls, content.unreadable) == ([], [1])


def test_objects_since_a_moment_come_in_order_and_nothing_else_does(cloud: None):
    day = datetime(1999, 5, 17, 12, tzinfo=UTC)
    stream = uuid.uuid4().hex[:8]
    keys = [key_at(day + timedelta(minutes=minute), stream=stream) for minute in (0, 30, 59, 61, 720)]
    for key in [*keys[::-1], f"captures/1999/05/17/{stream}.txt", "captures/1999/05/17/126099.000000-0a1b2c3d-1.jsonl"]:
        storage.put_file(key, io.BytesIO(lines(make_call())))

    listed = captures.objects_after(day + timedelta(minutes=30, microseconds=-1))
    found = [item for part in listed for item in part if stream in item.key]

    # To the second: the moment's own is listed whole.
    assert [item.key for item in found] == keys[1:]
    assert found[0].written_at == day + timedelta(minutes=30)
    content = captures.read(found[0])
    assert content is not None and len(content.calls) == 1


def test_object_that_is_gone_is_none(cloud: None):
    assert captures.read(captures.Object(key_at(datetime.now(UTC), stream="ffffffff"), datetime.now(UTC), 1)) is None
