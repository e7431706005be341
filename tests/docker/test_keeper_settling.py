import random
import threading
from dataclasses import replace

import pytest
from keeper.folder import KeptFolder
from keeper.objects import KeptBucket, ObjectShelf
from keeper.settling import Settler

from tests.docker.keeping import BUCKET, FailingReader, LiveDictionary, LiveThing, bodies

SHOP = BUCKET.name


@pytest.fixture
def live() -> LiveDictionary:
    return LiveDictionary()


@pytest.fixture
def settler(folder: KeptFolder, live: LiveDictionary) -> Settler:
    return Settler(ObjectShelf(folder), live)


def content(shelf: ObjectShelf, key: str) -> bytes | None:
    kept = shelf.find(SHOP, key)
    return kept.body.read_bytes() if kept else None


def test_an_object_is_kept_and_read_from_there_on(settler: Settler, shelf: ObjectShelf, live: LiveDictionary):
    thing = live.put("k", b"1", etag="e")

    settler.settle_objects(SHOP, ["k"])

    kept = shelf.find(SHOP, "k")
    assert kept
    assert (kept.attributes, kept.body, thing.body) == ({"etag": "e"}, thing.body, kept.body)


def test_an_object_that_is_not_there_any_more_is_forgotten(settler: Settler, shelf: ObjectShelf, live: LiveDictionary):
    live.put("k", b"1")
    settler.settle_objects(SHOP, ["k"])
    body = bodies(shelf._folder.root)
    del live.objects["k"]

    settler.settle_objects(SHOP, ["k"])

    assert shelf.find(SHOP, "k") is None
    assert live.held == body


def test_an_overwritten_body_is_held_then_removed(
    settler: Settler, shelf: ObjectShelf, live: LiveDictionary, folder: KeptFolder
):
    first = live.put("k", b"1")
    settler.settle_objects(SHOP, ["k"])
    second = live.put("k", b"2")

    settler.settle_objects(SHOP, ["k"])

    assert live.held == [first.body]
    assert bodies(folder.root) == [second.body]


def test_settling_twice_writes_once(settler: Settler, live: LiveDictionary, folder: KeptFolder):
    live.put("k", b"1")
    settler.settle_objects(SHOP, ["k"])
    before = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*")}

    settler.settle_objects(SHOP, ["k"])

    assert {path: path.stat().st_mtime_ns for path in folder.root.rglob("*")} == before


def test_tags_that_changed_are_kept_without_another_copy(settler: Settler, shelf: ObjectShelf, live: LiveDictionary):
    thing = live.put("k", b"1")
    settler.settle_objects(SHOP, ["k"])
    body, thing.tags = thing.body, {"a": "b"}

    settler.settle_objects(SHOP, ["k"])

    kept = shelf.find(SHOP, "k")
    assert kept
    assert (kept.tags, kept.body) == ({"a": "b"}, body)


def test_content_of_a_later_object_is_not_taken(settler: Settler, shelf: ObjectShelf, live: LiveDictionary):
    live.put("k", b"1").moved = 2

    settler.settle_objects(SHOP, ["k"])

    assert content(shelf, "k") == b"1"


def test_calls_that_race_leave_the_last_state(settler: Settler, shelf: ObjectShelf, live: LiveDictionary):
    def change(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - an order, no secret
        for turn in range(40):
            key = chance.choice("ab")
            if chance.random() < 0.2:
                live.objects.pop(key, None)
            else:
                live.put(key, f"{seed}/{turn}".encode(), turn=turn)
            settler.settle_objects(SHOP, [key])

    threads = [threading.Thread(target=change, args=[seed]) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {key: content(shelf, key) for key in "ab"} == {
        key: thing.content if (thing := live.objects.get(key)) else None for key in "ab"
    }


def test_a_failure_reaches_the_caller_and_keeps_what_was_there(
    settler: Settler, shelf: ObjectShelf, live: LiveDictionary, monkeypatch: pytest.MonkeyPatch
):
    live.put("k", b"before")
    settler.settle_objects(SHOP, ["k"])
    live.put("k", b"after")
    monkeypatch.setattr(LiveThing, "read", lambda self: _open(FailingReader()))

    with pytest.raises(OSError, match="No space left"):
        settler.settle_objects(SHOP, ["k"])

    assert content(shelf, "k") == b"before"


def test_a_bucket_follows_its_settings_and_remembers_who_made_it(
    settler: Settler, shelf: ObjectShelf, live: LiveDictionary
):
    live.buckets["new"] = KeptBucket("new", BUCKET.account, BUCKET.region, made_by_stack=True)
    settler.settle_bucket("new")
    live.buckets["new"] = replace(live.buckets["new"], versioning="Enabled")

    settler.settle_bucket("new")
    with_versions = shelf.find_bucket("new")
    del live.buckets["new"]
    settler.settle_bucket("new")

    assert with_versions == KeptBucket("new", BUCKET.account, BUCKET.region, versioning="Enabled", made_by_stack=True)
    assert shelf.find_bucket("new") is None


def _open(reader: FailingReader) -> object:
    from contextlib import nullcontext

    return nullcontext(reader)
