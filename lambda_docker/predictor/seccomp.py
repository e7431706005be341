"""A seccomp filter that takes system calls away from this process for good: those that predicting never needs.

Refused calls fail with EPERM, which Python raises as PermissionError, so that a model's author can be told what was
tried. Everything else is allowed: a list of allowed calls would have to follow each new libc.
Source: seccomp(2); numbers from the kernel's arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h
"""

import ctypes
import errno
import os
import struct
from dataclasses import dataclass
from typing import Any

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_CLONE_THREAD = 0x0001_0000
_X32_BIT = 0x4000_0000

# Offsets in struct seccomp_data; the low half of an argument comes first on both machines, which are little-endian.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF_0000, 0x8000_0000, 0x0005_0000

# The same on every machine: calls newer than 2019.
_COMMON = {
    "network": {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    "processes": {"pidfd_send_signal": 424, "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440},
    "system": {
        **{"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433},
        **{"mount_setattr": 442, "fchmodat2": 452},
    },
}


@dataclass(frozen=True)
class Machine:
    """The numbers of one architecture. `refused` by wall; the others are looked at more closely."""

    audit_architecture: int
    has_x32: bool
    clone: int
    clone3: int
    kill: tuple[int, ...]
    prlimit64: int
    refused: dict[str, dict[str, int]]


_X86_64 = Machine(
    audit_architecture=0xC000_003E,
    has_x32=True,
    clone=56,
    clone3=435,
    kill=(62, 234),
    prlimit64=302,
    refused={
        "network": {
            **{"socket": 41, "connect": 42, "accept": 43, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47},
            **{"bind": 49, "listen": 50, "socketpair": 53, "accept4": 288, "recvmmsg": 299, "sendmmsg": 307},
        },
        "processes": {
            **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "setpgid": 109, "setsid": 112},
            **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "setpriority": 141},
            **{"tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297},
            **{"shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240},
        },
        "system": {
            **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308},
            **{"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "syslog": 103, "reboot": 169},
            **{"add_key": 248, "request_key": 249, "keyctl": 250, "kexec_load": 246},
            **{"init_module": 175, "delete_module": 176, "finit_module": 313},
            **{"name_to_handle_at": 303, "open_by_handle_at": 304},
            # Landlock does not cover who owns a file and who may read it.
            **{"chmod": 90, "fchmod": 91, "fchmodat": 268, "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260},
            **{"utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280},
            **{"setxattr": 188, "lsetxattr": 189, "fsetxattr": 190},
            **{"removexattr": 197, "lremovexattr": 198, "fremovexattr": 199},
        },
    },
)
_AARCH64 = Machine(
    audit_architecture=0xC000_00B7,
    has_x32=False,
    clone=220,
    clone3=435,
    kill=(129, 131),
    prlimit64=261,
    refused={
        "network": {
            **{"socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203},
            **{"sendto": 206, "recvfrom": 207, "sendmsg": 211, "recvmsg": 212},
            **{"accept4": 242, "recvmmsg": 243, "sendmmsg": 269},
        },
        "processes": {
            **{"execve": 221, "execveat": 281, "setpgid": 154, "setsid": 157},
            **{"ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "setpriority": 140},
            **{"tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240},
            **{"shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180},
        },
        "system": {
            **{"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268},
            **{"bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "syslog": 116, "reboot": 142},
            **{"add_key": 217, "request_key": 218, "keyctl": 219, "kexec_load": 104},
            **{"init_module": 105, "delete_module": 106, "finit_module": 273},
            **{"name_to_handle_at": 264, "open_by_handle_at": 265},
            **{"fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "utimensat": 88},
            **{"setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15},
            **{"fremovexattr": 16},
        },
    },
)
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}


def refuse_calls() -> bool:
    """Take the calls away from this process and all its threads to come; whether the system did it."""
    machine = MACHINES.get(os.uname().machine)
    # A 32-bit Python on a 64-bit kernel makes calls of other numbers.
    if os.uname().sysname != "Linux" or machine is None or struct.calcsize("P") != 8:
        return False
    filter_, kept = _to_structure(build_filter(machine, own_pid=os.getpid()))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    done = libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_), 0, 0) == 0
    del kept
    return bool(done)


def build_filter(machine: Machine, *, own_pid: int) -> list[tuple[int, int, int, int]]:
    """The filter as (code, jump if true, jump if false, value) instructions, jumps counted in instructions."""
    refused = _RETURN, 0, 0, _ERROR | errno.EPERM
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_IF_EQUAL, 1, 0, machine.audit_architecture), (_RETURN, 0, 0, _KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    if machine.has_x32:
        program += [(_IF_AT_LEAST, 0, 1, _X32_BIT), refused]
    for calls in (*machine.refused.values(), *_COMMON.values()):
        for number in calls.values():
            program += [(_IF_EQUAL, 0, 1, number), refused]
    # Its flags lie in memory, which a filter cannot read; libc makes threads with clone() where there is no clone3().
    program += [(_IF_EQUAL, 0, 1, machine.clone3), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]
    allowed = _RETURN, 0, 0, _ALLOW
    argument = _LOAD, 0, 0, _FIRST_ARGUMENT
    # Threads, but no processes.
    program += [(_IF_EQUAL, 0, 4, machine.clone), argument, (_IF_ANY_BIT, 0, 1, _CLONE_THREAD), allowed, refused]
    for number in machine.kill:
        # abort() sends a signal to the process itself.
        program += [(_IF_EQUAL, 0, 4, number), argument, (_IF_EQUAL, 0, 1, own_pid), allowed, refused]
    # Other processes' limits are nobody's business; one's own can only be lowered.
    program += [(_IF_EQUAL, 0, 5, machine.prlimit64), argument]
    program += [(_IF_EQUAL, 1, 0, 0), (_IF_EQUAL, 0, 1, own_pid), allowed, refused]
    return [*program, allowed]


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _to_structure(program: list[tuple[int, int, int, int]]) -> tuple[_Filter, Any]:
    """The filter as the kernel reads it, and the memory that it points into."""
    packed = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    memory = ctypes.create_string_buffer(packed, len(packed))
    return _Filter(len(program), ctypes.cast(memory, ctypes.c_void_p)), memory
