"""The conditions of a policy's statement, and the patterns and variables in it, as IAM reads them.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html,
reference_policies_condition-single-vs-multi-valued-context-keys.html and reference_policies_variables.html there
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.policies.resolving import NotUnderstood

# Of a request: key → value; a key that has several values by its nature (cognito's amr, aws:TagKeys) → a tuple.
Context = Mapping[str, str | tuple[str, ...]]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all of a statement's conditions hold. Raises: NotUnderstood: an operator that is not known here."""
    return all(
        _holds(operator, key, [str(value) for value in as_list(values)], context)
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def matches(
    pattern: str, text: str, context: Context, *, ignore_case: bool = False, has_wildcards: bool = True
) -> bool:
    """Whether a pattern with `*`, `?` and variables is this text. One whose variable has no value matches nothing."""
    expression = ""
    for is_variable, part in _parts(pattern):
        if not is_variable:
            expression += _expression(part) if has_wildcards else re.escape(part)
            continue
        value = find(context, part)
        if not isinstance(value, str):
            return False
        expression += re.escape(value)
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def matches_arn(pattern: str, arn: str, context: Context) -> bool:
    """Whether an ARN fits a pattern: each of its six parts by itself, so that a `*` spans no colon before the sixth."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    if len(patterns) != 6 or len(parts) != 6:
        return False
    return all(matches(one, part, context) for one, part in zip(patterns, parts, strict=True))


def find(context: Context, key: str) -> str | tuple[str, ...] | None:
    """A key's value; the names of keys have no case."""
    return next((value for name, value in context.items() if name.lower() == key.lower()), None)


def _equals(wanted: str, value: str, context: Context) -> bool:
    return matches(wanted, value, context, has_wildcards=False)


def _like(wanted: str, value: str, context: Context) -> bool:
    return matches(wanted, value, context)


def _is(wanted: str, value: str, context: Context) -> bool:
    return wanted.lower() == value.lower()


_OPERATORS: dict[str, Callable[[str, str, Context], bool]] = {
    "StringEquals": _equals,
    "StringLike": _like,
    # For IAM these two are one.
    "ArnEquals": matches_arn,
    "ArnLike": matches_arn,
    "Bool": _is,
}


def _holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    if name not in _OPERATORS or quantifier not in ("", "ForAnyValue"):
        raise NotUnderstood(f"the operator {operator}")
    value = find(context, key)
    if value is None:
        return if_exists
    if isinstance(value, tuple) != bool(quantifier):
        raise NotUnderstood(f"{operator} asks {key} for one value or for several, and it has the other")
    values = value if isinstance(value, tuple) else (value,)
    return any(_OPERATORS[name](one, given, context) for one in wanted for given in values)


@functools.cache
def _parts(pattern: str) -> tuple[tuple[bool, str], ...]:
    """Literal text and names of variables, by turns. Raises: NotUnderstood: a variable with a default, or ${*}."""
    parts = _VARIABLE.split(pattern)
    if any("," in name or len(name) < 2 for name in parts[1::2]):
        raise NotUnderstood(f"a variable of {pattern}")
    return tuple((place % 2 == 1, part) for place, part in enumerate(parts))


@functools.cache
def _expression(text: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in text)
