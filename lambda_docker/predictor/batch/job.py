"""A batch job: its ids, checked, and the keys made of them.

Source: docs/contract.md §4
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from predictor import bucket, keys, model_store
from predictor.batch.layout import Layout
from predictor.errors import BadRequest, BatchRefused, ObjectMissing
from predictor.model_store import LoadedModel


@dataclass(frozen=True, slots=True)
class Job:
    """Which file, and which version of which model; the version stays the same to the batch's end."""

    batch: str
    user: str
    model: str
    version: int
    sha256: str | None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Job":
        """Raises: BadRequest: an id is missing or is none."""
        job = event.get("job")
        if not isinstance(job, Mapping):
            raise BadRequest("The batch's job is missing.")
        version = keys.read_version(job.get("version"))
        if version is None:
            raise BadRequest("The batch's job must name the version of the model.")
        return cls(
            batch=keys.read_uuid(job.get("batch")),
            user=keys.read_user_id(job.get("user")),
            model=keys.read_slug(job.get("model")),
            version=version,
            sha256=keys.read_sha256(job.get("sha256")),
        )

    def key(self, name: str) -> str:
        return keys.batch(self.user, self.batch, name)

    def part_key(self, number: int) -> str:
        return self.key(f"parts/{number}.json")

    def load_model(self) -> LoadedModel:
        return model_store.store.get(self.model, self.version, self.sha256)[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the plan step found out; plan.json.

    source: the key that the parts' byte ranges are of; began: seconds since the epoch
    """

    source: str
    upload: str
    parts: int
    began: float
    layout: Layout

    def save(self, job: Job) -> None:
        entry = {"source": self.source, "upload": self.upload, "parts": self.parts, "began": self.began}
        bucket.write_json(job.key("plan.json"), {**entry, "layout": self.layout.to_json()})

    @classmethod
    def find(cls, job: Job) -> "Plan | None":
        try:
            entry = bucket.read_json(job.key("plan.json"))
        except ObjectMissing:
            return None
        return cls(**{**entry, "layout": Layout.from_json(entry["layout"])})

    @classmethod
    def of(cls, job: Job) -> "Plan":
        """Raises: BatchRefused: there is none."""
        plan = cls.find(job)
        if plan is None:
            raise BatchRefused("This batch was never planned. Start it again.")
        return plan
