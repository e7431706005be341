"""The text that CloudFormation gets: how long it is, what is left out of it, and what its names depend on."""

import json
import re

import pytest
from cfnlint.api import ManualArgs, lint

from deploy.checking import EVERYTHING
from deploy.conditions import Conditions
from deploy.flow import write_flow
from deploy.outputs import VARIABLES
from deploy.template import MOST_BYTES, TEMPLATE, read_template, render_template, settle_template
from tests.deploy.reading import RESOURCES, WHOLE

# Kept free for what the template will have to say next.
SPARE_BYTES = 2_048
FOUNDATION = {**EVERYTHING, "WithService": "false"}
# Of what is sent, cfn-lint does not know that conditions were decided before: hence parameters that nothing refers to,
# DomainPrefix without the question whether it is empty, and policies that are the default and not spelled out.
DECIDED = ["W2001", "W1030", "W3011"]


@pytest.mark.parametrize("parameters", [{}, EVERYTHING, FOUNDATION], ids=["defaults", "everything", "foundation"])
def test_template_as_sent_has_no_lint_findings(parameters):
    config = ManualArgs(regions=["us-east-1"], ignore_checks=DECIDED)

    assert lint(render_template(parameters), config=config) == []


def test_template_with_everything_on_leaves_room_in_a_body():
    left = MOST_BYTES - len(render_template(EVERYTHING).encode())

    assert left >= SPARE_BYTES, f"{left} bytes of CloudFormation's {MOST_BYTES} are left"


def test_everything_is_everything():
    assert left_out(EVERYTHING) == set()


def test_what_is_sent_is_the_template_without_conditions_and_what_readers_need():
    sent = read_template(render_template(EVERYTHING))
    meant = settle_template(WHOLE, EVERYTHING)

    assert (
        sent["Resources"]["BrowserRole"]["Properties"]["AssumeRolePolicyDocument"]
        == (meant["Resources"]["BrowserRole"]["Properties"]["AssumeRolePolicyDocument"])
    )
    assert {name for name in sent["Resources"] if not name.startswith("ApiDeployment")} == (
        set(meant["Resources"]) - {"ApiDeployment"}
    )
    assert {"Conditions", "Rules"}.isdisjoint(sent)
    assert not re.search(r'"(Fn::If|AWS::NoValue|Metadata|Sid|AllowedPattern|MaxValue)"', json.dumps(sent))


def test_every_parameter_is_sent_as_the_stack_remembers_it():
    for parameters in ({}, FOUNDATION):
        assert set(read_template(render_template(parameters))["Parameters"]) == set(WHOLE["Parameters"])


def test_json_within_the_template_says_the_same_when_sent():
    meant = RESOURCES["Repository"]["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"]
    sent = read_template(render_template(EVERYTHING))["Resources"]["Repository"]["Properties"]

    assert json.loads(sent["LifecyclePolicy"]["LifecyclePolicyText"]) == json.loads(meant)
    assert "\n" not in sent["LifecyclePolicy"]["LifecyclePolicyText"]


ODD = ["true", "No", "null", "12", "1e3", "12:30:45", "2012-10-17", "", " a", "a: b", "a:", "a, b", "{a}", "it's"]
ODD += [
    'say "x"',
    "*",
    "- a",
    "!Ref",
    "# no comment",
    "a #b",
    "line\nline",
    "ä",
    "AWS::Region",
    "arn:aws:s3:::b/*",
    3,
    True,
]


@pytest.mark.parametrize("value", ODD)
def test_value_written_in_flow_is_read_as_it_was(value):
    part = {"key": [value, {"inner": value}]}

    assert read_template(f"name: {write_flow(part)}") == {"name": part}


@pytest.mark.parametrize(
    "function",
    [
        {"Ref": "AWS::Region"},
        {"Fn::GetAtt": ["Bucket", "Arn"]},
        {"Fn::GetAtt": ["Outer", "Outputs.Inner"]},
        {"Fn::Sub": ["${a}/b", {"a": {"Fn::Select": [0, {"Ref": "List"}]}}]},
        {"Fn::GetAZs": ""},
        {"Fn::Base64": {"Fn::Sub": "${a}"}},
    ],
)
def test_function_written_in_flow_is_read_as_it_was(function):
    part = {"first": function, "list": [function, function]}

    assert read_template(f"name: {write_flow(part)}") == {"name": part}


def test_outputs_are_there_for_the_portal_and_for_people():
    portal = {*VARIABLES, "ManifestKmsKey"}
    sign_in = {f"UserPool{what}" for what in ("Id", "ClientId", "PublicClientId", "Issuer", "Domain")}
    people = {"IdentityPoolId", "RepositoryUri", "PortalRoleArn", "CiRoleArn", "AlarmTopicArn", "DashboardUrl"}

    assert set(WHOLE["Outputs"]) == portal | sign_in | people
    assert set(read_template(render_template({}))["Outputs"]) == portal | {"PortalRoleArn"}


def test_foundation_is_what_keeps_data_and_nothing_that_answers_anybody():
    kept = read_template(render_template(FOUNDATION))
    kinds = {resource["Type"].split("::")[1] for resource in kept["Resources"].values()}

    assert kinds == {"S3", "ECR", "KMS", "Cognito", "IAM"}
    assert [name for name, entry in kept["Resources"].items() if entry["Type"] == "AWS::IAM::Role"] == ["BrowserRole"]
    assert {"BucketName", "RepositoryUri", "UserPoolId"} <= set(kept["Outputs"])
    assert "ApiUrl" not in kept["Outputs"]


