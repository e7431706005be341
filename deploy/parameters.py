"""What the template's parameters are given: by the place, the person, the stack as it was, the first time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml

from deploy.errors import DeployError
from deploy.package import Package
from deploy.targets import Target, local_origins
from deploy.template import TEMPLATE

DEFAULT_PORTAL_ORIGIN = local_origins(8000)
# Decided anew each time, by nobody's word.
_DECIDED = {"Environment", "CodeBucket", "CodeKey", "ImageUri", "ManifestKey", "WithService"}
_SECTION = re.compile(r"^Parameters:\n.*?(?=^\S)", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^  (\w+):\n", re.MULTILINE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def decide_parameters(
    target: Target, package: Package | None, before: Mapping[str, str], *, key: str, with_service: bool
) -> dict[str, str]:
    """What the person and the target say, over what the stack has, over the first-time values.

    Args:   before: as the stack was given them; key: what manifests are signed with
    Raises: DeployError: one of them is not what the template says that it may be
    """
    image = target.image or before.get("ImageUri") or "none"
    code = {"CodeBucket": target.code_bucket, "CodeKey": package.key} if package else {"ImageUri": image}
    decided = {
        "PortalOrigin": DEFAULT_PORTAL_ORIGIN,
        **target.first_parameters,
        **before,
        **target.parameters,
        **target.chosen_parameters,
        "Environment": target.environment,
        "ManifestKey": key,
        "WithService": "true" if with_service else "false",
        **code,
    }
    # A stack that an older template made may have been given what this one does not know.
    known = parameter_names()
    given = {name: value for name, value in decided.items() if name in known}
    check_parameters(given)
    return given


def check_parameters(given: Mapping[str, str]) -> None:
    """What CloudFormation would check, were the template sent with it.

    Raises: DeployError: a value is of no use, and what would be
    """
    for name, value in given.items():
        if problem := _find_problem(_constraints().get(name, {}), value):
            raise DeployError(f"{_show(name, value)} is of no use: {problem}. {_constraints()[name]['Description']}")


def parameter_names(text: str | None = None) -> set[str]:
    """The names of the template's parameters."""
    section = _SECTION.search(TEMPLATE.read_text() if text is None else text)
    return set(_NAME.findall(section.group())) if section else set()


def read_choices(pairs: Iterable[str], *, decided_by_target: Iterable[str] = ()) -> dict[str, str]:
    """NAME=VALUE, each, as given on the command line.

    Raises: DeployError: not of that form, or not for people to choose
    """
    choices = {}
    closed = _DECIDED | set(decided_by_target)
    open_names = sorted(parameter_names() - closed)
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair or name not in open_names:
            what = f"{name} is decided by the target" if name in closed else f"'{pair}' sets nothing"
            raise DeployError(f"{what}. --set takes NAME=VALUE, with one of: {', '.join(open_names)}.")
        choices[name] = value
    check_parameters(choices)
    return choices


@cache
def _constraints() -> dict[str, dict[str, Any]]:
    """The template's Parameters section."""
    section = _SECTION.search(TEMPLATE.read_text("utf-8"))
    return dict(yaml.safe_load(section.group())["Parameters"]) if section else {}


def _find_problem(rule: Mapping[str, Any], value: str) -> str | None:
    """What keeps the value from being one, in words."""
    if rule.get("Type") == "Number" and not _NUMBER.fullmatch(value):
        return "it is no number"
    if "AllowedValues" in rule and value not in map(str, rule["AllowedValues"]):
        return f"it is one of {', '.join(map(str, rule['AllowedValues']))}"
    if "MinValue" in rule and float(value) < rule["MinValue"]:
        return f"the least is {rule['MinValue']:,}"
    if "MaxValue" in rule and float(value) > rule["MaxValue"]:
        return f"the most is {rule['MaxValue']:,}"
    if len(value) > rule.get("MaxLength", len(value)):
        return f"it has more than {rule['MaxLength']} characters"
    items = value.split(",") if rule.get("Type") == "CommaDelimitedList" else [value]
    if "AllowedPattern" in rule and not all(re.fullmatch(rule["AllowedPattern"], item) for item in items):
        return f"it has to match {rule['AllowedPattern']}"
    return None


def _show(name: str, value: str) -> str:
    return name if _constraints()[name].get("NoEcho") else f"{name}={value}"
