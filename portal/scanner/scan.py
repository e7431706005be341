"""One file, one report: the child process's whole work."""

import hashlib
import io
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

from portal.scanner.allowed import show
from portal.scanner.archives import Archive
from portal.scanner.compiled import check_compiled
from portal.scanner.containers import CHUNK, CountedStream, name_compression, refuse_head, refuse_zip
from portal.scanner.description import describe_model
from portal.scanner.findings import Findings
from portal.scanner.limits import Limits
from portal.scanner.mlflow import find_description, read_model
from portal.scanner.report import RefusedError, ScanReport, refuse_form, refuse_size
from portal.scanner.skops_tree import SCHEMA, SkopsTree
from portal.scanner.standins import Instance
from portal.scanner.unpickler import InertUnpickler

HEAD = 512
ZIP_MARK = b"PK\x03\x04"
PROTOCOLS = range(2, 6)
# What the pickle machine stumbles over in a file that no pickler wrote.
STUMBLES = (
    pickle.UnpicklingError,
    struct.error,
    zlib.error,
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
Facts = dict[str, Any]


def scan(path: Path, limits: Limits) -> ScanReport:
    """Read the file as its loader would, making nothing. Never raises for what is in the file."""
    facts: Facts = {"size_bytes": path.stat().st_size}
    findings = Findings()
    refusals = []
    try:
        facts["sha256"] = hash_file(path)
        Scan(findings, limits, facts).scan_file(path)
    except RefusedError as refused:
        refusals.append(refused.refusal)
    except MemoryError:
        refusals.append(refuse_size("It needs more memory than a scan may use.").refusal)
    except RecursionError:
        refusals.append(refuse_size("It nests objects too deep.").refusal)
    except STUMBLES:
        refusals.append(refuse_form("It cannot be read as a model from beginning to end.").refusal)
    refusals = list(findings.refusals.values())[:MAX_REFUSALS] + refusals
    names = sorted(f"{show(module)}.{show(name)}" for module, name in findings.globals)
    facts["globals"] = tuple(names[:MAX_GLOBALS])
    if not refusals and "skops" in (facts.get("format"), facts.get("member_format")):
        facts["trusted"] = tuple(names)
    return ScanReport(ok=not refusals, refusals=tuple(refusals), **facts)


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Scan:
    """One pass over one file; what it finds out goes into `facts`, also when it ends early."""

    def __init__(self, findings: Findings, limits: Limits, facts: Facts) -> None:
        self.findings, self.limits, self.facts = findings, limits, facts

    def scan_file(self, path: Path) -> None:
        with path.open("rb") as file:
            head = file.read(HEAD)
            file.seek(0)
            if head.startswith(ZIP_MARK):
                top = self.scan_archive(Archive(file, self.limits))
            else:
                top = self.scan_pickle(CountedStream(file, None, self.limits), read_tail(path), key="format")
        check_compiled(self.findings.compiled)
        check_top(top, self.findings)
        if type(top) is Instance and top.made_by.grant == "estimator":
            self.facts.update(describe_model(top))

    def scan_archive(self, archive: Archive) -> Any:
        """A skops file or a zipped MLflow model, by what is in it."""
        self.facts["uncompressed_bytes"] = sum(member.file_size for member in archive.members.values())
        if SCHEMA in archive.members:
            self.facts["format"] = "skops"
            return self.scan_skops(archive)
        description = find_description(archive)
        if description is None:
            raise refuse_zip(set(archive.members))
        self.facts["format"] = "mlflow"
        model = read_model(archive, description)
        self.facts.update(member=model.member, attachments=model.attachments)
        return self.scan_member(archive, model.member)

    def scan_skops(self, archive: Archive) -> Any:
        tree = SkopsTree(archive, self.findings, self.limits)
        try:
            return tree.load()
        finally:
            self.facts["protocol"] = tree.protocol

    def scan_member(self, archive: Archive, name: str) -> Any:
        """The model inside an MLflow model, by its own first bytes."""
        stream = archive.open(name)
        if not stream.peek(HEAD).startswith(ZIP_MARK):
            return self.scan_pickle(stream, b"", key="member_format")
        content = archive.read(name, at_most=self.limits.uncompressed_bytes)
        inner = Archive(io.BytesIO(content), self.limits, free_bytes=archive.free_bytes)
        if SCHEMA not in inner.members:
            raise refuse_zip(set(inner.members))
        self.facts["member_format"] = "skops"
        return self.scan_skops(inner)

    def scan_pickle(self, source: CountedStream, tail: bytes, *, key: str) -> Any:
        """Which loader may open it, pickle or joblib, becomes the fact called `key`."""
        compression = name_compression(source.peek(HEAD))
        stream = CountedStream(source, compression, self.limits) if compression else source
        self.facts["compression"] = compression
        try:
            self.facts["protocol"] = check_beginning(stream, tail, compression)
            top = InertUnpickler(stream, self.findings, self.limits).load()
            if not stream.is_at_end():
                raise refuse_form("Something follows after its end.")
        finally:
            self.facts.setdefault("uncompressed_bytes", stream.total)
            if "protocol" in self.facts:
                # Bytes of arrays stand between the instructions: only joblib's loader steps over them.
                self.facts[key] = "joblib" if self.findings.has_wrapper or compression else "pickle"
        return top


def check_beginning(stream: CountedStream, tail: bytes, compression: str | None) -> int:
    """A pickle of protocol 2 to 5 begins with 0x80 and the number; anything else is refused for what it is."""
    head = stream.peek(HEAD)[:HEAD]
    if len(head) >= 2 and head[0] == pickle.PROTO[0] and head[1] in PROTOCOLS:
        return head[1]
    if len(head) >= 2 and head[0] == pickle.PROTO[0] and compression is None and head[1] in (0, 1):
        head = b"("
    raise refuse_head(head, tail if compression is None else b"", compression)


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