def test_resource_that_goes_with_the_service_says_so_as_long_as_the_service_is_there():
    data = ("S3", "ECR", "KMS::Key", "Cognito")
    conditions = {True: Conditions(WHOLE, EVERYTHING), False: Conditions(WHOLE, FOUNDATION)}

    for name, entry in RESOURCES.items():
        keeps = entry["Type"].removeprefix("AWS::").startswith(data) or name == "BrowserRole"

        assert conditions[False].hold_for(entry) == keeps, name
        assert conditions[True].hold_for(entry)


TWO = {
    "Parameters": {"A": {"Default": "x"}, "B": {"Default": 1}, "C": {}},
    "Conditions": {
        "IsX": {"Fn::Equals": [{"Ref": "A"}, "x"]},
        "IsOne": {"Fn::Equals": [{"Ref": "B"}, 1]},
        "Both": {"Fn::And": [{"Condition": "IsX"}, {"Condition": "IsOne"}]},
        "OnlyX": {"Fn::And": [{"Condition": "IsX"}, {"Fn::Not": [{"Condition": "IsOne"}]}]},
        "Any": {"Fn::Or": [{"Condition": "OnlyX"}, {"Condition": "IsOne"}]},
    },
}


@pytest.mark.parametrize(("a", "b"), [("x", "1"), ("x", "2"), ("y", "1"), ("y", "2")])
def test_condition_made_of_conditions_holds_as_its_parts_do(a, b):
    conditions = Conditions(TWO, {"A": a, "B": b})
    is_x, is_one = a == "x", b == "1"

    assert conditions.holds("Both") == (is_x and is_one)
    assert conditions.holds("OnlyX") == (is_x and not is_one)
    assert conditions.holds("Any") == ((is_x and not is_one) or is_one)


def test_parameter_that_is_not_given_has_its_default():
    assert Conditions(TWO, {}).holds("Both")


def test_if_is_settled_where_it_stands_and_nothing_takes_its_place():
    nothing = {"Ref": "AWS::NoValue"}
    part = {
        "kept": {"Fn::If": ["IsX", [{"Fn::If": ["IsOne", "one", "other"]}], "never"]},
        "gone": {"Fn::If": ["IsX", nothing, "never"]},
        "list": ["a", {"Fn::If": ["IsX", nothing, "never"]}],
    }

    assert Conditions(TWO, {"B": "2"}).settle(part) == {"kept": ["other"], "list": ["a"]}


@pytest.mark.parametrize(
    ("parameter", "value", "kind"),
    [
        ("WithCognito", "false", "AWS::Cognito::UserPool"),
        ("IsolateVerify", "false", "AWS::EC2::VPC"),
        ("ManifestKey", "a secret that is long enough for it", "AWS::KMS::Key"),
        ("WithRegistry", "false", "AWS::ECR::Repository"),
        ("WithWatch", "false", "AWS::CloudWatch::Alarm"),
        ("WithBudget", "false", "AWS::Budgets::Budget"),
        ("WithAccessLogs", "false", "AWS::ApiGateway::Account"),
        ("WithGatewayRole", "false", "AWS::ApiGateway::Account"),
        ("AlarmEmail", "", "AWS::SNS::Subscription"),
        ("GitHubRepository", "", "AWS::IAM::OIDCProvider"),
        ("ApiEndpoint", "http://127.0.0.1:4566/_aws/execute-api", "AWS::Cognito::ManagedLoginBranding"),
        ("GitHubOidcProviderArn", "arn:aws:iam::1:oidc-provider/x", "AWS::IAM::OIDCProvider"),
    ],
)
def test_parameter_leaves_resources_out(parameter, value, kind):
    assert kind in {RESOURCES[name]["Type"] for name in left_out({**EVERYTHING, parameter: value})}


def test_rendering_a_changed_api_renames_the_deployment_and_whatever_refers_to_it():
    changed = TEMPLATE.read_text().replace("PathPart: batchPrediction", "PathPart: batch", 1)

    before, after = render_template({}), render_template({}, changed)

    assert deployment(before) != deployment(after)
    assert read_template(after)["Resources"]["ApiStage"]["Properties"]["DeploymentId"] == {"Ref": deployment(after)}


def test_rendering_a_changed_bucket_keeps_the_deployment():
    changed = TEMPLATE.read_text().replace("ExpirationInDays: 400", "ExpirationInDays: 401")

    assert changed != TEMPLATE.read_text()
    assert deployment(render_template({}, changed)) == deployment(render_template({}))


@pytest.mark.parametrize("changed", [{"ApiCorsOrigin": "https://a.test"}, {"WithCognito": "true"}])
def test_rendering_with_another_parameter_of_the_api_renames_the_deployment(changed):
    assert deployment(render_template(changed)) != deployment(render_template({}))


@pytest.mark.parametrize("changed", [{"ApiRateLimit": "7"}, {"WithAccessLogs": "true"}, {"LogRetentionDays": "7"}])
def test_rendering_with_what_only_the_stage_shows_keeps_the_deployment(changed):
    assert deployment(render_template(changed)) == deployment(render_template({}))


def deployment(text):
    """The logical name of the API's deployment."""
    (name,) = (name for name in read_template(text)["Resources"] if name.startswith("ApiDeployment"))
    return name


def left_out(parameters):
    return set(RESOURCES) - set(settle_template(WHOLE, parameters)["Resources"])
