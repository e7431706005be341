"""What the template's parameters are given, and by whom."""

import re
from dataclasses import replace

import pytest

from deploy.aws.account import Account, propose_gateway_role
from deploy.aws.target import aws_target
from deploy.errors import DeployError
from deploy.package import Package
from deploy.parameters import decide_parameters, parameter_names, read_choices
from deploy.targets import embedded_target, localstack_target
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import answering, no_stack, stubbed
from tests.deploy.reading import WHOLE

PACKAGE = Package("functions/x.zip", b"", 1)
AWS = aws_target(environment="production")


def decide(target, before=None, package=None, *, with_service=True):
    return decide_parameters(target, package, before or {}, key="", with_service=with_service)


def test_parameter_of_the_template_is_found_by_its_name():
    assert {"Environment", "WithService", "PortalOrigin", "AlarmEmail"} <= parameter_names()
    assert parameter_names("Parameters:\n  One:\n    Type: String\n\nResources:\n  Two:\n    Type: x\n") == {"One"}


def test_person_s_choice_stands_over_the_stack_s_and_the_stack_s_over_the_first_one():
    first = decide(AWS)
    kept = decide(AWS, {"ProtectUsers": "false", "PortalOrigin": "https://kept.example"})
    chosen = decide(
        replace(AWS, chosen_parameters={"PortalOrigin": "https://new.example"}),
        {"PortalOrigin": "https://kept.example"},
    )

    assert (first["ProtectUsers"], kept["ProtectUsers"]) == ("true", "false")
    assert (kept["PortalOrigin"], chosen["PortalOrigin"]) == ("https://kept.example", "https://new.example")


def test_parameter_that_the_template_does_not_know_any_more_is_left_out():
    assert "Forgotten" not in decide(AWS, {"Forgotten": "x"})


def test_service_that_was_taken_down_comes_back_with_the_next_up():
    assert decide(AWS, {"WithService": "false"})["WithService"] == "true"
    assert decide(AWS, {"WithService": "true"}, with_service=False)["WithService"] == "false"


def test_image_stays_the_stack_s_until_another_is_named():
    by_digest = f"1.dkr.ecr.x/portico@sha256:{'a' * 64}"

    assert decide(AWS)["ImageUri"] == "none"
    assert decide(AWS, {"ImageUri": by_digest})["ImageUri"] == by_digest
    assert decide(replace(AWS, image="new@sha256:b"), {"ImageUri": by_digest})["ImageUri"] == "new@sha256:b"


def test_user_pool_that_was_turned_on_stays_on():
    target = embedded_target("http://127.0.0.1:1")
    on = decide(replace(target, chosen_parameters={"WithCognito": "true"}), package=PACKAGE)

    assert decide(target, on, PACKAGE)["WithCognito"] == "true"
    assert "WithCognito" not in decide(target, package=PACKAGE)


@pytest.mark.parametrize("pair", ["AlarmEmail", "Nonsense=1", "ImageUri=x", "WithService=false", "WithRegistry=false"])
def test_choice_that_is_not_for_people_is_refused_with_those_that_are(pair):
    with pytest.raises(DeployError, match="--set takes NAME=VALUE, with one of: AlarmEmail, "):
        read_choices([pair], decided_by_target=AWS.parameters)


def test_choice_may_hold_an_equals_sign_and_be_empty():
    assert read_choices(["AlarmEmail=a=b@example.org", "DomainPrefix="]) == {
        "AlarmEmail": "a=b@example.org",
        "DomainPrefix": "",
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WithWatch", "yes", "WithWatch=yes is of no use: it is one of true, false. Alarms, a topic"),
        ("LogRetentionDays", "31", "it is one of 1, 3, 5"),
        ("PredictMemory", "many", "it is no number"),
        ("PredictMemory", "256", "the least is 512"),
        ("PredictMemory", "99999", "the most is 10,240"),
        ("AlarmEmail", "ops at example.org", "it has to match"),
        ("PortalOrigin", "https://a.example,https://b.example/", "it has to match"),
        ("ApiCorsOrigin", "https://a.example/", "it has to match"),
        ("GitHubOidcProviderArn", "arn:aws:iam::1:oidc-provider/x", "it has to match"),
    ],
)
def test_value_that_the_template_does_not_take_is_refused_before_anything_is_sent(name, value, said):
    with pytest.raises(DeployError, match=re.escape(said)):
        read_choices([f"{name}={value}"])
    with pytest.raises(DeployError, match=re.escape(said)):
        decide(replace(AWS, chosen_parameters={name: value}))


def test_name_of_an_environment_that_is_too_long_is_refused():
    with pytest.raises(DeployError, match="more than 24 characters"):
        decide(aws_target(environment="e" * 25))


def test_secret_that_is_too_short_is_refused_and_not_shown():
    with pytest.raises(DeployError, match="^ManifestKey is of no use") as refused:
        decide_parameters(AWS, None, {}, key="hunter2", with_service=True)

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("origin", ["*", "https://main.d0.amplifyapp.com", "http://localhost:8001"])
def test_origin_of_the_published_page_is_taken(origin):
    assert read_choices([f"ApiCorsOrigin={origin}"]) == {"ApiCorsOrigin": origin}


def test_every_check_of_the_template_is_one_that_is_made_here():
    known = {"Type", "Default", "Description", "NoEcho", "AllowedValues", "AllowedPattern"}
    known |= {"MinValue", "MaxValue", "MaxLength"}
    used = {check for parameter in WHOLE["Parameters"].values() for check in parameter}

    assert used == known
    assert {parameter["Type"] for parameter in WHOLE["Parameters"].values()} == {
        "String",
        "Number",
        "CommaDelimitedList",
    }


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (embedded_target("http://127.0.0.1:1"), "--target embedded"),
        (localstack_target("http://127.0.0.1:1", environment="test"), "--target localstack --env test"),
        (aws_target(environment="eu"), "--target aws --env eu"),
        (aws_target(environment="eu", profile="p", region="r"), "--target aws --env eu --profile p --region r"),
    ],
)
def test_next_command_names_the_stack_that_this_one_was_about(target, options):
    assert target.options == options


@pytest.mark.parametrize(
    ("arn", "who"),
    [
        ("arn:aws:iam::123456789012:root", "the account's root user: better make a role, and sign in with that"),
        ("arn:aws:iam::123456789012:user/ada", "user ada"),
        ("arn:aws:sts::123456789012:assumed-role/Deployer/ci-7", "role Deployer, session ci-7"),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Operators_0123456789abcdef/ada@example.org",
            "ada@example.org, by single sign-on as Operators",
        ),
    ],
)
def test_identity_is_told_in_words(arn, who):
    assert Account("123456789012", arn, "eu-central-1").who == who


@pytest.mark.parametrize(("has_role", "proposed"), [(True, "false"), (False, "true")])
def test_gateway_s_role_is_made_where_the_region_has_none(monkeypatch, has_role, proposed):
    sign_in(monkeypatch)
    target = stubbed()
    answer = {"cloudwatchRoleArn": "arn:aws:iam::123456789012:role/logs"} if has_role else {}
    with answering(target.cloudformation, no_stack()), answering(target.gateway, ("get_account", answer)):
        found = propose_gateway_role(target)

    assert decide(found)["WithGatewayRole"] == proposed
