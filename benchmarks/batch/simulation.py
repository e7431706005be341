"""A batch of any size on AWS, from measured steps: how many parts, seconds, dollars, and how long on the wall.

Arithmetic only; `scale` measures and prints. One connection and one thread a function, but for finish, which waits for
many small objects at once.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.batch import prices
from benchmarks.batch.prices import Network

# predictor.batch: most parts of a file, readers of what parts have left, and when a step of planning hands over.
PARTS_AT_MOST = 9_000
FINISH_READERS = 16
PLAN_STEP_S = 600


@dataclass(frozen=True, slots=True)
class Line:
    """fixed + each · x, of two measured points. Below zero there is nothing: a fixed part that small is noise."""

    fixed: float
    each: float

    @classmethod
    def through(cls, first: tuple[float, float], second: tuple[float, float]) -> "Line":
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
    part_bytes: int = 16 * prices.MIB

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


@dataclass(frozen=True, slots=True)
class Run:
    """A batch's map at some concurrency. wall_s: of all parts, without plan and finish"""

    wall_s: float
    environments: int


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
        transitions=prices.PARENT_TRANSITIONS
        + (plans - 1) * prices.PLAN_AGAIN_TRANSITIONS
        + parts * prices.CHILD_TRANSITIONS,
        plans=plans,
    )


def run_parts(parts: int, *, part_s: float, cold_s: float, concurrency: int) -> Run:
    """All parts, each taken by the environment that can begin it first: one that is free, or one yet to be started.

    Args:   concurrency: as asked for; a Distributed Map has its own limit
    Source: Lambda function scaling: 1,000 environments at once, then 1,000 more every 10 s, refilled continuously
    """
    most = min(concurrency, prices.MAP_CONCURRENCY, parts)
    free: list[float] = []
    wall = 0.0
    environments = 0
    for _ in range(parts):
        began = _birth(environments) if environments < most else math.inf
        if free and free[0] <= began:
            ends = heapq.heappop(free) + part_s
        else:
            environments += 1
            ends = began + cold_s + part_s
        heapq.heappush(free, ends)
        wall = max(wall, ends)
    return Run(wall_s=wall, environments=environments)


def cost(batch: Batch, *, cold_starts: int, cold_s: float, memory_mb: int) -> dict[str, float]:
    """Dollars, by service; nothing is free of charge here, and nothing is asked for storing what lies there."""
    gb_s = batch.gb_s + cold_starts * cold_s * memory_mb / 1024
    lambda_usd = gb_s * prices.GB_SECOND + (batch.parts + 2) * prices.LAMBDA_REQUEST
    states_usd = batch.transitions * prices.STATE_TRANSITION
    s3_usd = batch.gets * prices.GET_REQUEST + batch.puts * prices.PUT_REQUEST
    return {"Lambda": lambda_usd, "Step Functions": states_usd, "S3": s3_usd, "all": lambda_usd + states_usd + s3_usd}


def size_that_reaches(limit: float, value: Callable[[Batch], float], steps: Steps, cloud: Cloud) -> int | None:
    """From which size of file on a value, which grows with it, is over the limit; None: not below 50 TB."""
    low, high = 0, prices.OBJECT_MAX_BYTES
    if value(plan_batch(high, steps, cloud)) <= limit:
        return None
    while high - low > prices.MIB:
        middle = (low + high) // 2
        if value(plan_batch(middle, steps, cloud)) > limit:
            high = middle
        else:
            low = middle
    return high


def _birth(number: int) -> float:
    """When environment `number`, from 0, can be started."""
    beyond = number + 1 - prices.SCALING_AT_ONCE
    return max(beyond, 0) / prices.SCALING_PER_S
