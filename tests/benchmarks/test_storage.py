"""The stand-in for S3 gives what S3 would, where a benchmark could go wrong by it."""

import pytest
from botocore.exceptions import ClientError

from benchmarks.batch.storage import FileS3

PART = b"a" * (5 * 1024 * 1024)


@pytest.fixture
def storage(tmp_path):
    return FileS3(tmp_path)


def upload(storage, *parts):
    started = storage.create_multipart_upload(Bucket="b", Key="out")["UploadId"]
    etags = [
        storage.upload_part(Bucket="b", Key="out", UploadId=started, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, start=1)
    ]
    entries = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
    storage.complete_multipart_upload(Bucket="b", Key="out", UploadId=started, MultipartUpload={"Parts": entries})


def test_range_over_two_parts_gives_the_bytes_of_both(storage):
    upload(storage, PART, b"bcd")

    answer = storage.get_object(Bucket="b", Key="out", Range=f"bytes={len(PART) - 2}-{len(PART) + 1}")

    assert (answer["Body"].read(), answer["ContentLength"]) == (b"aabc", 4)


def test_chunks_of_an_object_are_its_bytes_in_order(storage):
    upload(storage, PART, b"bcd")

    chunks = list(storage.get_object(Bucket="b", Key="out")["Body"].iter_chunks(len(PART) - 1))

    assert [len(chunk) for chunk in chunks] == [len(PART) - 1, 1, 3]
    assert b"".join(chunks) == PART + b"bcd"


def test_upload_with_a_small_part_before_the_last_is_refused(storage):
    with pytest.raises(ClientError, match="EntityTooSmall"):
        upload(storage, b"small", b"last")


def test_object_that_is_not_there_is_an_error_of_botocore(storage):
    with pytest.raises(ClientError, match="NoSuchKey"):
        storage.get_object(Bucket="b", Key="nothing")


def test_requests_are_counted_by_what_they_cost(storage):
    upload(storage, PART, b"bcd")
    storage.head_object(Bucket="b", Key="out")

    assert storage.requests == {"PUT": 4, "GET": 1}
