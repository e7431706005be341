"""Batches on the real stack: looked at, started, stopped, put together, gone on with."""

import csv
import gzip
import io
import pickle
import time
import urllib.request
import uuid
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

from portal.accounts import roles
from portal.errors import Refused
from portal.gateways import executions
from portal.predictions import actions
from portal.predictions.models import Batch
from portal.registry import actions as registry
from portal.registry.models import ModelVersion
from tests.conftest import Stack
from tests.portal.factories import make_model, make_user

pytestmark = pytest.mark.django_db
HEADER, ROW = b"var_1,var_2,var_3,var_4\n", b"1,2,3,4\n"
WITHIN_S = 120
LINE = b"1.123456789,0.123456789,0.987654321,1.23456789012345\n"
PART_BYTES = 16 * 1024**2


@pytest.fixture
def version(cloud: None, original_model) -> ModelVersion:
    return publish(original_model.read_bytes())


@pytest.fixture
def many_rows(stack: Stack) -> int:
    """So many parts of a batch that some are left when the first is done and as many as run at once have begun anew."""
    at_once = int(stack.target.parameters["BatchConcurrency"])
    return (2 * at_once + 1) * PART_BYTES // len(LINE)


@pytest.fixture
def long_batch(cloud: None, many_rows: int) -> Batch:
    """Of a slow model: there is time to stop it."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(generator.normal(size=(300, 4)), columns=["var_1", "var_2", "var_3", "var_4"])
    version = publish(pickle.dumps(KNeighborsClassifier(n_neighbors=1).fit(table, table["var_1"] > 0)))
    return send(version, HEADER + LINE * many_rows)


def publish(pickled: bytes) -> ModelVersion:
    owner = make_user("owner", roles.MODEL_OWNER)
    model = make_model(f"batches-{uuid.uuid4().hex[:8]}")
    version = registry.upload_version(model, io.BytesIO(pickled), file_name="model.pkl", by=owner)
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


def begin(batch: Batch) -> None:
    """Start it, and wait until one part is done."""
    actions.start_batch(batch)
    wait_for(batch, lambda batch: batch.progress.get("parts_done", 0) > 0)


def test_batch_cancelled_midway_is_collected_and_begun_anew_to_its_end(long_batch: Batch, many_rows: int):
    begin(long_batch)

    actions.cancel_batch(long_batch)
    assert (long_batch.state, long_batch.may_be_collected) == ("cancelled", True)
    actions.resume_batch(long_batch)
    wait_for_end(long_batch)

    assert (long_batch.state, long_batch.scored, long_batch.attempt) == ("done", many_rows, 2)


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


def test_partial_result_lacks_lines_and_says_which(long_batch: Batch, many_rows: int):
    begin(long_batch)
    # Parts that have begun are let go on; no new ones begin.
    actions.cancel_batch(long_batch)

    collect_at_rest(long_batch)

    rows, disposition = fetch(long_batch)
    assert long_batch.is_partial
    assert 0 < len(rows) == long_batch.rows == long_batch.summary["rows"] < many_rows
    assert "lines" in long_batch.summary["notes"][-1]
    assert "_partial.csv" in disposition
