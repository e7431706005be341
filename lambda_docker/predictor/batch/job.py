"""A batch job: its ids, checked, the keys made of them, and what its steps have left there.

Source: docs/contract.md §4
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from predictor import bucket, keys, model_store
from predictor.batch.layout import Layout
from predictor.batch.records import Range
from predictor.batch.tally import Tally
from predictor.batch.wishes import Wishes
from predictor.errors import BadRequest, BatchRefused, ObjectMissing
from predictor.loaded_model import LoadedModel

# Reading what parts have left is waiting, not work.
_READERS = 16


@dataclass(frozen=True, slots=True)
class Job:
    """Which file, and which version of which model; the version stays the same to the batch's end.

    source: the file's key where it is not the batch's own input.csv
    """

    batch: str
    user: str
    model: str
    version: int
    sha256: str | None
    source: str | None
    wishes: Wishes

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
            source=None if job.get("source") is None else keys.read_file_key(job["source"]),
            wishes=Wishes.from_job(job),
        )

    @property
    def input_key(self) -> str:
        return self.source or self.key("input.csv")

    @property
    def output_key(self) -> str:
        return self.key("output.csv")

    def key(self, name: str) -> str:
        return keys.batch(self.user, self.batch, name)

    def part_key(self, number: int) -> str:
        return self.key(f"parts/{number}.json")

    def load_model(self) -> LoadedModel:
        return model_store.store.get(self.model, self.version, self.sha256)[0]

    def metadata(self, model: LoadedModel) -> dict[str, str]:
        """What the result says of itself wherever it goes."""
        return {
            "portico-model": self.model,
            "portico-version": str(self.version),
            "portico-sha256": self.sha256 or model.sha256 or "",
            "portico-file": quote(self.wishes.file_name, safe=" "),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What the plan step found out; plan.json.

    input_etag: of the file that was uploaded; source: the key that the ranges are of;
    upload: the multipart upload of the result; began: seconds since the epoch
    """

    input_etag: str
    source: str
    upload: str
    began: float
    layout: Layout
    ranges: list[Range]

    @property
    def parts(self) -> int:
        return len(self.ranges)

    def save(self, job: Job) -> None:
        bucket.write_json(job.key("plan.json"), asdict(self))

    @classmethod
    def find(cls, job: Job) -> "Plan | None":
        try:
            entry = bucket.read_json(job.key("plan.json"))
        except ObjectMissing:
            return None
        ranges = [Range(**part) for part in entry["ranges"]]
        return cls(**{**entry, "layout": Layout.from_json(entry["layout"]), "ranges": ranges})

    @classmethod
    def of(cls, job: Job) -> "Plan":
        """Raises: BatchRefused: there is none."""
        plan = cls.find(job)
        if plan is None:
            raise BatchRefused("This batch was never planned. Start it again.")
        return plan


@dataclass(frozen=True, slots=True)
class Part:
    """What a scored part has left; parts/<n>.json. upload: that it belongs to."""

    upload: str
    etag: str
    tally: Tally

    def save(self, job: Job, number: int) -> None:
        entry = {"upload": self.upload, "etag": self.etag, "tally": self.tally.to_json()}
        bucket.write_json(job.part_key(number), entry)


def find_parts(job: Job, upload: str, numbers: Sequence[int]) -> dict[int, Part]:
    """Those of the parts that are scored, in order, by number; what an earlier upload has left is passed over."""

    def find(number: int) -> Part | None:
        try:
            entry = bucket.read_json(job.part_key(number))
        except ObjectMissing:
            return None
        return Part(entry["upload"], entry["etag"], Tally.from_json(entry["tally"]))

    with ThreadPoolExecutor(_READERS) as readers:
        found = zip(numbers, readers.map(find, numbers), strict=True)
        return {number: part for number, part in found if part is not None and part.upload == upload}


def numbers_of_parts(job: Job) -> list[int]:
    """The parts that have left something, in order."""
    names = bucket.list_names(job.key("parts/"))
    return sorted(int(name.removesuffix(".json")) for name in names)
