"""The four steps of a batch, each an invoke of its own, each safe to run twice and to be killed at any moment.

What a step has done lies in the bucket, and what lies there decides what is left to do: a batch that is started again
goes on where it stopped, and ends with the same bytes.
Source: docs/contract.md §4
"""

import contextlib
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from predictor import bucket
from predictor.batch.job import Job, Plan, find_parts, numbers_of_parts
from predictor.batch.parts import score_part
from predictor.batch.planning import Cutting, FileCutter, part_bytes
from predictor.batch.records import Range
from predictor.batch.result import publish
from predictor.errors import FILE_GONE, BadRequest, BatchRefused, Fault, ObjectMissing
from predictor.limits import limit
from predictor.loaded_model import LoadedModel

Step: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]

_CSV = "text/csv; charset=utf-8"
_FAILED = (
    "The batch could not be finished, through no fault of the file. Resume it; if it fails again, tell the operators."
)


def plan(event: Mapping[str, Any], *, size_bytes: int | None = None) -> dict[str, Any]:
    """Check the file, cut it and start the output; or find out what an earlier start has left to do.

    Args:   size_bytes: of a part, for tests; S3 itself wants 5 MiB at least
    Raises: BatchRefused: the file cannot be scored; Fault: the model cannot be used
    """
    job = Job.from_event(event)
    model = job.load_model()
    head = bucket.head(job.input_key)
    if head is None:
        raise BatchRefused(FILE_GONE)
    planned = Plan.find(job)
    resumed = planned is not None
    if planned is None or planned.input_etag != head.etag or not _can_go_on(job, planned):
        try:
            planned = _plan_anew(job, model, head, size_bytes or part_bytes(head.size_bytes))
        except ObjectMissing:
            raise BatchRefused(FILE_GONE) from None
    if planned is None:
        return {"more": True, "bucket": bucket.name(), "parts_key": job.key("parts.json"), "parts": 0}
    if resumed:
        # What an earlier start was refused for must not be told as this one's reason.
        bucket.write_json(job.key("refusal.json"), {"message": None})
    done = find_parts(job, planned.upload, numbers_of_parts(job))
    parts = [{"number": number, **_to_json(part)} for number, part in enumerate(planned.ranges, start=1)]
    left = [part for part in parts if part["number"] not in done]
    # A map over nothing is not the same everywhere; the last part may be scored twice.
    bucket.write_json(job.key("parts.json"), left or parts[-1:])
    return {"more": False, "bucket": bucket.name(), "parts_key": job.key("parts.json"), "parts": len(parts)}


def part(event: Mapping[str, Any]) -> dict[str, Any]:
    """Score one byte range and upload it. Raises: BatchRefused; Fault."""
    job = Job.from_event(event)
    number = _read_number(event.get("part"))
    model, planned = job.load_model(), Plan.of(job)
    if number > planned.parts:
        raise BadRequest("There is no part of that number.")
    # Done before: its answer got lost, or the map had nothing else to do.
    if not find_parts(job, planned.upload, [number]):
        score_part(job, planned, number, model=model)
    return {"number": number}


def finish(event: Mapping[str, Any]) -> dict[str, Any]:
    """Put the output together and sum up. Raises: BatchRefused: a part is missing; with the part's reason, if any."""
    job = Job.from_event(event)
    planned = Plan.of(job)
    done = find_parts(job, planned.upload, range(1, planned.parts + 1))
    missing = next((number for number in range(1, planned.parts + 1) if number not in done), None)
    if missing is not None:
        # LocalStack comes here though a part was refused.
        said = _find_refusal(job) or {
            "message": f"Part {missing} of {planned.parts} was not scored. Start the batch again."
        }
        raise BatchRefused(said["message"])
    summary = publish(job, planned, done)
    return {name: value for name, value in summary.items() if name != "preview"}


def abandon(event: Mapping[str, Any]) -> dict[str, Any]:
    """Write down why the batch ended. What is scored stays where it is: a resume begins with it."""
    job = Job.from_event(event)
    summary = {"ok": False, "error": _find_refusal(job) or {"code": "failed", "message": _FAILED}}
    bucket.write_json(job.key("summary.json"), summary)
    return summary


def _can_go_on(job: Job, planned: Plan) -> bool:
    """Whether what was planned still has its upload, or has its output already."""
    if bucket.has_upload(job.output_key, upload=planned.upload):
        return True
    # A result that was collected from some of the parts has used the upload up.
    is_whole = len(find_parts(job, planned.upload, numbers_of_parts(job))) == planned.parts
    return is_whole and bucket.head(job.output_key) is not None


def _plan_anew(job: Job, model: LoadedModel, head: bucket.Head, size_bytes: int) -> Plan | None:
    """The plan, or None where the file is so large that the next step must go on cutting it."""
    earlier = _find_cutting(job, head, size_bytes)
    began = earlier["began"] if earlier else time.time()
    stage = {"stage": "planning", "size_bytes": head.size_bytes, "began": began}
    stops_at = time.monotonic() + limit("PORTICO_PLAN_SECONDS")

    def watch(read_bytes: int) -> None:
        bucket.write_json(job.key("stage.json"), {**stage, "planned_bytes": read_bytes})

    cutter = FileCutter(
        key=job.input_key,
        normalised_key=job.key("normalised.csv"),
        model=model,
        part_bytes=size_bytes,
        wishes=job.wishes,
        watch=watch,
        stop=lambda: time.monotonic() > stops_at,
    )
    if earlier is None:
        watch(0)
    cut = cutter.cut() if earlier is None else cutter.go_on(Cutting.from_json(earlier))
    if isinstance(cut, Cutting):
        entry = {"input_etag": head.etag, "part_bytes": size_bytes, "began": began}
        bucket.write_json(job.key("cutting.json"), {**entry, **asdict(cut)})
        return None
    upload = bucket.start_upload(job.output_key, content_type=_CSV, metadata=job.metadata(model))
    planned = Plan(
        input_etag=head.etag, source=cut.source, upload=upload, began=began, layout=cut.layout, ranges=cut.ranges
    )
    planned.save(job)
    return planned


def _find_cutting(job: Job, head: bucket.Head, size_bytes: int) -> dict[str, Any] | None:
    """How far an earlier step has cut this very file, if one was stopped."""
    try:
        entry = bucket.read_json(job.key("cutting.json"))
    except ObjectMissing:
        return None
    is_same = (entry["input_etag"], entry["part_bytes"]) == (head.etag, size_bytes)
    return dict(entry) if is_same else None


def _to_json(cut: Range) -> dict[str, int]:
    return {"start": cut.start, "end": cut.end, "line": cut.line}


def _read_number(value: object) -> int:
    number = value.get("number") if isinstance(value, Mapping) else None
    if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
        return number
    raise BadRequest("The part must have a number.")


def _find_refusal(job: Job) -> dict[str, str] | None:
    """What a step of this batch said when it refused, if one did."""
    try:
        message = bucket.read_json(job.key("refusal.json"))["message"]
    except ObjectMissing:
        return None
    return {"code": "refused", "message": message} if message else None


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
