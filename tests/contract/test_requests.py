"""Every request of the portal's gateways is one that AWS knows: asked of the real stack, with botocore's checks on."""

import io
import json
import uuid

import pytest

from portal.errors import BackendFault
from portal.gateways import aws, executions, inference, storage
from predictor import bucket
from tests.predictor.factories import penguin_model, publish


@pytest.fixture
def key(cloud):
    return f"quarantine/{uuid.uuid4()}"


@pytest.mark.parametrize("service", ["s3", "lambda", "stepfunctions"])
def test_client_checks_what_it_sends_against_the_services_description(cloud, service):
    assert aws.client(service).meta.config.parameter_validation is True


def test_stored_file_reads_back_in_both_rooms(key):
    storage.put_file(key, io.BytesIO(b"content"))

    size_bytes, chunks = storage.get_stream(key)

    assert (storage.get_bytes(key), size_bytes, b"".join(chunks), storage.size_of(key)) == (
        b"content",
        7,
        b"content",
        7,
    )
    assert bucket.read(key, limit_bytes=7).body == b"content"


def test_stored_json_reads_back_in_both_rooms(key):
    storage.put_json(key, {"label": "Größe"})

    assert storage.get_json(key) == bucket.read_json(key) == {"label": "Größe"}


@pytest.mark.parametrize("ask", [storage.get_bytes, storage.get_json, storage.get_stream, storage.size_of])
def test_object_that_is_not_there_is_none(key, ask):
    assert ask(key) is None


def test_deleted_object_is_gone_and_deleting_it_again_is_no_error(key):
    storage.put_json(key, {})

    storage.delete(key)
    storage.delete(key)

    assert storage.size_of(key) is None


def test_promoted_upload_is_copied_on_condition_that_nothing_is_there(cloud):
    # The emulator does not hold this condition when copying (docs/decisions/002), hence a look at the request.
    upload, asked = uuid.uuid4(), []
    target = storage.version_key(f"promoted-{upload}", 1, "model.pkl")
    storage.put_file(storage.quarantine_key(upload), io.BytesIO(b"content"))
    aws.client("s3").meta.events.register(
        "provide-client-params.s3.CopyObject", lambda params, **_: asked.append(params)
    )

    storage.promote(upload, target)

    assert storage.get_bytes(target) == b"content"
    assert [params["IfNoneMatch"] for params in asked] == ["*"]


def test_presigned_post_names_one_key_and_its_range(key):
    post = storage.presign_upload(key, max_bytes=10, expires_s=60)

    assert post.fields["key"] == key
    assert post.url.startswith(storage.browser_origin())


def test_prediction_goes_through_the_real_function(cloud):
    sha256 = publish(penguin_model(), slug="requests")["sha256"]
    row = {"bill_length_mm": 39.1, "body_mass_g": 3750, "sex": "male"}

    answer = inference.predict(slug="requests", number=1, sha256=sha256, row=row)

    assert (answer.output.type, len(answer.probabilities)) == ("multiclass", 3)
    assert answer.request_id


def test_upload_is_verified_by_the_real_function_only(cloud, settings):
    settings.PORTICO_VERIFY_FUNCTION = settings.PORTICO_PREDICT_FUNCTION

    with pytest.raises(BackendFault) as caught:
        inference.verify(upload=uuid.uuid4(), sha256="a" * 64, loading={"format": "pickle"}, rows=[])

    assert json.loads(caught.value.detail.partition(": ")[2])["error"]["code"] == "bad_request"


def test_batch_that_the_state_machine_does_not_know_is_failed_with_the_reason(cloud, settings):
    arn = settings.PORTICO_BATCH_STATE_MACHINE.replace(":stateMachine:", ":execution:") + ":nobody"

    status = executions.status(arn, user_id=7, batch=uuid.uuid4())

    assert status.state == "failed"
    assert "interrupted" in status.error
