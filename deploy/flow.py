"""Writes a template in YAML's flow style: JSON without most of its quotes, a sixth shorter."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# What no parser of YAML takes for anything but text, even between brackets.
_PLAIN = re.compile(r"[A-Za-z/_$][A-Za-z0-9_./$@=+*()-]*(::?[A-Za-z0-9_./*-]+)*")
_OTHER = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def write_flow(part: Any) -> str:
    """A part of a template in one line; CloudFormation's functions by their short names."""
    if isinstance(part, Mapping):
        return _write_function(part) or f"{{{','.join(_write_pair(name, value) for name, value in part.items())}}}"
    if isinstance(part, list):
        return f"[{','.join(map(write_flow, part))}]"
    return _write_scalar(part)


def _write_pair(name: str, value: Any) -> str:
    return f"{_write_scalar(name)}: {write_flow(value)}"


def _write_function(part: Mapping[str, Any]) -> str | None:
    """The short form of a function, where this is one that has a short form with this argument."""
    if len(part) != 1:
        return None
    ((name, argument),) = part.items()
    if name == "Ref":
        return f"!Ref {_write_scalar(argument)}"
    if not name.startswith("Fn::") or isinstance(argument, Mapping):
        return None
    if name == "Fn::GetAtt":
        argument = ".".join(argument)
    return f"!{name.removeprefix('Fn::')} {write_flow(argument)}"


def _write_scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _OTHER:
        return value
    if "\n" in value or "'" in value:
        # YAML's double quotes are JSON's.
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}'"
