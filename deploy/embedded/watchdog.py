"""Ends what `make up` started when `make up` itself is gone, however it went (kill -9 included).

It reads process groups from its standard input: `+123` to watch one, `-123` to forget it. The end of the input means
that the writer has died. A pipe rather than PR_SET_PDEATHSIG: that is Linux only, and says nothing of grandchildren.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_S = 8.0  # the emulator writes its state when it is asked to stop


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        groups.add(group) if line[0] == "+" else groups.discard(group)
    end_groups(groups, grace_s=GRACE_S)


def end_groups(groups: set[int], *, grace_s: float) -> None:
    """SIGTERM to every group, SIGKILL to those that are still there after `grace_s`."""
    _signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while any(map(_is_alive, groups)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_groups(groups, signal.SIGKILL)


def _signal_groups(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    # Ctrl-C is for the parent: this one leaves when the pipe closes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
