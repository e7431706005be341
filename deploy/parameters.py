"""What the template's parameters are given: by the place, the person, the stack as it was, the first time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from deploy.errors import DeployError
from deploy.package import Package
from deploy.targets import Target, local_origins
from deploy.template import TEMPLATE

DEFAULT_PORTAL_ORIGIN = local_origins(8000)
# Decided anew each time, by nobody's word.
_DECIDED = {"Environment", "CodeBucket", "CodeKey", "ImageUri", "ManifestKey", "WithService"}
_SECTION = re.compile(r"^Parameters:\n(.*?)^\S", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^  (\w+):\n", re.MULTILINE)


def decide_parameters(
    target: Target, package: Package | None, before: Mapping[str, str], *, key: str, with_service: bool
) -> dict[str, str]:
    """What the person and the target say, over what the stack has, over the first-time values.

    Args:   before: as the stack was given them; key: what manifests are signed with
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
    return {name: value for name, value in decided.items() if name in known}


def parameter_names(text: str | None = None) -> set[str]:
    """The names of the template's parameters."""
    section = _SECTION.search(TEMPLATE.read_text() if text is None else text)
    return set(_NAME.findall(section.group(1))) if section else set()


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
    return choices
