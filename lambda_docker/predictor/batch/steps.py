"""The four steps of a batch, each an invoke of its own, each safe to run twice.

Source: docs/contract.md §4
"""

import contextlib
import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from predictor import bucket
from predictor.batch.job import Job, Plan
from predictor.batch.planning import cut_file, part_bytes
from predictor.batch.records import split_records
from predictor.batch.scoring import header_line, score_records
from predictor.batch.tally import Tally
from predictor.errors import BadRequest, BatchRefused, Fault, ObjectMissing

Step: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]

_CSV = "text/csv; charset=utf-8"
_FAILED = (
    "The batch could not be finished, through no fault of the file. Start it again; if it fails again, "
    "tell the operators."
)


def plan(event: Mapping[str, Any], *, size_bytes: int | None = None) -> dict[str, Any]:
    """Check the file, cut it and start the output.

    Args:   size_bytes: of a part, for tests; S3 itself wants 5 MiB at least
    Raises: BatchRefused: the file cannot be scored; Fault: the model cannot be used
    """
    job, began = Job.from_event(event), time.time()
    model = job.load_model()
    try:
        cut = cut_file(
            job.key("input.csv"),
            normalised_key=job.key("normalised.csv"),
            features=model.features,
            output=model.output,
            part_bytes=size_bytes or part_bytes(),
        )
    except ObjectMissing:
        raise BatchRefused("The file is no longer there. Upload it again.") from None
    earlier = Plan.find(job)
    if earlier is not None:
        # A repeated step must not leave the first one's upload behind: its parts would be paid for.
        bucket.abort_upload(job.key("output.csv"), upload=earlier.upload)
    upload = bucket.start_upload(job.key("output.csv"), content_type=_CSV)
    Plan(source=cut.source, upload=upload, parts=len(cut.ranges), began=began, layout=cut.layout).save(job)
    parts = [{"number": number, "start": start, "end": end} for number, (start, end) in enumerate(cut.ranges, start=1)]
    bucket.write_json(job.key("parts.json"), parts)
    return {"bucket": bucket.name(), "parts_key": job.key("parts.json"), "parts": len(parts)}


def part(event: Mapping[str, Any]) -> dict[str, Any]:
    """Score one byte range and upload it. Raises: BatchRefused; Fault."""
    job = Job.from_event(event)
    number, start, end = _read_part(event.get("part"))
    model, planned = job.load_model(), Plan.of(job)
    layout = planned.layout
    if not 1 <= number <= planned.parts:
        raise BadRequest("There is no part of that number.")
    records, rest = split_records(bucket.read_range(planned.source, start=start, end=end), layout.delimiter.encode())
    tally = Tally()
    output = bytearray()
    if number == 1:
        output += header_line(bucket.read_range(planned.source, start=0, end=layout.header_bytes), layout)
    if rest:
        records.append(rest)
    for lines in score_records(records, model=model, layout=layout, tally=tally, is_last=number == planned.parts):
        output += lines
    if rest:
        # The file's last line had no line end; so has the output's.
        output = output.removesuffix(b"\n").removesuffix(b"\r") if not rest.endswith(b"\r") else output
    etag = bucket.put_part(job.key("output.csv"), bytes(output), upload=planned.upload, number=number)
    bucket.write_json(job.part_key(number), {"etag": etag, "tally": tally.to_json()})
    return {"number": number}


def finish(event: Mapping[str, Any]) -> dict[str, Any]:
    """Put the output together and sum up. Raises: BatchRefused: a part is missing."""
    job = Job.from_event(event)
    planned = Plan.of(job)
    total, etags = Tally(), {}
    for number in range(1, planned.parts + 1):
        try:
            done = bucket.read_json(job.part_key(number))
        except ObjectMissing:
            raise BatchRefused(f"Part {number} of {planned.parts} was not scored. Start the batch again.") from None
        tally = Tally.from_json(done["tally"])
        total.histogram_of = tally.histogram_of
        total.merge(tally)
        etags[number] = done["etag"]
    try:
        bucket.complete_upload(job.key("output.csv"), upload=planned.upload, etags=etags)
    except ObjectMissing:
        # The second run of this step: the first one put it together.
        if bucket.head(job.key("output.csv")) is None:
            raise BatchRefused("The batch was stopped before it was finished. Start it again.") from None
    summary = _summarise(total, planned)
    bucket.write_json(job.key("summary.json"), summary)
    return {name: value for name, value in summary.items() if name != "preview"}


def abandon(event: Mapping[str, Any]) -> dict[str, Any]:
    """Drop what was uploaded and write down why the batch ended."""
    job = Job.from_event(event)
    planned = Plan.find(job)
    if planned is not None:
        bucket.abort_upload(job.key("output.csv"), upload=planned.upload)
    summary = {"ok": False, "error": _find_refusal(job) or {"code": "failed", "message": _FAILED}}
    bucket.write_json(job.key("summary.json"), summary)
    return summary


def _read_part(value: object) -> tuple[int, int, int]:
    if isinstance(value, Mapping):
        numbers = [value.get(name) for name in ("number", "start", "end")]
        whole = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
        if len(whole) == 3 and whole[0] >= 1 and 0 <= whole[1] <= whole[2]:
            return whole[0], whole[1], whole[2]
    raise BadRequest("The part must have a number, a start and an end.")


def _summarise(total: Tally, planned: Plan) -> dict[str, Any]:
    notes = list(planned.layout.notes)
    if total.blank_lines:
        lines = "1 blank line was" if total.blank_lines == 1 else f"{total.blank_lines} blank lines were"
        notes.append(f"{lines} left where they stand and not counted as rows.")
    return {
        "ok": True,
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


def _find_refusal(job: Job) -> dict[str, str] | None:
    """What a step of this batch said when it refused, if one did."""
    try:
        return {"code": "refused", "message": bucket.read_json(job.key("refusal.json"))["message"]}
    except ObjectMissing:
        return None


def _refusing(step: Step) -> Step:
    """The step, which refuses expected faults too, and leaves every refusal in the bucket for *abandon* to tell.

    Step Functions reports of a failed map only that too many parts failed, and the emulator drops exceptions' names.
    """

    @functools.wraps(step)
    def wrapped(event: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return step(event)
        except Fault as fault:
            _write_refusal(event, fault.message)
            raise BatchRefused(fault.message) from fault
        except BatchRefused as refusal:
            _write_refusal(event, str(refusal))
            raise

    return wrapped


def _write_refusal(event: Mapping[str, Any], message: str) -> None:
    # A job that makes no keys leaves nothing: there is no place of its own to leave it at.
    with contextlib.suppress(BadRequest):
        bucket.write_json(Job.from_event(event).key("refusal.json"), {"message": message})


BATCH_STEPS: dict[str, Step] = {
    "batch.plan": _refusing(plan),
    "batch.part": _refusing(part),
    "batch.finish": _refusing(finish),
    "batch.abandon": abandon,
}
