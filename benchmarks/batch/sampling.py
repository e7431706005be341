"""How much memory the parts of a running Portico take, every half second: from /proc, or from the Docker engine."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FUNCTIONS = "functions"

_EVERY_S = 0.5
_PROJECT_LABEL, _SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
_FUNCTION_LABEL = "image-lambda.function"
# A process that used less than a tenth of a processor since the last look only waited.
_AT_WORK_SHARE = 0.1
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Member:
    """One process or container: its group on the plot, its memory, the seconds of processor that it has used so far."""

    name: str
    group: str
    memory_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Sample:
    """seconds: since sampling began; memory_bytes: by group; at_work: how many of the functions compute"""

    seconds: float
    memory_bytes: dict[str, int]
    largest_function_bytes: int
    functions: int
    at_work: int


@dataclass
class Sampler:
    """Looks at `members` until it is stopped."""

    members: Callable[[], list[Member]]
    samples: list[Sample] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _used: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        stopped = threading.Event()

        def look() -> None:
            while not stopped.wait(_EVERY_S):
                self.take()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def now(self) -> float:
        return time.monotonic() - self._began

    def take(self) -> None:
        memory: dict[str, int] = {}
        now, at_work = self.now(), 0
        functions = []
        for member in self.members():
            memory[member.group] = memory.get(member.group, 0) + member.memory_bytes
            if member.group == FUNCTIONS:
                functions.append(member)
                at_work += self._is_at_work(member, now)
        largest = max((member.memory_bytes for member in functions), default=0)
        self.samples.append(Sample(now, memory, largest, len(functions), at_work))

    def _is_at_work(self, member: Member, now: float) -> bool:
        # What it did before it was first seen is not known.
        before, used = self._used.get(member.name, (now, member.cpu_s))
        self._used[member.name] = (now, member.cpu_s)
        return member.cpu_s - used > _AT_WORK_SHARE * max(now - before, _EVERY_S)


def processes_of(root: int, emulator: int) -> Callable[[], list[Member]]:
    """The processes of `make up`: the emulator, its functions' and the portal's.

    Args: root: of `make up` itself; emulator: of its child
    """

    def look() -> list[Member]:
        members = []
        for pid, parents in _family(root).items():
            group = "emulator" if pid == emulator else FUNCTIONS if emulator in parents else "portal"
            with contextlib.suppress(OSError, StopIteration):
                members.append(Member(str(pid), group, _resident_bytes(pid), _cpu_s(pid)))
        return members

    return look


def containers_of(aws_port: int) -> Callable[[], list[Member]]:
    """The containers of docker-compose's Portico: its services' and, as LocalStack labels them, its functions'.

    Raises: LookupError: no service has that port
    """
    import docker

    engine = docker.from_env()
    project = next(
        (found.labels[_PROJECT_LABEL] for found in engine.containers.list(filters={"publish": str(aws_port)})), None
    )
    if project is None:
        raise LookupError(aws_port)

    def measure(container: Any) -> Member | None:
        # Gone between two calls, or just begun and without figures.
        with contextlib.suppress(docker.errors.APIError, KeyError):
            stats = container.stats(stream=False, one_shot=True)
            group = FUNCTIONS if _FUNCTION_LABEL in container.labels else container.labels[_SERVICE_LABEL]
            cpu_s = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
            return Member(container.id, group, _used_bytes(stats["memory_stats"]), cpu_s)
        return None

    def look() -> list[Member]:
        containers = engine.containers.list(filters={"label": f"{_PROJECT_LABEL}={project}"})
        # The engine takes up to a second for each.
        with ThreadPoolExecutor(max(len(containers), 1)) as threads:
            return [member for member in threads.map(measure, containers) if member]

    return look


def _used_bytes(memory: dict[str, Any]) -> int:
    """As `docker stats` counts: files that can be dropped from the cache are not the container's memory."""
    inactive = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
    return int(memory["usage"] - inactive)


def _family(root: int) -> dict[int, set[int]]:
    """Every descendant of a process, with the processes that it descends from."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int(_fields(int(entry.name))[1])
    family: dict[int, set[int]] = {}
    for pid in parents:
        above, current = set(), pid
        while current in parents and current != root:
            current = parents[current]
            above.add(current)
        if current == root and pid != root:
            family[pid] = above
    return family


def _fields(pid: int) -> list[str]:
    """Of /proc/<pid>/stat from the third on: the second is a name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def _cpu_s(pid: int) -> float:
    user, system = _fields(pid)[11:13]
    return (int(user) + int(system)) * _TICK_S
