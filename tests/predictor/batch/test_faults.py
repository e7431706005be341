"""Whatever dies, and whenever: the same bytes in the end as of an undisturbed run, or a reason in words."""

import contextlib
import itertools

import pytest

from predictor import bucket
from predictor.batch import steps
from predictor.errors import BatchRefused
from tests.predictor.batch.running import penguin_csv
from tests.predictor.factories import BatchRun

CONTENT = penguin_csv(40) + b"abc,4000,male,x\n" + penguin_csv(30).split(b"\n", 1)[1]
# Of 800 bytes: four parts.
PART_BYTES = 800


class Killed(BaseException):
    """The process is gone: nothing in it may catch this and go on."""


class Failing:
    """The bucket's client, until the call of that number: before it is made, or after it was made and not answered."""

    def __init__(self, client, *, dies_at: int, after: bool) -> None:
        self._client, self._calls, self._dies_at, self._after = client, itertools.count(1), dies_at, after
        self.has_died = False

    def __getattr__(self, name):
        method = getattr(self._client, name)
        if name in ("get_paginator", "generate_presigned_url", "exceptions", "meta"):
            return method

        def call(**options):
            dies = next(self._calls) == self._dies_at
            if dies:
                self.has_died = True
                if self._after:
                    with contextlib.suppress(Exception):
                        method(**options)
                raise Killed
            return method(**options)

        return call


def _undisturbed() -> tuple[bytes, dict]:
    batch = BatchRun(CONTENT)
    _run(batch)
    return batch.output(), bucket.read_json(batch.key("summary.json"))


def _run(batch: BatchRun, *, tries: int = 1) -> None:
    """Plan, parts, finish as the state machine has them, each tried again where its process died."""
    _try(lambda: steps.plan({"job": batch.job}, size_bytes=PART_BYTES), tries)
    for part in _try(lambda: bucket.read_json(batch.key("parts.json")), tries):
        _try(lambda part=part: batch.step("part", part=part), tries)
    _try(lambda: batch.step("finish"), tries)


def _try(step, tries: int):
    for left in range(tries, 0, -1):
        try:
            return step()
        except Killed:
            if left == 1:
                raise


@contextlib.contextmanager
def _dying(monkeypatch, *, at: int, after: bool):
    failing = Failing(bucket.client(), dies_at=at, after=after)
    with monkeypatch.context() as patch:
        patch.setattr(bucket, "client", lambda: failing)
        yield failing


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_process_killed_at_any_call_and_tried_again_gives_the_same_bytes(model, monkeypatch, after):
    expected, counted = _undisturbed()

    for at in itertools.count(1):
        batch = BatchRun(CONTENT)
        with _dying(monkeypatch, at=at, after=after) as failing:
            _run(batch, tries=2)
        assert batch.output() == expected
        assert {**bucket.read_json(batch.key("summary.json")), "seconds": 0} == {**counted, "seconds": 0}
        if not failing.has_died:
            break

    assert at > 20


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_everything_killed_at_any_call_and_started_again_scores_only_what_is_missing(model, monkeypatch, after):
    expected, _ = _undisturbed()

    for at in itertools.count(1):
        batch = BatchRun(CONTENT)
        with _dying(monkeypatch, at=at, after=after) as failing, contextlib.suppress(Killed):
            _run(batch)
        scored = {name for name in bucket.list_names(batch.key("parts/"))}
        _run(batch)
        again = {f"{part['number']}.json" for part in bucket.read_json(batch.key("parts.json"))}
        assert batch.output() == expected
        assert not again & scored or len(again) == 1
        if not failing.has_died:
            break

    assert at > 20


