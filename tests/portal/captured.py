"""Calls of the API as the functions leave them, for tests: docs/contract.md section 10."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = {"sub": "7c1e0f9a-0000-4000-8000-000000000001", "email": "ada@example.org", "username": "ada"}
ANSWERED = {
    "inputs": {"bill_length_mm": 44.5, "island": "Dream", "year": None},
    "output": {"type": "binary", "classes": ["Adelie", "Gentoo"], "probabilities": True},
    "prediction": {"label": "Gentoo", "value": None, "probabilities": [0.25, 0.75], "scores": None},
}


def make_call(**facts: Any) -> dict[str, Any]:
    """An answered singlePrediction of the factories' penguins."""
    return {
        "v": 1,
        "id": str(uuid.uuid4()),
        "at": "2026-03-01T12:00:00.123456Z",
        "call": "singlePrediction",
        "status": 200,
        "milliseconds": 1.25,
        "start": "warm",
        "model": "penguins",
        "version": 1,
        "sha256": "0" * 64,
        "person": ADA,
        "source": "page",
        **ANSWERED,
    } | facts


def make_refusal(**facts: Any) -> dict[str, Any]:
    call = make_call(status=400, error={"code": "bad_input", "message": "year: 'x' is not a number"})
    return {name: value for name, value in call.items() if name not in ("output", "prediction")} | facts


def make_batch_call(**facts: Any) -> dict[str, Any]:
    """A file that was scored within the call."""
    call = {name: value for name, value in make_call(call="batchPrediction").items() if name not in ANSWERED}
    file = {"file": f"{ADA['sub']}/1764417600123_colony.csv", "job": None, "owner": None}
    return call | file | {"result": f"{ADA['sub']}/1764417600123_colony_predictions.csv"} | facts


def make_job_call(job: uuid.UUID, **facts: Any) -> dict[str, Any]:
    """A file that became a job."""
    return make_batch_call(status=202, job=str(job), owner=ADA["sub"], result=None) | facts


def key_at(moment: datetime, *, stream: str = "0a1b2c3d", number: int = 1) -> str:
    return f"captures/{moment:%Y/%m/%d/%H%M%S.%f}-{stream}-{number}.jsonl"


def key_after(**passed: float) -> str:
    """The key of an object written so long after AT."""
    return key_at(AT + timedelta(**passed))


def lines(*calls: Any) -> bytes:
    """The content of an object; text stands for itself."""
    return b"".join((call if isinstance(call, bytes) else json.dumps(call).encode()) + b"\n" for call in calls)
