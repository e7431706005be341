"""One file, one report: the child process's whole work."""

import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

from portal.scanner.containers import CHUNK, CountedStream, name_compression, refuse_other
from portal.scanner.findings import describe_model
from portal.scanner.limits import Limits
from portal.scanner.report import RefusedError, ScanReport, refuse_form, refuse_size
from portal.scanner.standins import Instance
from portal.scanner.unpickler import Findings, InertUnpickler

HEAD = 512
PROTOCOLS = range(2, 6)
# What the pickle machine stumbles over in a file that no pickler wrote.
STUMBLES = (
    pickle.UnpicklingError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    UnicodeError,
    ValueError,
)
MAX_GLOBALS = 1_000
MAX_REFUSALS = 50


def scan(path: Path, limits: Limits) -> ScanReport:
    """Read the file as its loader would, making nothing. Never raises for what is in the file."""
    facts: dict[str, Any] = {"size_bytes": path.stat().st_size}
    findings = Findings()
    refusals = []
    try:
        facts["sha256"] = hash_file(path)
        scan_contents(path, limits, findings, facts)
    except RefusedError as refused:
        refusals.append(refused.refusal)
    except MemoryError:
        refusals.append(refuse_size("It needs more memory than a scan may use.").refusal)
    except RecursionError:
        refusals.append(refuse_size("It nests objects too deep.").refusal)
    except STUMBLES:
        refusals.append(refuse_form("It cannot be read as a pickle from beginning to end.").refusal)
    refusals = list(findings.refusals.values())[:MAX_REFUSALS] + refusals
    names = sorted(f"{module}.{name}"[:200] for module, name in findings.globals)
    facts["globals"] = tuple(names[:MAX_GLOBALS])
    return ScanReport(ok=not refusals, refusals=tuple(refusals), **facts)


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scan_contents(path: Path, limits: Limits, findings: Findings, facts: dict[str, Any]) -> None:
    with path.open("rb") as file:
        compression = name_compression(file.read(HEAD))
        file.seek(0)
        stream = CountedStream(file, compression, limits)
        facts["compression"] = compression
        try:
            check_beginning(stream, path, compression, facts)
            top = InertUnpickler(stream, findings, limits).load()
            if not stream.is_at_end():
                raise refuse_form("Something follows after its end.")
        finally:
            facts["uncompressed_bytes"] = stream.total
            if facts.get("protocol"):
                # Bytes of arrays stand between the instructions: only joblib's loader steps over them.
                facts["format"] = "joblib" if findings.has_wrapper or compression else "pickle"
    check_top(top, findings)
    if type(top) is Instance:
        facts.update(describe_model(top))


def check_beginning(stream: CountedStream, path: Path, compression: str | None, facts: dict[str, Any]) -> None:
    """A pickle of protocol 2 to 5 begins with 0x80 and the number; anything else is refused for what it is."""
    head = stream.peek(CHUNK)[:HEAD]
    if len(head) >= 2 and head[0] == pickle.PROTO[0] and head[1] in PROTOCOLS:
        facts["protocol"] = head[1]
        return
    if len(head) >= 2 and head[0] == pickle.PROTO[0] and compression is None and head[1] in (0, 1):
        head = b"("
    raise refuse_other(head, read_tail(path) if compression is None else b"", compression)


def read_tail(path: Path) -> bytes:
    return path.read_bytes()[-2:].rstrip(b"\n") if path.stat().st_size < CHUNK else b"."


def check_top(top: Any, findings: Findings) -> None:
    """What the file is must be an estimator; a model in a list or a dict would need code to take it out."""
    if type(top) is Instance and (top.made_by.grant == "estimator" or findings.refusals):
        return
    what = top.made_by.dotted if type(top) is Instance else f"something of type {type(top).__name__}"
    raise RefusedError(
        f"It holds {what}, not a fitted scikit-learn estimator.",
        "Portico needs the estimator or pipeline itself, with nothing around it.",
        'Save only the fitted estimator: joblib.dump(model, "model.joblib").',
    )
