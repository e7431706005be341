"""What a line of the table is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

# A value of a call's context: one, or several where the key has several by its nature.
Given = Mapping[str, str | tuple[str, ...]]

# Ids are longer in truth: UUIDs.
BATCH, JOB, UPLOAD = "batches/7/6f1c0f4e", "batches/0b7a4f0e/7c9e6679", "quarantine/3f2504e0"
SUB = "5e2c6a9e-0000-4000-8000-000000000001"
CAPTURE = "captures/2026/11/29/120000.123456-0a1b2c3d-1.jsonl"


@dataclass(frozen=True)
class Line:
    """One line: each action on each thing is one call.

    Attributes:
        on: short names, as `Stack.arn` reads them
        given: what the call says of itself beside who calls and what
        by: who calls, where it is not the part's own
    """

    is_allowed: bool
    why: str
    actions: Sequence[str]
    on: Sequence[str]
    given: Given = field(default_factory=dict)
    by: str | None = None


@dataclass(frozen=True)
class Case:
    """One call and its answer."""

    who: str
    action: str
    on: str
    given: Given
    is_allowed: bool
    why: str

    def __str__(self) -> str:
        given = "".join(f" with {key}={value}" for key, value in self.given.items())
        return f"{self.who} {'may' if self.is_allowed else 'may not'} {self.action} on {self.on}{given}"


@dataclass(frozen=True)
class Part:
    """One page of the matrix.

    Attributes:
        who: as `Stack.decide` takes it
    """

    who: str
    title: str
    about: str
    lines: Sequence[Line]

    def cases(self) -> Iterator[Case]:
        for line in self.lines:
            for action in line.actions:
                for on in line.on:
                    yield Case(line.by or self.who, action, on, line.given, line.is_allowed, line.why)


def may(why: str, actions: str, *on: str, given: Given | None = None, by: str | None = None) -> Line:
    """Args: actions: one or more, with blanks between."""
    return Line(True, why, actions.split(), on, given or {}, by)


def may_not(why: str, actions: str, *on: str, given: Given | None = None, by: str | None = None) -> Line:
    return Line(False, why, actions.split(), on, given or {}, by)


def assumed_by(role: str, service: str, other: str) -> list[Line]:
    """A service's role: the service assumes it, another does not, and no other role of the stack."""
    return [
        may(
            "is the one service's that works with it",
            "sts:AssumeRole",
            f"role {role}",
            by=f"service {service}.amazonaws.com",
        ),
        may_not("is no other service's", "sts:AssumeRole", f"role {role}", by=f"service {other}.amazonaws.com"),
        may_not("is not taken by an upload", "sts:AssumeRole", f"role {role}", by="VerifyRole"),
    ]
