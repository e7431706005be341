"""The walls around the process that loads an unknown model: raised from within, before it sees the model's first byte.

    time        a limit of CPU seconds; the parent watches the clock besides
    memory      a limit of address space
    processes   no new process, no other program, no hand on another process        (seccomp)
    files       Python's own folders may be read, nothing else read or written       (Landlock)
    network     no sockets of any kind                                               (seccomp)

None is a condition of running, since not every system has all of them. Each counts only after it was pushed against.
"""

import contextlib
import ctypes
import mmap
import os
import resource
import site
import socket
import sys
from collections.abc import Callable

from predictor import landlock, seccomp

_CAPABILITY_VERSION_3 = 0x2008_0522
# Files that Python, its libraries and libc read wherever they run.
_SYSTEM_FILES = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/fs/cgroup"),
)


def raise_walls(*, cpu_seconds: int, pandas_path: str = "") -> list[str]:
    """All walls but "memory"; the names of those that stand. Call it before any thread and any library is there."""
    _limit(resource.RLIMIT_CORE, 0)
    # The soft limit's signal says why; the hard one comes to those who ignore it.
    stand = ["time"] if _limit(resource.RLIMIT_CPU, cpu_seconds, hard=cpu_seconds + 1) else []
    _drop_capabilities()
    # A wall of its own beside Landlock's; a pipe is no file.
    _limit(resource.RLIMIT_FSIZE, 0)
    landlock.allow_only(readable_paths(pandas_path))
    seccomp.refuse_calls()
    if _is_refused(_start_process):
        stand.append("processes")
    if _is_refused(lambda: os.close(os.open("/", os.O_RDONLY))):
        stand.append("files")
    if _is_refused(lambda: socket.socket().close()):
        stand.append("network")
    return stand


def limit_memory(size_bytes: int) -> list[str]:
    """Let the process grow by `size_bytes` and no further; ["memory"] where that holds.

    It counts addresses, not pages, so call it when the libraries are in: those map much that they never touch.
    """
    with contextlib.suppress(OSError), open("/proc/self/statm") as sizes:
        in_use = int(sizes.read().split()[0]) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, in_use + size_bytes)
    return ["memory"] if _is_refused(lambda: mmap.mmap(-1, size_bytes + (1 << 20)).close()) else []


def readable_paths(pandas_path: str = "") -> list[str]:
    """What the process may read: the folders of Python and of installed packages, and a few of the system's files."""
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages()}
    return sorted({path for path in (*python, *sys.path, pandas_path, *_SYSTEM_FILES) if path})


def _limit(what: int, soft: int, *, hard: int | None = None) -> bool:
    """Lower a limit for good; False where the system does not let it."""
    highest = resource.getrlimit(what)[1]
    limits = [wanted if highest == resource.RLIM_INFINITY else min(wanted, highest) for wanted in (soft, hard or soft)]
    try:
        resource.setrlimit(what, (limits[0], limits[1]))
    except (OSError, ValueError):
        return False
    return resource.getrlimit(what)[0] == limits[0]


def _drop_capabilities() -> None:
    """Where it runs as root (containers), leave it a user's rights, so that it cannot look into the parent."""
    if os.uname().sysname != "Linux":
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)())


def _start_process() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _is_refused(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except (OSError, MemoryError):
        return True
    return False
