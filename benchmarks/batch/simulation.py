"""How long a batch takes on AWS's wall clock, and the size of file that reaches a limit, from measured steps.

Arithmetic only; `scale` measures and prints. What a batch is and costs: deploy/costs/batches.py.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.batch import quotas
from deploy.costs.batches import Batch, Cloud, Steps, plan_batch


@dataclass(frozen=True, slots=True)
class Run:
    """A batch's map at some concurrency. wall_s: of all parts, without plan and finish"""

    wall_s: float
    environments: int


def run_parts(parts: int, *, part_s: float, cold_s: float, concurrency: int) -> Run:
    """All parts, each taken by the environment that can begin it first: one that is free, or one yet to be started.

    Args:   concurrency: as asked for; a Distributed Map has its own limit
    Source: Lambda function scaling: 1,000 environments at once, then 1,000 more every 10 s, refilled continuously
    """
    most = min(concurrency, quotas.MAP_CONCURRENCY, parts)
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


def size_that_reaches(limit: float, value: Callable[[Batch], float], steps: Steps, cloud: Cloud) -> int | None:
    """From which size of file on a value, which grows with it, is over the limit; None: not below 50 TB."""
    low, high = 0, quotas.OBJECT_MAX_BYTES
    if value(plan_batch(high, steps, cloud)) <= limit:
        return None
    while high - low > quotas.MIB:
        middle = (low + high) // 2
        if value(plan_batch(middle, steps, cloud)) > limit:
            high = middle
        else:
            low = middle
    return high


def _birth(number: int) -> float:
    """When environment `number`, from 0, can be started."""
    beyond = number + 1 - quotas.SCALING_AT_ONCE
    return max(beyond, 0) / quotas.SCALING_PER_S
