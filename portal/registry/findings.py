"""What a check found, in the words of the report. What an older release checked holds less: what is there is told.

Source of the fields: docs/contract.md section 5 (the manifest), portal.scanner.report (the scan)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.registry.models import ModelVersion

FORMATS = {"pickle": "Pickle", "joblib": "joblib", "skops": "skops", "mlflow": "MLflow model, zipped"}
WALLS = {
    "time": "a limit of time",
    "memory": "a limit of memory",
    "processes": "no other programs",
    "files": "no files but Python’s own",
    "network": "no network",
}
RELEASE_PARTS = 2


@dataclass(frozen=True)
class Trial:
    """One thing that was tried: what it was, how long it took in milliseconds, and what came of it."""

    what: str
    milliseconds: float | None
    outcome: str


@dataclass(frozen=True)
class Findings:
    file: str
    unpacked_bytes: int
    steps: list[dict[str, str]]
    estimator: str
    imports: list[str]
    trials: list[Trial]
    stood: list[str]
    missing: list[str]
    served_with: str
    is_other_release: bool
    flags: list[str]
    tables: str


def findings_of(version: ModelVersion) -> Findings:
    manifest, scan = version.manifest, version.scan
    walls = manifest.get("sandbox")
    served_with = str((manifest.get("versions") or {}).get("scikit-learn") or "")
    return Findings(
        file=_file(manifest, scan),
        unpacked_bytes=int(scan.get("uncompressed_bytes") or 0),
        steps=list(manifest.get("steps") or scan.get("steps") or []),
        # Of a refused file the scan knows what stands in an estimator's place, which is none.
        estimator=str(manifest.get("estimator") or (scan.get("estimator") if scan.get("ok") else "") or ""),
        imports=sorted(scan.get("globals") or []),
        trials=_trials(manifest.get("trials") or {}),
        stood=[words for wall, words in WALLS.items() if wall in (walls or [])],
        missing=[words for wall, words in WALLS.items() if walls is not None and wall not in walls],
        served_with=served_with,
        is_other_release=bool(
            served_with and version.fitted_with and _release(served_with) != _release(version.fitted_with)
        ),
        flags=[str(flag["message"]) for flag in manifest.get("flags") or []],
        tables=_tables(manifest.get("compiled") or {}),
    )


def _file(manifest: dict[str, Any], scan: dict[str, Any]) -> str:
    """The kind of file, for example “Pickle, protocol 5, gzip-compressed”."""
    kind = manifest.get("format") or scan.get("format")
    if not kind:
        return "of no kind that Portico knows"
    parts = [FORMATS.get(kind, str(kind))]
    if scan.get("protocol") is not None:
        parts.append(f"protocol {scan['protocol']}")
    if scan.get("compression"):
        parts.append(f"{scan['compression']}-compressed")
    if scan.get("member"):
        parts.append(
            f"of which {scan['member']} is the model ({FORMATS.get(scan.get('member_format') or '', 'a file')})"
        )
    return ", ".join(parts)


def _tables(compiled: dict[str, Any]) -> str:
    """How single rows are answered; empty where an older release checked it."""
    if not compiled:
        return ""
    if reason := compiled.get("reason"):
        return f"scikit-learn answers every row: {reason}"
    worst = compiled.get("largest_difference") or 0.0
    found = "the same to the last bit" if worst == 0 else f"at most {worst:.0e} of a number apart"
    return (
        f"plain tables answer a single row, {compiled['milliseconds']:.2g} ms without scikit-learn; in "
        f"{compiled['rows']:,} rows compared, {found}"
    )


def _trials(trials: dict[str, Any]) -> list[Trial]:
    told = []
    if single := trials.get("single"):
        told.append(Trial("A single row", single.get("milliseconds"), "answered"))
    if many := trials.get("thousand"):
        told.append(Trial(f"{many.get('rows', 1000):,} rows at once", many.get("milliseconds"), "answered"))
    for name, what in (("missing", "A row with missing values"), ("unknown_category", "A category it has never seen")):
        if tried := trials.get(name):
            told.append(Trial(what, None, _outcome(tried)))
    return told


def _outcome(tried: dict[str, Any]) -> str:
    said = str(tried.get("said") or "")
    if tried.get("answered"):
        return said or "answered"
    return f"turned down: {said}" if said else "turned down"


def _release(version: str) -> list[str]:
    return version.split(".")[:RELEASE_PARTS]
