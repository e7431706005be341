"""Batches on the real stack: looked at, started, stopped, put together, gone on with."""

import csv
import gzip
import io
import time
import urllib.request
import uuid
from collections.abc import Callable

import pytest

from portal.accounts import roles
from portal.errors import Refused
from portal.gateways import executions
from portal.predictions import actions
from portal.predictions.models import Batch
from portal.registry import actions as registry
from portal.registry.models import ModelVersion
from tests.portal.factories import make_model, make_user

pytestmark = pytest.mark.django_db
HEADER, ROW = b"var_1,var_2,var_3,var_4\n", b"1,2,3,4\n"
WITHIN_S = 120
# Three parts of 16 MB and a bit.
MANY_ROWS = 2 * 16 * 1024**2 // 44 + 60_000


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
    return send(version, HEADER + ROW)


def send(version: ModelVersion, content: bytes) -> Batch:
    user = make_user(f"user-{uuid.uuid4().hex[:6]}")
    batch = actions.open_batch(version, file_name="x.csv", size_bytes=len(content), by=user)
    actions.store_input(batch, io.BytesIO(content))
    return batch


def wait_for(batch: Batch, is_so: Callable[[Batch], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not is_so(batch):
        assert time.monotonic() < deadline, f"the batch is {batch.state}: {batch.error} {batch.progress}"
        actions.refresh_batch(batch)
        time.sleep(0.1)


def wait_for_end(batch: Batch) -> None:
    wait_for(batch, lambda batch: batch.has_ended)


def fetch(batch: Batch) -> tuple[list[dict[str, str]], str]:
    """The result's rows as its link gives them, and the name that it gives the file."""
    link = actions.link_to_result(batch)
    with urllib.request.urlopen(link, timeout=60) as answer:  # noqa: S310
        text = answer.read().decode("utf-8")
        return list(csv.DictReader(io.StringIO(text))), answer.headers["Content-Disposition"]


def test_file_is_looked_at_then_scored_and_fetched_by_its_link(batch: Batch):
    look = actions.look_at(batch)
    actions.start_batch(batch)
    wait_for_end(batch)

    rows, disposition = fetch(batch)
    assert (look.refusal, look.rows) == ("", [["1", "2", "3", "4"]])
    assert (batch.state, batch.scored, len(rows)) == ("done", 1, 1)
    assert disposition == f'attachment; filename="{batch.output_name}"'
    assert rows[0]["band"] in {band.label for band in batch.version.bands.all()}


def test_start_that_was_not_written_down_is_the_same_execution(batch: Batch):
    actions.start_batch(batch)
    first = batch.execution_arn
    wait_for_end(batch)
    Batch.objects.filter(pk=batch.pk).update(state="uploading", execution_arn="")
    batch.refresh_from_db()

    actions.start_batch(batch)
    wait_for_end(batch)

    assert (batch.state, batch.scored, batch.execution_arn) == ("done", 1, first)


def test_execution_is_the_one_that_the_service_names(batch: Batch, stack):
    actions.start_batch(batch)

    described = executions.client("stepfunctions").describe_execution(executionArn=batch.execution_arn)
    assert described["stateMachineArn"] == stack.outputs["BatchStateMachineArn"]
    wait_for_end(batch)


def test_file_whose_columns_are_named_otherwise_is_scored_as_its_owner_says(version: ModelVersion):
    batch = send(version, b"var_1;var_2;var_3;fourth\n1,5;2;3;4\n")
    refused = actions.look_at(batch)

    actions.choose(batch, {"columns": {"var_4": "fourth"}, "result": "csv"})
    actions.start_batch(batch)
    wait_for_end(batch)

    assert "var_4" in refused.refusal
    assert (batch.state, batch.scored) == ("done", 1)


def test_packed_json_lines_come_out_as_parquet(version: ModelVersion):
    rows = b'{"var_1": 1, "var_2": 2, "var_3": 3, "var_4": 4}\n' * 3
    batch = send(version, gzip.compress(rows))
    look = actions.look_at(batch)

    actions.choose(batch, {"result": "parquet"})
    actions.start_batch(batch)
    wait_for_end(batch)

    with urllib.request.urlopen(actions.link_to_result(batch), timeout=60) as answer:  # noqa: S310
        content, headers = answer.read(), answer.headers
    assert (look.reading["format"], look.reading["packing"]) == ("jsonl", "gzip")
    assert (batch.state, batch.scored, batch.result_file) == ("done", 3, "output.parquet")
    assert content.startswith(b"PAR1") and len(content) == batch.summary["result"]["size_bytes"]
    assert headers["Content-Type"] == "application/vnd.apache.parquet"


def test_batch_cancelled_midway_is_collected_and_begun_anew_to_its_end(version: ModelVersion):
    lines = b"".join(b"%d,0.123456789,0.987654321,1.23456789012345\n" % n for n in range(MANY_ROWS))
    batch = send(version, HEADER + lines)
    actions.start_batch(batch)
    wait_for(batch, lambda batch: batch.progress.get("parts_done", 0) > 0)

    actions.cancel_batch(batch)
    assert (batch.state, batch.may_be_collected) == ("cancelled", True)
    actions.resume_batch(batch)
    wait_for_end(batch)

    assert (batch.state, batch.scored, batch.attempt) == ("done", MANY_ROWS, 2)


def collect_at_rest(batch: Batch) -> None:
    """Collect it as soon as nothing of it runs any more, as a person does who is told to try again."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            actions.collect_batch(batch)
            return
        except Refused:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_partial_result_lacks_lines_and_says_which(version: ModelVersion):
    lines = b"".join(b"%d,0.123456789,0.987654321,1.23456789012345\n" % n for n in range(MANY_ROWS))
    batch = send(version, HEADER + lines)
    actions.start_batch(batch)
    wait_for(batch, lambda batch: batch.progress.get("parts_done", 0) > 0)
    actions.cancel_batch(batch)

    collect_at_rest(batch)

    rows, disposition = fetch(batch)
    assert len(rows) == batch.rows == batch.summary["rows"]
    if batch.is_partial:  # the emulator lets parts go on that have begun
        assert 0 < batch.rows < MANY_ROWS
        assert "lines" in batch.summary["notes"][-1]
        assert "_partial.csv" in disposition
