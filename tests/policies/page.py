"""docs/permissions.md, written from the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from tests.policies.matrix import PARTS, Part
from tests.policies.matrix.exceptions import EVERY_ACTION, EVERYTHING, MISTAKES
from tests.policies.matrix.rows import Line

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"

HEAD = """\
# Who may what

Each part of a stack has a role of its own in `deploy/template.yaml`. This page is what each must be able to do and what
it must not, written by `python -m tests.policies` from the table in `tests/policies/matrix/`: change that, not this.

**No emulator that Portico runs on enforces roles**: neither `make up` nor docker-compose refuses anything of the below.
On AWS all of it is refused; there it has not been tried yet. So the table is asked in two other ways:

- `tests/policies/simulation.py` evaluates the template's policies as IAM does, and refuses what it does not know. Each
  line of the table is asked, and each statement, action, resource and condition of each policy is taken away once: a
  line has to notice. What the portal's and the functions' code calls is read from the code, and each call has a line.
- LocalEmu, an emulator that enforces policies, gets the same roles and real calls, in a container
  (`tests/containers/test_permissions.py`). Where it decides otherwise than AWS is listed at the end.

Things are named shortly: `object models/…` is one in the stack's bucket, `function predict` the function
`portico-<environment>-predict`, `key` the KMS key of signatures, `people` the user pool. `… of staging` belongs to
another stack in the same account. What a role may do here it may do in no other environment; that is a test, too.
"""


def write_page() -> str:
    parts = [_write_part(part) for part in PARTS]
    return "\n".join([HEAD, *parts, _write_exceptions()])


def _write_part(part: Part) -> str:
    called = f"`{part.who}`. " if part.who.endswith("Role") else ""
    tables = [
        _write_table(title, [line for line in part.lines if line.is_allowed is is_allowed])
        for title, is_allowed in (("may", True), ("may not", False))
    ]
    return "\n".join([f"## {part.title}\n\n{called}{part.about}\n", *tables])


def _write_table(title: str, lines: list[Line]) -> str:
    if not lines:
        return ""
    rows = []
    for why, same in groupby(lines, key=lambda line: line.why):
        for number, line in enumerate(same):
            rows.append(
                f"| {'″' if number else why} | {_codes(line.actions)} | {_codes(line.on)}{_circumstances(line)} |"
            )
    return "\n".join([f"| {title} | calls | about |", "|---|---|---|", *rows, ""])


def _circumstances(line: Line) -> str:
    said = [f"by {_caller(line.by)}"] if line.by else []
    said += [f"`{key}` {_values(value)}" for key, value in line.given.items()]
    return f"; {', '.join(said)}" if said else ""


def _caller(by: str) -> str:
    named = {
        "administrator": "somebody whom the account lets do anything",
        "stranger": "a role of another account",
        "anonymous": "a call that is not signed",
        "federated provider": "GitHub",
    }
    return named.get(by) or f"`{by.rpartition(' ')[2]}`"


def _values(value: str | tuple[str, ...]) -> str:
    return _codes((value,) if isinstance(value, str) else value)


def _codes(texts: tuple[str, ...] | list[str]) -> str:
    return " ".join(f"`{text}`" if text else "nothing" for text in texts)


def _write_exceptions() -> str:
    return "\n".join(
        [
            "## Policies about everything\n",
            "Only these have `*` for what they are about, or in an action's name.\n",
            "| policy | statement | why |\n|---|---|---|",
            *(f"| {name} | {sid} | {why} |" for (name, sid), why in _exceptions()),
            "\n## Where LocalEmu decides otherwise than AWS\n",
            "Version 1.3.2; calls of each kind are made, and have to be answered wrongly still.\n",
            *(f"- {kind}" for kind in MISTAKES),
            "- every form that the portal signs for browsers is refused",
            "- conditions of a role's trust are not looked at, so they are asked of the simulation alone",
            "",
        ]
    )


def _exceptions() -> Iterator[tuple[tuple[str, str], str]]:
    merged: Mapping[tuple[str, str], str] = {**EVERYTHING, **EVERY_ACTION}
    yield from merged.items()
