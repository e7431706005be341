"""What comes out in the end: the parts put together, and the summary of what they counted."""

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from predictor import bucket
from predictor.batch.job import Job, Part, Plan, find_parts, numbers_of_parts
from predictor.batch.parts import score_part
from predictor.batch.tally import Tally
from predictor.errors import BadRequest, BatchRefused, ObjectMissing
from predictor.limits import limit


def publish(job: Job, planned: Plan, done: Mapping[int, Part], *, is_partial: bool = False) -> dict[str, Any]:
    """Complete the upload with these parts, in order, and write summary.json; safe to run twice.

    Raises: BatchRefused: the upload is gone
    """
    total = _add_up(done)
    try:
        etags = {number: part.etag for number, part in done.items()}
        bucket.complete_upload(job.output_key, upload=planned.upload, etags=etags)
    except ObjectMissing:
        # The second run of this step: the first one put it together.
        if bucket.head(job.output_key) is None:
            raise BatchRefused("The batch was stopped before it was finished. Start it again.") from None
    summary = _summarise(total, planned, done, is_partial=is_partial)
    summary["result"] = _result(job, planned, summary["notes"])
    bucket.write_json(job.key("summary.json"), summary)
    return summary


def collect(event: Mapping[str, Any]) -> dict[str, Any]:
    """After a cancel: what was scored, as a file of its own.

    Raises: BadRequest: nothing was
    """
    job = Job.from_event(event)
    planned = Plan.find(job)
    done = find_parts(job, planned.upload, numbers_of_parts(job)) if planned else {}
    if planned is None or not done:
        raise BadRequest("Nothing was scored before the batch was cancelled.")
    if 1 not in done:
        # It holds the header.
        score_part(job, planned, 1, model=job.load_model())
        done = {**find_parts(job, planned.upload, [1]), **done}
    return publish(job, planned, dict(sorted(done.items())), is_partial=len(done) < planned.parts)


def _add_up(done: Mapping[int, Part]) -> Tally:
    total = Tally()
    for _, part in sorted(done.items()):
        total.merge(part.tally)
    return total


def _result(job: Job, planned: Plan, notes: list[str]) -> dict[str, Any]:
    """Which object is the result, and its size; what is not as wished is noted."""
    head = bucket.head(job.output_key)
    if head is None:
        raise BatchRefused("The result is no longer there. Start the batch again.")
    as_csv = {"file": "output.csv", "size_bytes": head.size_bytes}
    if job.wishes.result == "csv":
        return as_csv
    if head.size_bytes > limit("PORTICO_PARQUET_MAX_BYTES"):
        notes.append("The result is too large to be written as Parquet; it is CSV.")
        return as_csv
    from predictor.batch import parquet

    model = job.load_model()
    size_bytes = parquet.write_result(
        job.output_key,
        job.key("output.parquet"),
        layout=planned.layout,
        output=model.output,
        metadata=job.metadata(model),
    )
    return {"file": "output.parquet", "size_bytes": size_bytes}


def _summarise(total: Tally, planned: Plan, done: Mapping[int, Part], *, is_partial: bool) -> dict[str, Any]:
    notes = list(planned.layout.notes)
    if total.blank_lines:
        lines = "1 blank line was" if total.blank_lines == 1 else f"{total.blank_lines} blank lines were"
        notes.append(f"{lines} left where they stand and not counted as rows.")
    if is_partial:
        notes.append(f"The batch was cancelled. The result lacks {_name_missing(planned, done)} of the file.")
    return {
        "ok": True,
        "partial": is_partial,
        "rows": total.rows,
        "scored": total.scored,
        "failed": total.rows - total.scored,
        "columns": planned.layout.columns,
        "added": planned.layout.added,
        "preview": total.preview,
        "errors": total.errors,
        "distribution": total.distribution(),
        "notes": notes,
        "seconds": round(time.time() - planned.began, 3),
    }


def _name_missing(planned: Plan, done: Mapping[int, Part]) -> str:
    """The lines that are not in the result, in words."""
    firsts = [cut.line for cut in planned.ranges]
    spans: list[list[int]] = []
    for number, (first, following) in enumerate(pairwise([*firsts, 0]), start=1):
        if number in done:
            continue
        if spans and spans[-1][1] == first - 1:
            spans[-1][1] = following - 1
        else:
            spans.append([first, following - 1])
    shown = [f"lines {first:,} to {last:,}" if last > 0 else f"the lines from {first:,} on" for first, last in spans]
    return (
        " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
        if len(shown) < 10
        else (", ".join(shown[:9]) + f" and {len(shown) - 9} more stretches")
    )
