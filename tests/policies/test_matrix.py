"""The table against the template's policies, and the template's policies against the table."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.policies.matrix import CASES, PARTS, Case
from tests.policies.names import is_short
from tests.policies.simulation import Answer, Document
from tests.policies.stack import PRODUCTION, Stack, make_stack

STACK = make_stack()
# One that is called something else, and one whose name begins like this one's.
NEIGHBOURS = ["staging", f"{PRODUCTION}-eu"]


def is_allowed(stack: Stack, case: Case) -> bool:
    return stack.decide(case.who, case.action, case.on, case.given) is Answer.ALLOWED


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.title)
def test_calls_are_answered_as_the_table_says(part):
    wrong = [f"{case}: {case.why}" for case in part.cases() if is_allowed(STACK, case) != case.is_allowed]

    assert wrong == []


@pytest.mark.parametrize("name", STACK.policies)
def test_every_piece_of_a_policy_is_needed_by_a_line_of_the_table(name):
    # Superfluous, or a line is missing.
    assert unnoticed_pieces(STACK, name) == []


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
@pytest.mark.parametrize("role", STACK.roles)
def test_role_may_do_nothing_of_that_in_another_environment(role, neighbour):
    own = [case for case in CASES if case.who == role and case.is_allowed and is_short(case.on)]

    reached = [
        str(case)
        for case in own
        if STACK.decide(role, case.action, f"{case.on} of {neighbour}", case.given) is Answer.ALLOWED
    ]

    assert reached == []


def test_table_says_each_thing_once():
    keys = [(case.who, case.action, case.on, str(sorted(case.given.items()))) for case in CASES]

    assert {key for key in keys if keys.count(key) > 1} == set()


def test_piece_that_nobody_needs_is_found():
    name = "PredictSmallRole/predict-small"
    granted = copy.deepcopy(dict(STACK.policies[name]))
    granted["Statement"][0]["Resource"].append("arn:aws:s3:::other/*")

    assert unnoticed_pieces(STACK.with_policy(name, granted), name) == ["ReadTables: Resource arn:aws:s3:::other/*"]


def unnoticed_pieces(stack: Stack, name: str) -> list[str]:
    """The pieces of a policy without which the table would be answered just the same."""
    return [
        piece
        for piece, less in with_less(stack.policies[name])
        if all(is_allowed(stack.with_policy(name, less), case) == case.is_allowed for case in _concerned(stack, name))
    ]


def _concerned(stack: Stack, name: str) -> list[Case]:
    role, slash, _ = name.partition("/")
    if slash:
        return [case for case in CASES if case.who == role]
    about = stack.about[name]
    named = [(case, [stack.arn(text) for text in (case.on, *case.given.values())]) for case in CASES]
    return [case for case, arns in named if any(arn.startswith(about) for arn in arns)]


def with_less(document: Document) -> Iterator[tuple[str, Document]]:
    """The policy without one of its statements, actions, resources, principals or conditions, for each of them."""
    for place, statement in enumerate(document["Statement"]):
        sid = statement.get("Sid", f"statement {place}")
        yield sid, _changed(document, place, None)
        for path, values in _lists(statement, ()):
            for one in values:
                less = copy.deepcopy(statement)
                _at(less, path[:-1])[path[-1]] = [other for other in values if other != one]
                yield f"{sid}: {path[-1]} {one}", _changed(document, place, less)
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                less = copy.deepcopy(statement)
                del less["Condition"][operator][key]
                yield f"{sid}: {operator} {key}", _changed(document, place, less)


def _lists(part: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The places where several things are listed: without its only one an element would say something else."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _lists(value, (*path, name))
    elif isinstance(part, list) and len(part) > 1:
        yield path, part


def _at(part: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        part = part[name]
    return part


def _changed(document: Document, place: int, statement: dict[str, Any] | None) -> Document:
    changed = copy.deepcopy(dict(document))
    changed["Statement"][place : place + 1] = [] if statement is None else [statement]
    return changed
