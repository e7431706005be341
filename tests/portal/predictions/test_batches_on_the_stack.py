"""Batches that a browser or the portal left halfway, on the real stack."""

import io
import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.accounts import roles
from portal.gateways import inference
from portal.predictions import actions
from portal.predictions.models import UPLOAD_PATIENCE, Batch
from portal.registry import actions as registry
from portal.registry.models import ModelVersion
from tests.portal.factories import make_model, make_user

pytestmark = pytest.mark.django_db
ROWS = b"var_1,var_2,var_3,var_4\n1,2,3,4\n"


@pytest.fixture
def version(cloud: None, original_model) -> ModelVersion:
    owner = make_user("owner", roles.MODEL_OWNER)
    with original_model.open("rb") as file:
        model = make_model(f"original-{uuid.uuid4().hex[:8]}")
        version = registry.upload_version(model, file, file_name="model.pkl", by=owner)
    registry.check(version, by=owner)
    return version


@pytest.fixture
def batch(version: ModelVersion) -> Batch:
    return actions.open_batch(version, file_name="x.csv", size_bytes=len(ROWS), by=make_user())


def leave_alone(batch: Batch) -> None:
    batch.created_at = timezone.now() - UPLOAD_PATIENCE - timedelta(minutes=1)
    batch.save()


def wait_for_end(batch: Batch) -> None:
    deadline = time.monotonic() + 60
    while not batch.has_ended:
        assert time.monotonic() < deadline, "the batch did not end"
        actions.refresh_batch(batch)
        time.sleep(0.1)


def test_batch_whose_file_never_came_fails_with_a_reason(batch: Batch):
    leave_alone(batch)

    actions.refresh_batch(batch)

    assert (batch.state, batch.error) == ("failed", "The file never arrived. Upload it again.")


def test_batch_left_after_its_upload_is_started_when_it_is_next_looked_at(batch: Batch):
    actions.store_input(batch, io.BytesIO(ROWS))
    leave_alone(batch)

    wait_for_end(batch)

    assert (batch.state, batch.scored) == ("done", 1)


def test_batch_whose_start_was_not_written_down_is_found_again(batch: Batch):
    actions.store_input(batch, io.BytesIO(ROWS))
    actions.start_batch(batch)
    first = batch.execution_arn
    wait_for_end(batch)
    Batch.objects.filter(pk=batch.pk).update(state="uploading", execution_arn="")
    batch.refresh_from_db()

    actions.start_batch(batch)
    wait_for_end(batch)

    assert (batch.state, batch.scored, batch.execution_arn) == ("done", 1, first)


def test_execution_is_the_one_that_the_service_names(batch: Batch, stack):
    actions.store_input(batch, io.BytesIO(ROWS))

    actions.start_batch(batch)

    described = inference.client("stepfunctions").describe_execution(executionArn=batch.execution_arn)
    assert described["stateMachineArn"] == stack.outputs["BatchStateMachineArn"]
    wait_for_end(batch)
