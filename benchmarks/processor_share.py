"""The share of a processor that Lambda gives a function by its memory, as a quota of Linux's control groups.

Source: AWS Lambda Developer Guide, "Configure Lambda function memory": 1,769 MB are one vCPU
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

ONE_PROCESSOR_MB = 1_769

_V2, _V1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/cpu")
_PERIOD_US = 20_000
# The shell itself joins the group, and then becomes the program.
_JOIN = 'echo $$ > "$0" && exec "$@"'


@contextlib.contextmanager
def limited(memory_mb: int | None) -> Iterator[list[str]]:
    """What to put before a command, so that it has a function's share; nothing where no memory is given.

    Raises: RuntimeError: this user may set no quota here
    """
    if memory_mb is None:
        yield []
        return
    quota_us = max(1_000, round(_PERIOD_US * memory_mb / ONE_PROCESSOR_MB))
    try:
        group = _make(quota_us)
    except OSError as problem:
        raise RuntimeError("A processor's share needs Linux's control groups and the right to make one.") from problem
    try:
        yield ["sh", "-c", _JOIN, str(group / "cgroup.procs")]
    finally:
        group.rmdir()


def _make(quota_us: int) -> Path:
    is_v2 = (_V2 / "cgroup.controllers").exists()
    group = (_V2 if is_v2 else _V1) / f"portico-benchmark-{os.getpid()}"
    group.mkdir()
    try:
        if is_v2:
            (group / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
    except OSError:
        group.rmdir()
        raise
    return group
