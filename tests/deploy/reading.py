"""The template's parts as tests read them: its text, since no emulator enforces roles or lifecycle rules."""

import json

from deploy.template import TEMPLATE, read_template

WHOLE = read_template(TEMPLATE.read_text("utf-8"))
RESOURCES = WHOLE["Resources"]


def properties(name):
    return RESOURCES[name]["Properties"]


def of_type(kind):
    """Resources by their names."""
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


def statements(role, policy=0):
    return properties(role)["Policies"][policy]["PolicyDocument"]["Statement"]


def statement(role, sid):
    """The statement of that name, in whichever of the role's policies that are always there."""
    policies = [policy for policy in properties(role)["Policies"] if "PolicyDocument" in policy]
    (found,) = (item for policy in policies for item in policy["PolicyDocument"]["Statement"] if item["Sid"] == sid)
    return found


def actions_of(item):
    return item["Action"] if isinstance(item["Action"], list) else [item["Action"]]


def keys_of(item):
    """The object keys a statement is about: its resources without the bucket."""
    given = item["Resource"] if isinstance(item["Resource"], list) else [item["Resource"]]
    return {resource["Fn::Sub"].removeprefix("${Bucket.Arn}/") for resource in given if "Fn::Sub" in resource}


def state_machine():
    text, words = properties("BatchStateMachine")["DefinitionString"]["Fn::Sub"]
    for name, word in {**words, "BatchConcurrency": "2"}.items():
        text = text.replace(f"${{{name}}}", word)
    return json.loads(text)
