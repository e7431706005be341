import logging
from io import BytesIO

import pytest
from keeper.folder import KeptFolder
from keeper.objects import KeptBucket, ObjectShelf

from tests.docker.keeping import BUCKET, FailingReader, bodies, keep, reopen

STRANGE = [
    "a",
    "/",
    "..",
    "../../etc/passwd",
    "a/../b",
    "a//b",
    ".",
    "ä/日本/🙂",
    "é",
    "é",
    "x" * 1024,
    "\n",
    "%2F",
    "A",
]


def test_keys_of_any_shape_are_told_apart(folder: KeptFolder, shelf: ObjectShelf):
    for key in STRANGE:
        keep(shelf, key, key.encode())

    found = {kept.key: kept.body.read_bytes() for kept in reopen(folder).list_objects(BUCKET.name)}

    assert found == {key: key.encode() for key in STRANGE}
    assert all(folder.root in body.resolve().parents for body in bodies(folder.root))


def test_an_object_comes_back_with_all_that_was_said_of_it(folder: KeptFolder, shelf: ObjectShelf):
    attributes = {"etag": "ab-2", "user_metadata": {"who": "me"}, "parts": {"1": {"Size": 5}}, "expires": None}
    shelf.keep(BUCKET.name, "k", attributes=attributes, tags={"t": "v"}, body=BytesIO(b"12345"))

    kept = reopen(folder).find(BUCKET.name, "k")

    assert kept
    assert (kept.attributes, kept.tags, kept.size_bytes) == (attributes, {"t": "v"}, 5)


def test_metadata_alone_changes_without_another_copy(folder: KeptFolder, shelf: ObjectShelf):
    body = keep(shelf, "k", b"same", version=1).body

    shelf.keep(BUCKET.name, "k", attributes={"version": 2}, tags={}, body=body)

    kept = shelf.find(BUCKET.name, "k")
    assert kept
    assert (kept.attributes, kept.body) == ({"version": 2}, body)
    assert bodies(folder.root) == [body]


def test_an_object_that_cannot_be_written_leaves_the_one_before(folder: KeptFolder, shelf: ObjectShelf):
    keep(shelf, "k", b"before")

    with pytest.raises(OSError, match="No space left"):
        shelf.keep(BUCKET.name, "k", attributes={}, tags={}, body=FailingReader())

    kept = shelf.find(BUCKET.name, "k")
    assert kept
    assert kept.body.read_bytes() == b"before"
    assert list((folder.root / "new").iterdir()) == []


def test_attributes_that_cannot_be_written_leave_the_object_before(folder: KeptFolder, shelf: ObjectShelf):
    before = keep(shelf, "k", b"before")

    with pytest.raises(TypeError):
        keep(shelf, "k", b"after", strange=object())

    assert shelf.find(BUCKET.name, "k") == before
    assert bodies(folder.root) == [before.body]


def test_a_forgotten_object_is_gone_with_its_body(folder: KeptFolder, shelf: ObjectShelf):
    keep(shelf, "k", b"1")

    shelf.forget(BUCKET.name, ["k", "never there"])

    assert list(reopen(folder).list_objects(BUCKET.name)) == []
    assert bodies(folder.root) == []


def test_bodies_that_a_crash_left_are_removed(folder: KeptFolder, shelf: ObjectShelf):
    keep(shelf, "overwritten", b"old")
    kept = keep(shelf, "overwritten", b"new")
    alone = keep(shelf, "never finished", b"x")
    alone.body.with_name(alone.body.name.split(".")[0] + ".json").unlink()

    removed = reopen(folder).drop_orphans(BUCKET.name)

    assert removed == 2
    assert bodies(folder.root) == [kept.body]


@pytest.mark.parametrize("record", ["", "torn", "[]", '{"key": "k"}', '{"key": "k", "body": "../x", "size_bytes": 1}'])
def test_an_unreadable_entry_is_logged_skipped_and_left_alone(
    shelf: ObjectShelf, caplog: pytest.LogCaptureFixture, record: str
):
    good, bad = keep(shelf, "good", b"1"), keep(shelf, "bad", b"2")
    bad.body.with_name(bad.body.name.split(".")[0] + ".json").write_text(record)

    with caplog.at_level(logging.ERROR):
        found = list(shelf.list_objects(BUCKET.name))
        removed = shelf.drop_orphans(BUCKET.name)

    assert found == [good]
    assert removed == 0
    assert bad.body.read_bytes() == b"2"
    assert "left as it is" in caplog.text


def test_a_body_that_is_cut_short_is_not_taken_for_the_object(shelf: ObjectShelf):
    kept = keep(shelf, "k", b"12345")
    kept.body.write_bytes(b"123")

    assert shelf.find(BUCKET.name, "k") is None


def test_a_key_whose_entry_is_unreadable_can_be_written_again(shelf: ObjectShelf):
    kept = keep(shelf, "k", b"1")
    kept.body.with_name(kept.body.name.split(".")[0] + ".json").write_text("torn")

    keep(shelf, "k", b"2")

    assert [item.body.read_bytes() for item in shelf.list_objects(BUCKET.name)] == [b"2"]


def test_a_bucket_comes_back_as_it_was(folder: KeptFolder, shelf: ObjectShelf):
    bucket = KeptBucket("other", "111111111111", "eu-west-1", versioning="Enabled", made_by_stack=True)
    shelf.keep_bucket(bucket)

    assert list(reopen(folder).list_buckets()) == [bucket, BUCKET]


def test_a_forgotten_bucket_takes_its_objects_along(folder: KeptFolder, shelf: ObjectShelf):
    keep(shelf, "k", b"1")

    shelf.forget_bucket(BUCKET.name)

    assert list(reopen(folder).list_buckets()) == []
    assert bodies(folder.root) == []


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", ".hidden", "a\0b"])
def test_a_name_that_is_no_buckets_reaches_no_file(shelf: ObjectShelf, name: str):
    with pytest.raises(ValueError, match="no name of a bucket"):
        shelf.forget_bucket(name)
