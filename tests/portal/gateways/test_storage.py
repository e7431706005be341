"""The object store against the real bucket."""

import io
import urllib.request
import uuid

import pytest

from portal.gateways import storage


@pytest.fixture
def prefix(cloud: None) -> str:
    return f"batches/1/{uuid.uuid4()}/"


def test_object_that_is_not_there_is_none_in_every_way_of_asking(prefix: str):
    key = prefix + "nothing"

    assert (storage.get_bytes(key), storage.get_json(key), storage.get_stream(key), storage.size_of(key)) == (None,) * 4


def test_file_stored_comes_back_as_it_was(prefix: str):
    storage.put_file(prefix + "file", io.BytesIO(b"\x00\xffcontent"))

    size_bytes, chunks = storage.get_stream(prefix + "file")

    assert size_bytes == 9
    assert b"".join(chunks) == b"\x00\xffcontent"


def test_upload_promoted_twice_keeps_the_first_file(cloud: None):
    first, second, target = uuid.uuid4(), uuid.uuid4(), f"models/m{uuid.uuid4().hex}/1/model.pkl"
    storage.put_file(storage.quarantine_key(first), io.BytesIO(b"first"))
    storage.put_file(storage.quarantine_key(second), io.BytesIO(b"second"))

    storage.promote(first, target)
    storage.promote(second, target)

    assert storage.get_bytes(target) == b"first"


def test_deleting_what_is_not_there_is_no_error(prefix: str):
    storage.delete(prefix + "nothing")

    assert storage.size_of(prefix + "nothing") is None


def test_presigned_upload_names_one_key_and_a_size(prefix: str):
    post = storage.presign_upload(prefix + "input.csv", max_bytes=10, expires_s=300)

    assert post.fields["key"] == prefix + "input.csv"
    assert post.url.startswith(storage.browser_origin())


def test_everything_under_a_prefix_is_deleted_with_uploads_that_were_begun(prefix: str, settings):
    for name in ("input.csv", "parts/1.json"):
        storage.put_json(prefix + name, {})
    s3, bucket = storage.client("s3"), settings.PORTICO_BUCKET
    s3.create_multipart_upload(Bucket=bucket, Key=prefix + "output.csv")
    beside = f"{prefix.rstrip('/')}0/input.csv"
    storage.put_json(beside, {})

    removed = storage.delete_under(prefix)

    assert (removed, storage.size_of(prefix + "input.csv"), storage.size_of(beside)) == (2, None, 2)
    begun = s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
    assert [upload for upload in begun if upload["Key"].startswith(prefix)] == []


def test_presigned_link_saves_the_object_under_the_name_it_says_and_in_ranges(prefix: str):
    storage.put_file(prefix + "output.csv", io.BytesIO(b"0123456789"))
    link = storage.presign_download(
        prefix + "output.csv", file_name="Zürich “x”.csv", content_type="text/csv; charset=utf-8", expires_s=300
    )

    request = urllib.request.Request(link, headers={"Range": "bytes=4-"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        body, headers, status = answer.read(), answer.headers, answer.status

    assert (status, body) == (206, b"456789")
    assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''Z%C3%BCrich")
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
