"""A job of the public API: what was asked for, kept in the bucket, and how far it is.

Source: docs/contract.md §8
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from predictor import bucket, keys, machine
from predictor.batch.progress import progress
from predictor.errors import ObjectMissing

LINK_SECONDS = 300
# Step Functions may know an execution only a moment after it was started.
STARTS_WITHIN_S = 60

QUEUED, PLANNING, RUNNING = "queued", "planning", "running"
UNFINISHED = frozenset({QUEUED, PLANNING, RUNNING})
# The original tool's page puts the moment before a file's name.
_MOMENT = re.compile(r"^\d{13}_(?=.)")
# What the end of a name says of the file and not of the result.
_ENDINGS = re.compile(r"(?<=.)\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx|gz|zst|zip)$", re.IGNORECASE)
_INTERRUPTED = "The job was interrupted before its end, through no fault of the file. Post it again."


@dataclass(frozen=True, slots=True)
class ApiJob:
    """job.json; the version stays the same to the job's end.

    owner: whose it is; file_key: what is scored; wishes: the optional entries of a batch's job; asked: the SHA-256 of
    the request; created: seconds since the epoch
    """

    job: str
    owner: str
    file_key: str
    model: str
    version: int
    sha256: str
    wishes: Mapping[str, Any]
    asked: str
    created: float

    @classmethod
    def find(cls, owner: str, job: str) -> "ApiJob | None":
        try:
            return cls(**bucket.read_json(keys.batch(owner, job, "job.json")))
        except ObjectMissing:
            return None

    def save(self) -> bool:
        """Keep it, unless there is a job of this id already; whether it was kept."""
        entry = {name: getattr(self, name) for name in self.__slots__}
        return bucket.write_json_once(keys.batch(self.owner, self.job, "job.json"), entry)

    def start(self, *, request_id: str) -> None:
        """Have it scored; a second time changes nothing. Raises: MachineAway."""
        machine.start(self._execution(), {"job": {**self._to_batch(), "request_id": request_id}})

    def cancel(self) -> bool:
        """End it, if it has not ended; False where it cannot be found to be ended yet. Raises: MachineAway."""
        return machine.stop(self._execution()) or not self._is_new()

    def tag(self) -> str:
        """What X-Model-Version says."""
        return f"{self.model}/{self.version}"

    def file_name(self) -> str:
        """What the caller's file is called."""
        return _MOMENT.sub("", self.file_key.rpartition("/")[2])

    def result_name(self, file: str) -> str:
        """What the downloaded result is called: which file, which model, which version."""
        stem = self.file_name()
        while (shorter := _ENDINGS.sub("", stem)) != stem:
            stem = shorter
        return f"{stem}_{self.model}-v{self.version}_predictions.{file.rpartition('.')[2]}"

    def status(self) -> dict[str, Any]:
        """How far it is, as the API says it, with a new link to the result. Raises: MachineAway."""
        known = machine.find_status(self._execution())
        summary = self._read_summary()
        so_far = progress({"job": self._to_batch()})
        facts = {
            "job": self.job,
            "status": self._word(known, summary, so_far["stage"]),
            "fileName": self.file_name(),
            "model": self.model,
            "version": self.version,
            **{name: summary.get(name, so_far[name]) for name in ("rows", "scored", "failed")},
            "parts": so_far["parts"],
            "partsDone": so_far["parts_done"],
            "distribution": summary.get("distribution", so_far["distribution"]),
            "errors": [
                {name: error[name] for name in ("line", "error")} for error in summary.get("errors", so_far["errors"])
            ],
        }
        if facts["status"] == "failed":
            facts["message"] = (summary.get("error") or {}).get("message") or _INTERRUPTED
        if facts["status"].startswith("done"):
            file = summary["result"]["file"]
            key = keys.batch(self.owner, self.job, file)
            link = bucket.download_link(key, seconds=LINK_SECONDS, saved_as=self.result_name(file))
            facts |= {"bucket": bucket.name(), "downloadLink": link}
        return facts

    def _word(self, known: str | None, summary: Mapping[str, Any], stage: str) -> str:
        if known == machine.RUNNING:
            return stage if stage in UNFINISHED else RUNNING
        if known == machine.ABORTED:
            return "cancelled"
        # An emulator that was restarted knows no execution; what that wrote last is in the bucket all the same.
        if known in (machine.SUCCEEDED, None) and summary.get("ok"):
            return "done with errors" if summary["failed"] else "done"
        return QUEUED if known is None and not summary and self._is_new() else "failed"

    def _is_new(self) -> bool:
        return time.time() - self.created < STARTS_WITHIN_S

    def _execution(self) -> str:
        # The function may stop what is called so, and so no batch of the portal's: deploy/template.yaml, PredictRole.
        # The second is in it because Step Functions keeps names for longer than the bucket keeps jobs.
        return f"api-{self.job}-{int(self.created)}"

    def _to_batch(self) -> dict[str, Any]:
        """The job as the state machine takes it: docs/contract.md §4."""
        return {
            "batch": self.job,
            "user": self.owner,
            "model": self.model,
            "version": self.version,
            "sha256": self.sha256,
            "file_name": self.file_key.rpartition("/")[2],
            "source": self.file_key,
            **self.wishes,
        }

    def _read_summary(self) -> dict[str, Any]:
        try:
            return dict(bucket.read_json(keys.batch(self.owner, self.job, "summary.json")))
        except ObjectMissing:
            return {}
