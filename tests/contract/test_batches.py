"""A batch from the portal's gateway through the real state machine and back: docs/contract.md section 4."""

import io
import json
import re
import time
import uuid

import pytest

from portal.gateways import aws, executions, inference, storage
from portal.gateways.contract import Look
from predictor import batch as predictor_batch
from predictor.batch import BATCH_STEPS
from predictor.batch.job import Job
from tests.contract.reading import documented_keys, documented_table
from tests.predictor.factories import penguin_model, penguins, publish

WITHIN_S = 60


def store(content, named):
    """A file in its place, and the job that scores it."""
    batch = uuid.uuid4()
    storage.put_file(storage.batch_key(7, batch, "input.csv"), io.BytesIO(content), content_type="text/csv")
    slug, number, sha256 = named.values()
    return {
        "batch": str(batch), "user": "7", "model": slug, "version": number, "sha256": sha256,
        "file_name": "penguins.csv", "reading": None, "columns": None, "bands": [], "give_up_share": None,
        "result": "csv",
    }  # fmt: skip


def run_batch(content, named):
    """Store a file and score it as the portal does; the job and how it ended."""
    job = store(content, named)
    arn = executions.start(job, attempt=1)
    deadline = time.monotonic() + WITHIN_S
    while (status := executions.status(arn, user_id=7, batch=uuid.UUID(job["batch"]))).state == "running":
        assert time.monotonic() < deadline, "the batch did not end"
        time.sleep(0.1)
    return job, status


def key(job, file):
    return storage.batch_key(7, uuid.UUID(job["batch"]), file)


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


@pytest.fixture
def documented(contract):
    """The answers of the operations that are invoked directly, by name."""
    found = {}
    for name in ("preview", "progress"):
        text = contract["4"].partition(f'{{"operation": "batch.{name}"')[2].partition("→")[2]
        found[name] = re.split(r"\n\n", text)[0].strip()
    return found


def test_finished_batch_is_done_with_the_documented_summary(named, summaries):
    file = penguins(40).drop(columns="species").to_csv(index=False).encode() + b"long,3000,male\n"

    job, status = run_batch(file, named)

    assert (status.state, status.error) == ("done", "")
    assert set(status.summary) == documented_keys(summaries[0])
    assert (status.summary["rows"], status.summary["scored"], status.summary["failed"]) == (41, 40, 1)
    assert storage.size_of(key(job, status.summary["result"]["file"])) == status.summary["result"]["size_bytes"]


def test_refused_file_fails_with_the_containers_sentence(named, summaries):
    job, status = run_batch(b"island,year\nDream,2008\n", named)

    stored = storage.get_json(key(job, "summary.json"))
    assert (status.state, status.summary, status.is_refused) == ("failed", None, True)
    assert status.error == stored["error"]["message"]
    assert "bill_length_mm" in status.error
    assert set(stored) == documented_keys(summaries[1])
    assert stored["error"]["code"] == "refused"


def test_file_is_looked_at_before_it_is_scored(named, container):
    publish(penguin_model(), slug="batches")
    job = store(b"bill_length;body_mass_g;sex\n39,1;3750;male\nlong;3000;male\n", named)

    look = inference.preview_batch(job)

    assert look.reading["delimiter"] == ";"
    assert look.mapping["body_mass_g"] == "body_mass_g"
    assert "bill_length" in look.near["bill_length_mm"]
    assert "bill_length_mm" in look.refusal
    assert storage.get_json(key(job, "plan.json")) is None


def test_look_at_a_file_is_as_documented(named, documented):
    event = {"operation": "batch.preview", "job": store(b"body_mass_g\n3750\n", named)}

    answer = inference._invoke(inference.settings.PORTICO_PREDICT_FUNCTION, event)

    assert set(answer) == documented_keys(documented["preview"]) == {"ok", *Look.__dataclass_fields__}
    assert all(name in documented["preview"] for name in answer["reading"])


def test_progress_of_a_batch_is_as_documented(named, documented):
    job, _ = run_batch(penguins(40).drop(columns="species").to_csv(index=False).encode(), named)

    progress = inference.batch_progress(job)

    assert set(progress) == documented_keys(documented["progress"])
    assert (progress["parts"], progress["parts_done"], progress["rows"]) == (1, 1, 40)


def test_job_that_the_portal_sends_is_the_job_that_the_container_reads(monkeypatch):
    sent = {}

    class Machine:
        def start_execution(self, **request):
            sent.update(json.loads(request["input"]))
            return {"executionArn": "arn"}

    monkeypatch.setattr(executions, "client", lambda service: Machine())
    job = store_nothing()

    executions.start(job, attempt=1)

    read = Job.from_event(sent)
    assert (read.batch, read.user, read.model, read.version, read.sha256) == (
        job["batch"], "7", "penguins", 3, "a" * 64,
    )  # fmt: skip


def store_nothing():
    return {"batch": str(uuid.uuid4()), "user": "7", "model": "penguins", "version": 3, "sha256": "a" * 64}


def test_steps_of_the_contract_are_those_of_the_container_and_of_the_state_machine(contract, cloud, stack):
    documented = {f"batch.{row[0]}" for row in documented_table(contract["4"])}

    machine = aws.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs["BatchStateMachineArn"])

    assert documented == set(BATCH_STEPS) == set(re.findall(r'"operation": ?"(batch\.\w+)"', machine["definition"]))


def test_operations_of_batches_that_are_invoked_directly_are_those_of_the_container(contract):
    documented = set(re.findall(r'"operation": "(batch\.\w+)", "job": \{', contract["4"]))

    assert documented == set(predictor_batch.BATCH_OPERATIONS)
