"""Parquet files and Excel workbooks → CSV, made by a process of their own (`table_process`).

Such a file says how much memory it takes, and may lie. The process has a limit, and the function outlives it.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from predictor.errors import BatchRefused
from predictor.limits import MIB, in_megabytes, limit
from predictor.reading.source import Source, local_copy

REFUSED = 3

_CHUNK_BYTES = 1 * MIB
# Of the function's memory, for the process: the rest is this one's, with a model loaded.
_SHARE = 0.6
_START = "import sys; sys.path[:0] = sys.argv[5:]; from predictor.reading import table_process as t; t.main()"


def sheets_of(source: Source) -> tuple[str, ...]:
    """The names of a workbook's sheets, in their order. Raises: BatchRefused: damaged, or over the limit."""
    content = b"".join(_run(source, "sheets", sheet=None))
    return tuple(json.loads(content))


def read_table(source: Source, format: str, *, sheet: str | None) -> Iterator[bytes]:
    """The table as chunks of UTF-8 CSV, the header first.

    Args:   format: "parquet" or "xlsx"
    Raises: BatchRefused: damaged, over a limit, or no such sheet
    """
    return _run(source, format, sheet=sheet)


def _run(source: Source, what: str, *, sheet: str | None) -> Iterator[bytes]:
    if what != "parquet":
        _check_size(source)
    with local_copy(source) as path, tempfile.TemporaryFile() as said:
        process = _start(what, path, said, sheet=sheet)
        stream: IO[bytes] = process.stdout  # type: ignore[assignment]  # it is a pipe
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
            code = process.wait()
        finally:
            # A reader that has seen enough leaves before the end.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
            stream.close()
        if code != 0:
            said.seek(0)
            raise BatchRefused(_explain(code, said.read(10_000)))


def _check_size(source: Source) -> None:
    allowed = limit("PORTICO_WORKBOOK_MAX_BYTES")
    if source.size_bytes > allowed:
        raise BatchRefused(
            f"The Excel workbook has {in_megabytes(source.size_bytes)}; up to {in_megabytes(allowed)} are opened. "
            "Save the sheet as CSV."
        )


def _start(what: str, path: str, said: IO[bytes], *, sheet: str | None) -> subprocess.Popen[bytes]:
    code = str(Path(__file__).resolve().parents[2])
    arguments = [what, path, sheet or "", str(memory_limit_bytes())]
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-B", "-c", _START, *arguments, code, *filter(None, sys.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=said,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    """The environment of the process: none of our credentials is in it."""
    names = ("PORTICO_WORKBOOK_MAX_BYTES", "LD_LIBRARY_PATH", "PATH")
    passed_on = {name: os.environ[name] for name in names if name in os.environ}
    return {**passed_on, "POLARS_MAX_THREADS": "1", "TMPDIR": tempfile.gettempdir()}


def memory_limit_bytes() -> int:
    """What the process may take."""
    megabytes = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    whole = (
        int(megabytes) * MIB if megabytes.isdigit() and int(megabytes) > 0 else limit("PORTICO_PREDICT_MEMORY_BYTES")
    )
    return int(whole * _SHARE)


def _explain(code: int, said: bytes) -> str:
    if code == REFUSED:
        return said.decode(errors="replace").strip().splitlines()[-1]
    if code < 0:
        return "The file takes more memory to be opened than there is. Save it as CSV, which is read as it comes."
    return "The file is damaged and cannot be opened. Save it again, or save it as CSV."
