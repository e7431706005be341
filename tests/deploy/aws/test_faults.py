"""What a person reads when AWS, or the way to it, refuses; every sentence is in golden/faults.txt."""

import pytest
from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from click.testing import CliRunner

from deploy.aws.faults import explain_fault
from deploy.cli import main
from deploy.commands import options
from tests.deploy.as_written import assert_as_written
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import CALLER, REGION, STACK_ARN, answering, stack, stubbed

ROLE = "User: arn:aws:sts::123456789012:assumed-role/Viewer/ada"


def refusal(operation, code, message, status=400):
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
    )


FAULTS = {
    "no credentials": sdk.NoCredentialsError(),
    "single sign-on has expired": sdk.UnauthorizedSSOTokenError(),
    "single sign-on was never begun": sdk.SSOTokenLoadError(error_msg="Token for https://x does not exist"),
    "single sign-on cannot be renewed": sdk.TokenRetrievalError(provider="sso", error_msg="Token has expired"),
    "login has expired": sdk.LoginRefreshRequired(),
    "session has expired": refusal("DescribeStacks", "ExpiredToken", "The security token is expired"),
    "key was deleted": refusal("GetCallerIdentity", "InvalidClientTokenId", "The security token is invalid", 403),
    "clock is wrong": refusal("DescribeStacks", "SignatureDoesNotMatch", "Signature expired: 20261129T1 is earlier"),
    "credentials are incomplete": sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
    "helper failed": sdk.CredentialRetrievalError(provider="custom-process", error_msg="vault is sealed"),
    "no such profile": sdk.ProfileNotFound(profile="prod"),
    "no region": sdk.NoRegionError(),
    "no such region": sdk.InvalidRegionError(region_name="eu_central_1"),
    "nothing answers": sdk.EndpointConnectionError(endpoint_url="https://cloudformation.eu-central-1.amazonaws.com/"),
    "proxy is away": sdk.ProxyConnectionError(proxy_url="http://proxy.example:3128"),
    "action is denied by name": refusal(
        "CreateChangeSet",
        "AccessDenied",
        f"{ROLE} is not authorized to perform: cloudformation:CreateChangeSet on resource: {STACK_ARN} because no "
        "identity-based policy allows the cloudformation:CreateChangeSet action",
    ),
    "action is denied by the organisation": refusal(
        "GetAuthorizationToken",
        "AccessDeniedException",
        f"{ROLE} is not authorized to perform: ecr:GetAuthorizationToken on resource: * with an explicit deny in a "
        "service control policy",
    ),
    "action is denied without its name": refusal("ListObjectVersions", "AccessDenied", "Access Denied", 403),
    "object is denied": refusal("HeadObject", "403", "Forbidden", 403),
    "too many calls": refusal("DescribeStackEvents", "Throttling", "Rate exceeded"),
    "anything else": refusal("DeleteStack", "TokenAlreadyExistsException", "A client request token already exists"),
}


@pytest.fixture(autouse=True)
def person(monkeypatch):
    sign_in(monkeypatch)


@pytest.fixture
def target():
    return stubbed()


def test_every_fault_is_told_as_written(monkeypatch):
    monkeypatch.setattr("deploy.aws.faults._profiles", lambda: ["default", "staging"])
    target = stubbed(profile="prod")
    # There is no such profile here, and no session of it.
    target.__dict__["session"] = type("Session", (), {"region_name": REGION})()

    told = [f"{name}\n    {explain_fault(fault, target)}" for name, fault in FAULTS.items()]

    assert_as_written("faults", "\n".join(told))


@pytest.fixture
def run(target, monkeypatch):
    monkeypatch.setattr(options, "find_target", lambda name, env, **named: target)
    return lambda *arguments: CliRunner().invoke(main, [*arguments, "--target", "aws"])


def test_command_that_is_denied_an_action_names_it_and_fails(target, run):
    denied = "User: x is not authorized to perform: cloudformation:DescribeStacks on resource: y"
    with (
        answering(target.identity, ("get_caller_identity", CALLER)),
        answering(target.cloudformation, ("describe_stacks", "AccessDenied", denied)),
    ):
        result = run("status")

    assert result.exit_code == 1
    assert "this identity may not cloudformation:DescribeStacks on y." in result.output


def test_command_in_another_account_than_was_meant_changes_nothing(target, run):
    with (
        answering(target.identity, ("get_caller_identity", CALLER)),
        answering(target.cloudformation, ("describe_stacks", stack("UPDATE_COMPLETE"))),
    ):
        result = run("up", "--account", "999999999999")

    assert result.exit_code == 1
    assert "These credentials are of account 123456789012, and --account says 999999999999." in result.output


def test_command_with_credentials_of_another_account_than_the_stack_s_changes_nothing(target, run):
    other = CALLER | {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/ada"}
    with (
        answering(target.identity, ("get_caller_identity", other)),
        answering(target.cloudformation, ("describe_stacks", stack("UPDATE_COMPLETE"))),
    ):
        result = run("up")

    assert result.exit_code == 1
    assert "was made in account 123456789012, and these credentials are of account 999999999999." in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--target", "aws", "--profile", "nobody"], "There is no profile 'nobody' in your AWS settings"),
        (["--target", "embedded", "--profile", "prod"], "--profile and --region are for --target aws"),
    ],
)
def test_profile_that_does_not_fit_is_refused(arguments, told):
    result = CliRunner().invoke(main, ["status", *arguments])

    assert result.exit_code == 1
    assert told in result.output


def test_command_without_a_region_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    result = CliRunner().invoke(main, ["status", "--target", "aws"])

    assert result.exit_code == 1
    assert "No AWS region is set. Name it: --region eu-central-1" in result.output


def test_command_without_credentials_says_how_to_sign_in(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    result = CliRunner().invoke(main, ["plan", "--target", "aws"])

    assert result.exit_code == 1
    assert "There are no AWS credentials here." in result.output
