"""A batch of any size on AWS, from measured steps: how many parts, seconds, requests, dollars.

Arithmetic only. One connection and one thread a function, but for finish, which waits for many small objects at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from deploy.costs.prices import Prices

MIB = 2**20
# predictor.batch: most parts of a file, readers of what parts have left, and when a step of planning hands over.
PARTS_AT_MOST = 9_000
FINISH_READERS = 16
PLAN_STEP_S = 600
# Plan, its choice, Score and Finish; each further step of a long plan is two more. A Distributed Map is charged one
# transition for each child it starts, and that child's own state is another (Step Functions Developer Guide,
# Transitions).
PARENT_TRANSITIONS = 4
PLAN_AGAIN_TRANSITIONS = 2
CHILD_TRANSITIONS = 2


@dataclass(frozen=True, slots=True)
class Network:
    """What storage on the same machine does not show.

    Source: S3 Best practices design patterns: first bytes come after 100 to 200 ms, one connection has 85 to 90 MB/s
    """

    request_s: float = 0.1
    bytes_per_s: float = 85_000_000

    def seconds(self, *, requests: float, size_bytes: float) -> float:
        return requests * self.request_s + size_bytes / self.bytes_per_s


@dataclass(frozen=True, slots=True)
class Line:
    """fixed + each · x, of two measured points. Below zero there is nothing: a fixed part that small is noise."""

    fixed: float
    each: float

    @classmethod
    def through(cls, first: tuple[float, float], second: tuple[float, float]) -> Line:
        each = max((second[1] - first[1]) / (second[0] - first[0]), 0.0)
        return cls(fixed=max(first[1] - each * first[0], 0.0), each=each)

    def at(self, x: float) -> float:
        return self.fixed + self.each * x


@dataclass(frozen=True, slots=True)
class Steps:
    """What was measured, without a network.

    plan_bytes_per_s: one reader; part_s, part_peak_bytes: over the part's input bytes, the process itself included in
    the memory; finish_s: over the number of parts; output_share: output bytes by input byte; cold_s: from the process's
    start to a loaded model; requests: (GET, PUT) of plan, of a part, of finish beside one GET a part
    """

    plan_bytes_per_s: float
    part_s: Line
    part_peak_bytes: Line
    finish_s: Line
    output_share: float
    cold_s: float
    plan_requests: tuple[int, int]
    part_requests: tuple[int, int]
    finish_requests: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cloud:
    """memory_mb: the function's; part_bytes: as cut where that makes no more parts than S3 takes"""

    network: Network = Network()
    memory_mb: int = 1_769
    part_bytes: int = 16 * MIB

    def part_bytes_for(self, size_bytes: int) -> int:
        """As predictor.batch.planning has it."""
        return max(self.part_bytes, math.ceil(size_bytes / PARTS_AT_MOST))


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch on AWS. Times in seconds, each function's own; gb_s: billed, cold starts not included.

    plan_s: of all steps of planning together, `plans` of them
    """

    size_bytes: int
    parts: int
    part_bytes: float
    output_bytes: float
    plan_s: float
    part_s: float
    finish_s: float
    gb_s: float
    gets: int
    puts: int
    transitions: int
    plans: int = 1


def plan_batch(size_bytes: int, steps: Steps, cloud: Cloud) -> Batch:
    """The batch that a file of that size makes."""
    part_bytes = cloud.part_bytes_for(size_bytes)
    parts = math.ceil(size_bytes / part_bytes)
    mean_bytes = size_bytes / parts
    seconds = cloud.network.seconds
    plan_s = size_bytes / steps.plan_bytes_per_s + seconds(requests=sum(steps.plan_requests), size_bytes=size_bytes)
    moved = mean_bytes * (1 + steps.output_share)
    part_s = steps.part_s.at(mean_bytes) + seconds(requests=sum(steps.part_requests), size_bytes=moved)
    waits = sum(steps.finish_requests) + math.ceil(parts / FINISH_READERS)
    finish_s = steps.finish_s.at(parts) + seconds(requests=waits, size_bytes=0)
    plans = max(math.ceil(plan_s / PLAN_STEP_S), 1)
    return Batch(
        size_bytes=size_bytes,
        parts=parts,
        part_bytes=mean_bytes,
        output_bytes=size_bytes * steps.output_share,
        plan_s=plan_s,
        part_s=part_s,
        finish_s=finish_s,
        gb_s=(plan_s + parts * part_s + finish_s) * cloud.memory_mb / 1024,
        gets=steps.plan_requests[0] + parts * steps.part_requests[0] + steps.finish_requests[0] + parts,
        puts=steps.plan_requests[1] + parts * steps.part_requests[1] + steps.finish_requests[1],
        transitions=PARENT_TRANSITIONS + (plans - 1) * PLAN_AGAIN_TRANSITIONS + parts * CHILD_TRANSITIONS,
        plans=plans,
    )


def cost_batch(batch: Batch, *, cold_starts: int, cold_s: float, memory_mb: int, prices: Prices) -> dict[str, float]:
    """Dollars, by service; nothing is free of charge here, and nothing is asked for storing what lies there."""
    gb_s = batch.gb_s + cold_starts * cold_s * memory_mb / 1024
    lambda_usd = gb_s * prices.lambda_gb_second + (batch.parts + 2) * prices.lambda_request
    states_usd = batch.transitions * prices.state_transition
    s3_usd = batch.gets * prices.s3_get + batch.puts * prices.s3_put
    return {"Lambda": lambda_usd, "Step Functions": states_usd, "S3": s3_usd, "all": lambda_usd + states_usd + s3_usd}
