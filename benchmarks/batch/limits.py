"""AWS's limits beside what a batch makes of them, and the size of file from which on it is over one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.batch import quotas, simulation
from benchmarks.report import Report
from deploy.costs.batches import PLAN_STEP_S, Batch, Cloud, Steps, plan_batch

GB = 10**9
# {"number": 10000} and a comma: what the map keeps of a part until all are there.
_PART_ANSWER_BYTES = 19
# An entry of parts.json, as docs/contract.md §4 has it.
_PART_ENTRY_BYTES = 90


@dataclass(frozen=True, slots=True)
class Limit:
    """value: what a batch makes of it, in the limit's own unit"""

    name: str
    source: str
    most: float
    unit: str
    value: Callable[[Batch], float]
    kept_by: str


def compare(sizes: Sequence[int], steps: Steps, cloud: Cloud) -> Report:
    """A row a limit."""
    batches = [plan_batch(size, steps, cloud) for size in sizes]
    rows = []
    for limit in _limits(steps, cloud):
        over = simulation.size_that_reaches(limit.most, limit.value, steps, cloud)
        values = [limit.value(batch) for batch in batches]
        rows.append(
            {
                "limit": limit.name,
                "most": f"{limit.most:,.0f} {limit.unit}",
                **{
                    f"{batch.size_bytes / GB:,.0f} GB": f"{value:,.1f}{' OVER' if value > limit.most else ''}"
                    for batch, value in zip(batches, values, strict=True)
                },
                "over from": "never" if over is None else f"{over / GB:,.0f} GB",
                "kept by": limit.kept_by,
                "source": limit.source,
            }
        )
    return Report(
        title="AWS's limits, and what a batch makes of them",
        rows=rows,
        notes=[
            "never: not below 50 TB, S3's largest object since December 2025 (5 TiB before).",
            "Account concurrency is 1,000 at first, new accounts have less; a Distributed Map runs up to 10,000"
            " children at a time; a function gets 1,000 environments at once and 1,000 more every 10 s.",
            f"Portico's own limit is PORTICO_BATCH_MAX_BYTES. parts.json has about {_PART_ENTRY_BYTES} bytes a part,"
            f" {quotas.PARTS_MAX * _PART_ENTRY_BYTES / 1e6:.1f} MB at most, and is read from S3, not from the state.",
        ],
    )


def _limits(steps: Steps, cloud: Cloud) -> list[Limit]:
    timeout, minutes = "Lambda quotas: timeout", quotas.TIMEOUT_S
    multipart = "Amazon S3 multipart upload limits"
    return [
        Limit(
            "plan in one invoke",
            timeout,
            minutes,
            "s",
            lambda batch: min(batch.plan_s, PLAN_STEP_S),
            "the next step goes on after 600 s",
        ),
        Limit("a part in one invoke", timeout, minutes, "s", lambda batch: batch.part_s, "16 MiB a part"),
        Limit("finish in one invoke", timeout, minutes, "s", lambda batch: batch.finish_s, "9,000 parts at most"),
        Limit(
            "a part's memory",
            "Lambda quotas: memory",
            cloud.memory_mb * quotas.MIB / 1e6,
            "MB",
            lambda batch: steps.part_peak_bytes.at(batch.part_bytes) / 1e6,
            "16 MiB a part",
        ),
        Limit(
            "parts of an upload",
            multipart,
            quotas.PARTS_MAX,
            "",
            lambda batch: batch.parts,
            "larger parts of a larger file",
        ),
        Limit(
            "a part of the output",
            multipart,
            quotas.PART_MAX_BYTES / 1e6,
            "MB",
            lambda batch: batch.output_bytes / batch.parts / 1e6,
            "16 MiB a part",
        ),
        Limit(
            "the output",
            "Amazon S3 objects",
            quotas.OBJECT_MAX_BYTES / GB,
            "GB",
            lambda batch: batch.output_bytes / GB,
            "nothing",
        ),
        Limit(
            "PUT requests a prefix at 1,000 at a time",
            "S3 Best practices design patterns",
            quotas.PUTS_PER_S,
            "/s",
            lambda batch: min(batch.parts, quotas.ACCOUNT_CONCURRENCY) * steps.part_requests[1] / batch.part_s,
            "2 PUTs a part",
        ),
        Limit(
            "events of the parent's history",
            "Step Functions service quotas",
            quotas.EVENTS_MAX,
            "",
            lambda batch: quotas.PARENT_EVENTS + (batch.plans - 1) * quotas.PLAN_AGAIN_EVENTS,
            "children with their own",
        ),
        Limit(
            "the map's result in the state",
            "Step Functions service quotas: payload",
            quotas.PAYLOAD_MAX_BYTES / 1e3,
            "kB",
            lambda batch: batch.parts * _PART_ANSWER_BYTES / 1e3,
            "answers of 19 bytes",
        ),
    ]
