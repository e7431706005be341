"""What a check is: a name, what it looks at, and which others must have gone well before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from deploy.errors import DeployError


class Fault(Exception):
    """Something is wrong. Both are sentences; `mend` holds the command."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what, self.mend = what, mend


@dataclass(frozen=True)
class Check:
    """One look at one thing.

    Attributes:
        look: returns what was found, in a few words; raises Fault
        needs: names of the checks without which this one would only repeat their fault
    """

    name: str
    look: Callable[[], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One line of the report; `mend` is empty unless the check failed."""

    name: str
    outcome: Literal["ok", "failed", "skipped"]
    what: str
    mend: str = ""


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run the checks in order; one that needs a check that was not well is skipped."""
    reasons: dict[str, str] = {}
    for check in checks:
        unmet = next((name for name in check.needs if name in reasons), None)
        finding = _run(check) if unmet is None else Finding(check.name, "skipped", f"first mend: {reasons[unmet]}")
        if finding.outcome != "ok":
            reasons[check.name] = check.name if unmet is None else reasons[unmet]
        yield finding


def _run(check: Check) -> Finding:
    try:
        return Finding(check.name, "ok", check.look())
    except Fault as fault:
        return Finding(check.name, "failed", fault.what, fault.mend)
    except DeployError as error:
        return Finding(check.name, "failed", str(error))
    except Exception as error:
        # Whatever is broken in a way nobody thought of: a line like the others, and the rest is looked at too.
        return Finding(
            check.name,
            "failed",
            f"It could not be looked at. {type(error).__name__}: {error}",
            "Mend what is said above this line first; if it is the only one, this is a fault of Portico's: report it.",
        )
