"""Reads template.yaml and makes the text that CloudFormation gets, which may have 51,200 bytes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.conditions import Conditions
from deploy.flow import write_flow

TEMPLATE = Path(__file__).with_name("template.yaml")
# What CloudFormation takes as a body.
MOST_BYTES = 51_200

# What there is for readers and checkers, or what `parameters.py` has looked at before anything is sent.
_NOT_SENT = {"AWSTemplateFormatVersion", "Rules"}
_NOT_SENT_OF = {
    "Parameters": ("Description", "AllowedPattern", "AllowedValues", "MaxLength", "MaxValue", "MinValue"),
    "Outputs": ("Description",),
    "Resources": ("Metadata",),
}
# What a deployment of the API does not hold: itself, the stage that shows it, and what is the account's.
_NOT_IN_SNAPSHOT = {"AWS::ApiGateway::Account", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"}
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')


def render_template(parameters: Mapping[str, str], text: str | None = None) -> str:
    """The template as it is under these parameters, short, with the API deployment named after the API's content.

    No emulator is shown a resource that it does not know, nor is CloudFormation told what only readers need.

    API Gateway serves the snapshot that the last deployment took. CloudFormation takes a new one only for a new
    logical name, so the name carries a hash of everything the snapshot holds.
    """
    template = read_template(TEMPLATE.read_text("utf-8") if text is None else text)
    settled = _shortened(settle_template(template, parameters))
    lines = []
    for name, section in settled.items():
        if isinstance(section, Mapping):
            lines += [f"{name}:", *(f" {item}: {write_flow(entry)}" for item, entry in section.items())]
        else:
            lines.append(f"{name}: {write_flow(section)}")
    deployment = f"ApiDeployment{_hash_api(settled, Conditions(template, parameters))}"
    return re.sub(r"\bApiDeployment\b", deployment, "\n".join(lines) + "\n")


def settle_template(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The template without conditions: what holds under these parameters. All parameters are in it, for the stack
    remembers them."""
    conditions = Conditions(template, parameters)
    settled = {name: section for name, section in template.items() if name != "Conditions"}
    for section in ("Resources", "Outputs"):
        held = {name: entry for name, entry in template[section].items() if conditions.hold_for(entry)}
        settled[section] = {name: conditions.settle(_without(entry, "Condition")) for name, entry in held.items()}
    return settled


def read_template(text: str) -> dict[str, Any]:
    """A template, with the long names of CloudFormation's functions."""
    return dict(yaml.load(text, _Loader))  # noqa: S506  # a SafeLoader that knows more tags


def _shortened(template: Mapping[str, Any]) -> dict[str, Any]:
    """Without what only others need, and without what is so by default."""
    short = {name: _without_white_space(section) for name, section in template.items() if name not in _NOT_SENT}
    for section, left_out in _NOT_SENT_OF.items():
        short[section] = {name: _without(entry, *left_out) for name, entry in short[section].items()}
    for entry in short["Resources"].values():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if entry.get(policy) == "Delete":
                del entry[policy]
    return short


def _without(entry: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in left_out}


def _without_white_space(part: Any) -> Any:
    """Without the names of a role's statements, and what makes JSON within the template readable."""
    if isinstance(part, Mapping):
        return {name: _without_white_space(value) for name, value in part.items() if name != "Sid"}
    if isinstance(part, list):
        return [_without_white_space(value) for value in part]
    if isinstance(part, str) and part.startswith(("{\n", "[\n")):
        return "".join(_JSON_TOKEN.findall(part))
    return part


def _hash_api(template: Mapping[str, Any], conditions: Conditions) -> str:
    """Changes with whatever the API's snapshot holds, and with the parameters in it."""
    api = {name: entry for name, entry in template["Resources"].items() if _is_in_snapshot(entry["Type"])}
    used = {name: conditions.value(name) for name in _names_in(api) if name in template["Parameters"]}
    return hashlib.sha256(json.dumps([api, used], sort_keys=True).encode()).hexdigest()[:8]


def _is_in_snapshot(kind: str) -> bool:
    return kind.startswith("AWS::ApiGateway::") and kind not in _NOT_IN_SNAPSHOT


def _names_in(part: Any) -> Iterator[str]:
    """Whatever may be a parameter's name in a part of a template."""
    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, list):
        for value in part:
            yield from _names_in(value)
    elif isinstance(part, str):
        yield part
        yield from re.findall(r"\$\{(\w+)\}", part)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: !Ref, !Sub and so on."""


def _read_tag(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # there are no other nodes
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _read_tag)
