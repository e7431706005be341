"""The cloud side of batches, stood in for by a class: what was started and stopped, and what is said of it."""

import inspect
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.accounts.models import User
from portal.errors import BackendAway
from portal.gateways import executions, inference, storage
from portal.gateways.contract import BatchStatus, Look
from portal.predictions.models import Batch
from tests.portal.factories import make_batch, make_user, make_version

READING = {
    "format": "csv", "packing": None, "encoding": "utf-8", "delimiter": ",", "decimal": ".", "nulls": ["", "NA"],
    "sheet": None, "sheets": None,
}  # fmt: skip
LOOK = {
    "reading": READING,
    "columns": ["bill", "island", "year"],
    "mapping": {"bill_length_mm": None, "island": "island", "year": "year"},
    "near": {"bill_length_mm": ["bill"]},
    "rows": [["44.5", "Dream", "2008"], ["abc", "Dream", "2008"]],
    "problems": [],
    "refusal": "The column bill_length_mm is missing.",
    "notes": ["The file was read as Latin-1."],
    "size_bytes": 1311,
}
GOOD_LOOK = LOOK | {
    "columns": ["bill_length_mm", "island", "year"],
    "mapping": {"bill_length_mm": "bill_length_mm", "island": "island", "year": "year"},
    "near": {},
    "problems": [{"row": 2, "feature": "bill_length_mm", "message": "'abc' is not a number"}],
    "refusal": None,
    "notes": [],
}
SUMMARY = {
    "ok": True, "rows": 3, "scored": 3, "failed": 0, "partial": False, "columns": ["island"], "added": ["prediction"],
    "preview": [["Dream", "Adelie"]], "errors": [], "notes": [], "seconds": 1.0,
    "distribution": {"classes": [["Adelie", 3]], "histogram": None, "bands": None},
    "result": {"file": "output.csv", "size_bytes": 2048},
}  # fmt: skip
PROGRESS = {
    "ok": True, "stage": "running", "planned_bytes": 1000, "size_bytes": 1000, "parts": 4, "parts_done": 1,
    "bytes_done": 250, "rows": 600, "scored": 590, "failed": 10, "errors": [{"line": 18, "error": "bill: no number"}],
    "distribution": {"classes": [["Adelie", 590]], "histogram": None, "bands": None}, "seconds": 10.0,
}  # fmt: skip
UNKNOWN: dict[str, Any] = {"rows": None, "scored": None, "failed": None}


class BatchCloud:
    """What the gateways do for batches. Tests say what is answered; the calls are kept.

    Attributes:
        input_bytes: the size of every batch's upload, None where there is none
        is_away: nothing can be reached
        lacks_nothing: every part was scored when a batch is collected
    """

    def __init__(self) -> None:
        self.input_bytes: int | None = 1311
        self.is_away = False
        self.lacks_nothing = False
        self.look: dict[str, Any] = GOOD_LOOK
        self.status = BatchStatus("running")
        self.progress: dict[str, Any] | None = None
        self.started: list[tuple[dict[str, Any], int]] = []
        self.stopped: list[str] = []
        self.collected: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def start(self, job: dict[str, Any], *, attempt: int) -> str:
        self._reach()
        self.started.append((job, attempt))
        return f"arn:batch-{job['batch']}-{attempt}"

    def stop(self, execution_arn: str) -> None:
        self._reach()
        self.stopped.append(execution_arn)
        self.status = BatchStatus("failed", error="stopped")

    def status_of(self, execution_arn: str, *, user_id: int, batch: Any) -> BatchStatus:
        self._reach()
        return self.status

    def preview_batch(self, job: dict[str, Any]) -> Look:
        self._reach()
        return Look.from_json(self.look)

    def batch_progress(self, job: dict[str, Any]) -> dict[str, Any]:
        if self.progress is None:
            raise BackendAway("The prediction service is busy just now.")
        return dict(self.progress)

    def collect_batch(self, job: dict[str, Any]) -> dict[str, Any]:
        self._reach()
        self.collected.append(job)
        return SUMMARY | {"partial": not self.lacks_nothing}

    def size_of(self, key: str) -> int | None:
        self._reach()
        return self.input_bytes

    def delete(self, key: str) -> None:
        self.deleted.append(key)

    def delete_under(self, prefix: str) -> int:
        self._reach()
        self.deleted.append(prefix)
        return 1

    def _reach(self) -> None:
        if self.is_away:
            raise BackendAway("The prediction service cannot be reached just now.", detail="secret-host refused")


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> BatchCloud:
    """The stand-in, in the place of the gateways' own functions."""
    cloud = BatchCloud()
    stands_for = {
        (executions, "start"): cloud.start,
        (executions, "stop"): cloud.stop,
        (executions, "status"): cloud.status_of,
        (inference, "preview_batch"): cloud.preview_batch,
        (inference, "batch_progress"): cloud.batch_progress,
        (inference, "collect_batch"): cloud.collect_batch,
        (storage, "size_of"): cloud.size_of,
        (storage, "delete"): cloud.delete,
        (storage, "delete_under"): cloud.delete_under,
    }
    for (module, name), function in stands_for.items():
        real = inspect.signature(getattr(module, name)).parameters
        assert list(real) == list(inspect.signature(function).parameters), name
        monkeypatch.setattr(module, name, function)
    monkeypatch.setattr(storage, "browser_origin", lambda: "https://bucket.example")
    return cloud


@pytest.fixture
def ada(client: Client, batches: BatchCloud) -> User:
    user = make_user()
    client.force_login(user)
    return user


def make(user: User, state: str = "uploading", **facts: Any) -> Batch:
    started = {} if state == "uploading" else {"attempt": 1, "execution_arn": "arn:x", "started_at": timezone.now()}
    return make_batch(user, make_version(), state=state, **(UNKNOWN | started | facts))