@pytest.mark.parametrize("chunk_bytes", [100, PART_BYTES])
def test_range_that_arrives_damaged_once_is_scored_again(model, monkeypatch, chunk_bytes):
    expected, counted = _undisturbed()
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    damaged = iter([True])
    read = bucket.stream_range

    def stream_range(key, *, start, end):
        for chunk in read(key, start=start, end=end):
            yield chunk.replace(b"4", b"5") if start and next(damaged, False) else chunk

    monkeypatch.setattr(bucket, "STREAM_CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(bucket, "stream_range", stream_range)
    batch.run_parts()
    batch.step("finish")

    assert next(damaged, None) is None
    assert batch.output() == expected
    assert {**bucket.read_json(batch.key("summary.json")), "seconds": 0} == {**counted, "seconds": 0}


def test_range_that_arrives_damaged_always_is_refused_with_the_reason(model, monkeypatch):
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    read = bucket.stream_range
    monkeypatch.setattr(
        bucket, "stream_range", lambda key, **at: (chunk.replace(b"4", b"5") for chunk in read(key, **at))
    )

    with pytest.raises(BatchRefused, match="do not arrive as they were sent"):
        batch.run_parts()


def test_range_in_many_chunks_gives_the_same_bytes(model, monkeypatch):
    monkeypatch.setattr(bucket, "STREAM_CHUNK_BYTES", 100)
    expected, _ = _undisturbed()
    batch = BatchRun(CONTENT)

    _run(batch)

    assert batch.output() == expected


def test_range_that_breaks_off_is_asked_for_again_from_there(model, monkeypatch):
    expected, _ = _undisturbed()
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    fails, asked = iter([True, True]), []
    read = bucket.stream_range

    def stream_range(key, *, start, end):
        asked.append(start)
        for number, chunk in enumerate(read(key, start=start, end=end)):
            if number == 1 and next(fails, False):
                raise OSError("fewer bytes came")
            yield chunk

    monkeypatch.setattr(bucket, "STREAM_CHUNK_BYTES", 50)
    monkeypatch.setattr(bucket, "stream_range", stream_range)
    batch.run_parts()
    batch.step("finish")

    assert asked[1] == asked[0] + 50
    assert asked[2] == asked[0] + 100
    assert batch.output() == expected


def test_model_deleted_midway_is_refused_and_scored_on_once_it_is_back(model):
    expected, _ = _undisturbed()
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    manifest = bucket.read("models/penguins/1/manifest.json", limit_bytes=10**6).body
    parts = bucket.read_json(batch.key("parts.json"))
    batch.step("part", part=parts[0])
    bucket.client().delete_object(Bucket=bucket.name(), Key="models/penguins/1/manifest.json")
    _forget_models()

    with pytest.raises(BatchRefused, match="has no version 1"):
        batch.step("part", part=parts[1])
    batch.step("abandon", error=None)
    refused = bucket.read_json(batch.key("summary.json"))
    bucket.write("models/penguins/1/manifest.json", manifest, content_type="application/json")
    _forget_models()
    _run(batch)

    assert "has no version 1" in refused["error"]["message"]
    assert batch.output() == expected


def test_full_disk_raises_and_the_next_try_gives_the_same_bytes(model, monkeypatch):
    expected, _ = _undisturbed()
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    part = bucket.read_json(batch.key("parts.json"))[0]
    with monkeypatch.context() as patch:

        def no_space(**options):
            raise OSError(28, "No space left on device")

        patch.setattr("predictor.batch.parts._HELD_BYTES", 10)
        patch.setattr("predictor.batch.parts.tempfile.TemporaryFile", no_space)
        with pytest.raises(OSError, match="No space"):
            batch.step("part", part=part)

    _run(batch)

    assert batch.output() == expected


def test_output_that_is_too_large_for_memory_goes_by_the_disk_and_is_the_same(model, monkeypatch):
    expected, _ = _undisturbed()
    monkeypatch.setattr("predictor.batch.parts._HELD_BYTES", 100)
    batch = BatchRun(CONTENT)

    _run(batch)

    assert batch.output() == expected


def test_file_replaced_between_two_starts_is_planned_anew(model):
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    batch.step("part", part=bucket.read_json(batch.key("parts.json"))[0])
    other = penguin_csv(20)
    bucket.write(batch.key("input.csv"), other, content_type="text/csv")

    _run(batch)

    assert batch.output().count(b"\n") == 21


def test_upload_that_expired_is_planned_anew(model):
    expected, _ = _undisturbed()
    batch = BatchRun(CONTENT)
    steps.plan({"job": batch.job}, size_bytes=PART_BYTES)
    batch.step("part", part=bucket.read_json(batch.key("parts.json"))[0])
    bucket.abort_upload(batch.key("output.csv"), upload=bucket.read_json(batch.key("plan.json"))["upload"])

    _run(batch)

    assert batch.output() == expected


def _forget_models() -> None:
    from predictor import model_store

    model_store.store = model_store.ModelStore()
