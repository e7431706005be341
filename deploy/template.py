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

# What a deployment of the API does not hold: itself, the stage that shows it, and what is the account's.
_NOT_IN_SNAPSHOT = {"AWS::ApiGateway::Account", "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"}
_POLICIES = {"DeletionPolicy", "UpdateReplacePolicy"}
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')


def render_template(parameters: Mapping[str, str], text: str | None = None) -> str:
    """The template as it is under these parameters, short, with the API deployment named after the API's content.

    The conditions are decided here: what does not hold is not sent, and no emulator is shown a resource that it does
    not know. All parameters are, for the stack remembers them.

    API Gateway serves the snapshot that the last deployment took. CloudFormation takes a new one only for a new
    logical name, so the name carries a hash of everything the snapshot holds.
    """
    template = read_template(TEMPLATE.read_text("utf-8") if text is None else text)
    conditions = Conditions(template, parameters)
    resources = _settled(template["Resources"], conditions)
    sections = {
        "Parameters": {name: _without(entry, "Description") for name, entry in template["Parameters"].items()},
        "Rules": template["Rules"],
        "Resources": resources,
        "Outputs": {
            name: _without(entry, "Description") for name, entry in _settled(template["Outputs"], conditions).items()
        },
    }
    head = {name: template[name] for name in ("AWSTemplateFormatVersion", "Description")}
    lines = [f"{name}: {write_flow(value)}" for name, value in head.items()]
    for section, entries in sections.items():
        lines += [f"{section}:", *(f"  {name}: {write_flow(entry)}" for name, entry in _shortened(entries).items())]
    name = f"ApiDeployment{_hash_api(resources, conditions, template['Parameters'])}"
    return re.sub(r"\bApiDeployment\b", name, "\n".join(lines) + "\n")


def left_out_resources(parameters: Mapping[str, str], text: str) -> set[str]:
    """Resources of a template whose condition does not hold."""
    template = read_template(text)
    conditions = Conditions(template, parameters)
    return {name for name, entry in template["Resources"].items() if not conditions.hold_for(entry)}


def read_template(text: str) -> dict[str, Any]:
    """A template, with the long names of CloudFormation's functions."""
    return dict(yaml.load(text, _Loader))  # noqa: S506  # a SafeLoader that knows more tags


def _settled(entries: Mapping[str, Any], conditions: Conditions) -> dict[str, Any]:
    held = {name: _without(entry, "Condition") for name, entry in entries.items() if conditions.hold_for(entry)}
    return {name: conditions.settle(_without_defaults(entry)) for name, entry in held.items()}


def _without_defaults(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept when a resource goes is said where it is read; the default is not sent."""
    return {name: value for name, value in entry.items() if not (name in _POLICIES and value == "Delete")}


def _without(entry: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != left_out}


def _shortened(part: Any) -> Any:
    """Without what is there for whoever reads the template: statements' names, white space in JSON within it."""
    if isinstance(part, Mapping):
        return {name: _shortened(value) for name, value in part.items() if name != "Sid"}
    if isinstance(part, list):
        return [_shortened(value) for value in part]
    if isinstance(part, str) and part.startswith(("{\n", "[\n")):
        return "".join(_JSON_TOKEN.findall(part))
    return part


def _hash_api(resources: Mapping[str, Any], conditions: Conditions, parameters: Mapping[str, Any]) -> str:
    """Changes with whatever the API's snapshot holds, and with the parameters in it."""
    api = {name: entry for name, entry in resources.items() if _is_in_snapshot(entry["Type"])}
    used = {name: conditions.value(name) for name in _names_in(api) if name in parameters}
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
