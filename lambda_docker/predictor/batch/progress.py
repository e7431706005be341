"""How far a batch is, from what its steps have left in the bucket.

Source: docs/contract.md §4 (batch.progress)
"""

import time
from collections.abc import Mapping
from typing import Any

from predictor import bucket
from predictor.batch.job import Job, Plan, find_parts, numbers_of_parts
from predictor.batch.tally import Tally
from predictor.errors import ObjectMissing


def progress(event: Mapping[str, Any]) -> dict[str, Any]:
    """The stage, what is counted so far, and the first failures by line."""
    job = Job.from_event(event)
    planned = Plan.find(job)
    if planned is None:
        return _before_the_plan(job)
    counted = _Counted.of(job, planned)
    done, total = counted.numbers, counted.total
    return {
        "ok": True,
        "stage": "running" if len(done) < planned.parts else "finishing",
        "planned_bytes": planned.ranges[-1].end,
        "size_bytes": planned.ranges[-1].end,
        "parts": planned.parts,
        "parts_done": len(done),
        "bytes_done": sum(planned.ranges[number - 1].end - planned.ranges[number - 1].start for number in done),
        "rows": total.rows,
        "scored": total.scored,
        "failed": total.rows - total.scored,
        "errors": [{"line": error["line"], "error": error["error"]} for error in total.errors],
        "distribution": total.distribution(),
        "seconds": round(time.time() - planned.began, 3),
    }


class _Counted:
    """What the parts that are done have counted, remembered in progress.json so that each is read once."""

    def __init__(self, upload: str, numbers: list[int], total: Tally) -> None:
        self.upload, self.numbers, self.total = upload, numbers, total

    @classmethod
    def of(cls, job: Job, planned: Plan) -> "_Counted":
        known = cls._find(job, planned)
        seen = set(known.numbers)
        fresh = [number for number in numbers_of_parts(job) if number not in seen]
        parts = find_parts(job, planned.upload, fresh)
        if not parts:
            return known
        total = known.total
        for part in parts.values():
            errors = sorted(total.errors + part.tally.errors, key=lambda error: int(error["line"]))
            total.merge(part.tally)
            # Parts are done in any order: only lines say where an error is, and the first are shown.
            total.errors = errors[: len(total.errors)]
        counted = cls(planned.upload, known.numbers + list(parts), total)
        bucket.write_json(
            job.key("progress.json"),
            {"upload": planned.upload, "numbers": counted.numbers, "total": total.to_json()},
        )
        return counted

    @classmethod
    def _find(cls, job: Job, planned: Plan) -> "_Counted":
        try:
            entry = bucket.read_json(job.key("progress.json"))
        except ObjectMissing:
            return cls(planned.upload, [], Tally())
        if entry["upload"] != planned.upload:
            return cls(planned.upload, [], Tally())
        return cls(entry["upload"], entry["numbers"], Tally.from_json(entry["total"]))


def _before_the_plan(job: Job) -> dict[str, Any]:
    try:
        stage = bucket.read_json(job.key("stage.json"))
    except ObjectMissing:
        stage = {"stage": "queued", "planned_bytes": 0, "size_bytes": 0, "began": time.time()}
    return {
        "ok": True,
        "stage": stage["stage"],
        "planned_bytes": stage["planned_bytes"],
        "size_bytes": stage["size_bytes"],
        "parts": 0,
        "parts_done": 0,
        "bytes_done": 0,
        "rows": 0,
        "scored": 0,
        "failed": 0,
        "errors": [],
        "distribution": Tally().distribution(),
        "seconds": round(time.time() - stage["began"], 3),
    }
