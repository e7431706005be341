"""A batch from the portal's gateway through the real state machine and back: docs/contract.md section 4."""

import io
import json
import re
import time
import uuid

import pytest

from portal.gateways import aws, inference, storage
from predictor.batch import BATCH_STEPS
from predictor.batch.job import Job
from tests.contract.reading import documented_keys, documented_table
from tests.predictor.factories import penguin_model, penguins, publish

WITHIN_S = 60


def run_batch(content, named):
    """Store a file and score it as the portal does; the batch's id and how it ended."""
    batch = uuid.uuid4()
    storage.put_file(storage.batch_key(7, batch, "input.csv"), io.BytesIO(content), content_type="text/csv")
    arn = inference.start_batch(batch=batch, user_id=7, **named)
    deadline = time.monotonic() + WITHIN_S
    while (status := inference.batch_status(execution_arn=arn, user_id=7, batch=batch)).state == "running":
        assert time.monotonic() < deadline, "the batch did not end"
        time.sleep(0.1)
    return batch, status


@pytest.fixture
def named(cloud):
    """A published model, as the portal names it."""
    return {"slug": "batches", "number": 1, "sha256": publish(penguin_model(), slug="batches")["sha256"]}


@pytest.fixture
def summaries(contract):
    """The summary as the contract has it: of a batch that is done, of one that failed."""
    text = contract["4"].partition("`summary.json`:")[2]
    done = re.search(r'\{"ok": true.*?"seconds": [\d.]+\}', text, re.DOTALL).group()
    return done, re.search(r'\{"ok": false, "error": \{.*?\}\}', text).group()


def test_finished_batch_is_done_with_the_documented_summary(named, summaries):
    file = penguins(40).drop(columns="species").to_csv(index=False).encode() + b"long,3000,male\n"

    batch, status = run_batch(file, named)

    assert (status.state, status.error) == ("done", "")
    assert status.parts_done == status.parts_total > 0
    assert set(status.summary) == documented_keys(summaries[0])
    assert (status.summary["rows"], status.summary["scored"], status.summary["failed"]) == (41, 40, 1)
    assert storage.size_of(storage.batch_key(7, batch, "output.csv")) > len(file)


def test_refused_file_fails_with_the_containers_sentence(named, summaries):
    batch, status = run_batch(b"island,year\nDream,2008\n", named)

    stored = storage.get_json(storage.batch_key(7, batch, "summary.json"))
    assert (status.state, status.summary) == ("failed", None)
    assert status.error == stored["error"]["message"]
    assert "bill_length_mm" in status.error
    assert set(stored) == documented_keys(summaries[1])
    assert stored["error"]["code"] == "refused"


def test_job_that_the_portal_sends_is_the_job_that_the_container_reads(monkeypatch):
    sent, batch = {}, uuid.uuid4()

    class Machine:
        def start_execution(self, **request):
            sent.update(json.loads(request["input"]))
            return {"executionArn": "arn"}

    monkeypatch.setattr(inference, "client", lambda service: Machine())

    inference.start_batch(batch=batch, user_id=7, slug="penguins", number=3, sha256="a" * 64)

    assert Job.from_event(sent) == Job(batch=str(batch), user="7", model="penguins", version=3, sha256="a" * 64)


def test_steps_of_the_contract_are_those_of_the_container_and_of_the_state_machine(contract, cloud, stack):
    documented = {f"batch.{row[0]}" for row in documented_table(contract["4"])}

    machine = aws.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs["BatchStateMachineArn"])

    assert documented == set(BATCH_STEPS) == set(re.findall(r'"operation": ?"(batch\.\w+)"', machine["definition"]))
