"""The parent's side: start the child, wait no longer than allowed, and turn whatever happens into a report."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from portal.scanner.limits import Limits
from portal.scanner.report import RefusedError, ScanReport, refuse_form, refuse_size

CHILD = Path(__file__).with_name("__main__.py")


def scan_file(path: Path | str, *, limits: Limits | None = None) -> ScanReport:
    """Is the model file safe to hand to the verify function?

    Returns: a report; ok is False with at least one refusal whenever the file or the scan was not in order
    Raises:  FileNotFoundError: there is no such file
    """
    path = Path(path).resolve(strict=True)
    limits = limits or Limits()
    try:
        return run_child(path, limits)
    except RefusedError as refused:
        return ScanReport(ok=False, size_bytes=path.stat().st_size, refusals=(refused.refusal,))


def run_child(path: Path, limits: Limits) -> ScanReport:
    # -I -S: no environment, no site-packages, no current directory; scikit-learn is not even importable in there.
    command = [sys.executable, "-I", "-S", "-B", str(CHILD), str(path), json.dumps(limits.to_json())]
    child = subprocess.Popen(  # noqa: S603  (our own program; the path is an argument, no shell reads it)
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd=CHILD.parent,
        start_new_session=True,
    )
    try:
        answer, _nothing = child.communicate(timeout=limits.wall_clock_s)
    except subprocess.TimeoutExpired as late:
        raise refuse_size("Reading it takes longer than a scan may take.") from late
    finally:
        end_group(child)
    return read_answer(answer, child.returncode)


def end_group(child: "subprocess.Popen[bytes]") -> None:
    """Kill the child and anything it may have started, and collect it. Harmless once all have ended."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def read_answer(answer: bytes, code: int) -> ScanReport:
    """Raises: RefusedError: the child ended without a report"""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise refuse_size("Reading it takes more time or memory than a scan may use.")
    if code != 0:
        raise refuse_form("The scan broke off while reading it.")
    try:
        return ScanReport.from_json(json.loads(answer))
    except (ValueError, KeyError, TypeError) as fault:
        raise refuse_form("The scan broke off while reading it.") from fault
