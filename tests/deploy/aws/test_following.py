"""A stack that others change, that fails, or that cannot go back: followed, and told by its first real cause."""

import pytest

from deploy.aws.rollout import refuse_losses
from deploy.causes import tell_failure
from deploy.errors import DeployError
from deploy.following import find_first_failure, follow, settle
from deploy.plan import Change, Plan, make_plan
from tests.deploy.as_written import assert_as_written
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import STACK, answering, events, no_stack, stack, stubbed

STACK_TYPE, ROLE, FUNCTION, POOL = (
    "AWS::CloudFormation::Stack",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Cognito::UserPoolDomain",
)
BEGUN = (STACK, STACK_TYPE, "UPDATE_IN_PROGRESS", "User Initiated")
TAKEN = "Domain already associated with another user pool. (Service: CognitoIdentityProvider, Status Code: 400)"

# As CloudFormation words them.
REASONS = {
    "missing permission": (
        "PredictRole",
        ROLE,
        'Resource handler returned message: "User: arn:aws:iam::1:user/ada is not authorized to perform: '
        'iam:CreateRole on resource: arn:aws:iam::1:role/x because no identity-based policy allows it"',
    ),
    "forbidden by the organisation": (
        "Bucket",
        "AWS::S3::Bucket",
        "User: x is not authorized to perform: s3:CreateBucket on resource: y with an explicit deny in a service "
        "control policy",
    ),
    "name taken": ("Bucket", "AWS::S3::Bucket", "portico-production already exists in stack arn:aws:cloudformation:x"),
    "sign-in domain taken": ("UserPoolDomain", POOL, TAKEN),
    "GitHub's provider is there": (
        "GitHubOidcProvider",
        "AWS::IAM::OIDCProvider",
        "Provider with url https://token.actions.githubusercontent.com already exists. (Service: Iam)",
    ),
    "concurrency": (
        "PredictFunction",
        FUNCTION,
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [10].",
    ),
    "memory": (
        "VerifyFunction",
        FUNCTION,
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008",
    ),
    "wrong architecture": ("PredictFunction", FUNCTION, "Error: fork/exec /opt/entry.sh: exec format error"),
    "image format": (
        "PredictFunction",
        FUNCTION,
        "The image manifest, config or layer media type for the source image x is not supported.",
    ),
    "image gone": ("PredictFunction", FUNCTION, "Source image 1.dkr.ecr.x/portico@sha256:ab does not exist."),
    "image may not be read": ("PredictFunction", FUNCTION, "Lambda does not have permission to access the ECR image."),
    "networks": ("VerifyVpc", "AWS::EC2::VPC", "The maximum number of VPCs has been reached. (VpcLimitExceeded)"),
    "limit": ("PredictRole", ROLE, "Cannot exceed quota for RolesPerAccount: 1000 (LimitExceeded)"),
    "pool protected": (
        "UserPool",
        "AWS::Cognito::UserPool",
        "The user pool cannot be deleted because deletion protection is activated.",
    ),
    "bucket filled": ("Bucket", "AWS::S3::Bucket", "The bucket you tried to delete is not empty (Status Code: 409)"),
    "AWS itself": ("Api", "AWS::ApiGateway::RestApi", "Internal Failure"),
    "unknown": ("Api", "AWS::ApiGateway::RestApi", "The moon is in the wrong quarter."),
}  # fmt: skip


@pytest.fixture
def target(monkeypatch):
    sign_in(monkeypatch)
    return stubbed()


def no_report(verb, resource, detail):
    pass


def test_every_cause_is_told_as_written():
    told = [f"{name}\n    {tell_failure(*failure)}" for name, failure in REASONS.items()]

    assert_as_written("causes", "\n".join(told))


def test_stack_that_is_being_changed_is_followed_until_it_rests(target):
    reported = []
    before = events((STACK, STACK_TYPE, "UPDATE_IN_PROGRESS", "User Initiated"))
    after = events(("Api", "AWS::ApiGateway::RestApi", "UPDATE_COMPLETE"), BEGUN)
    with answering(
        target.cloudformation,
        ("describe_stacks", stack("UPDATE_IN_PROGRESS")),
        ("describe_stack_events", before),
        ("describe_stacks", stack("UPDATE_COMPLETE")),
        ("describe_stacks", stack("UPDATE_COMPLETE")),
        ("describe_stack_events", after),
    ):
        settled = settle(target, lambda *event: reported.append(event))

    assert settled["StackStatus"] == "UPDATE_COMPLETE"
    assert reported[0] == ("waiting", STACK, "UPDATE_IN_PROGRESS, begun elsewhere or by an earlier run")
    assert ("changed", "Api", "ApiGateway RestApi") in reported


def test_update_that_failed_is_told_by_its_first_real_cause(target):
    said = events(
        (STACK, STACK_TYPE, "UPDATE_ROLLBACK_COMPLETE"),
        ("PredictFunction", FUNCTION, "CREATE_FAILED", "Resource creation cancelled"),
        ("UserPoolDomain", POOL, "CREATE_FAILED", TAKEN),
        BEGUN,
    )
    with (
        answering(
            target.cloudformation,
            ("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE")),
            ("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE")),
            ("describe_stack_events", said),
        ),
        pytest.raises(DeployError) as failure,
    ):
        follow(target, no_report, None)

    assert str(failure.value).startswith("UserPoolDomain (AWS::Cognito::UserPoolDomain) failed: Domain already")
    assert "--set DomainPrefix=NAME" in str(failure.value)
    assert "Everything else was put back as it was." in str(failure.value)


def test_first_failure_is_looked_for_in_the_last_operation_only(target):
    said = events(
        (STACK, STACK_TYPE, "UPDATE_ROLLBACK_COMPLETE"),
        ("Api", "AWS::ApiGateway::RestApi", "UPDATE_FAILED", "Rate exceeded"),
        BEGUN,
        ("Bucket", "AWS::S3::Bucket", "CREATE_FAILED", "an old story"),
    )
    with answering(
        target.cloudformation,
        ("describe_stacks", stack("UPDATE_ROLLBACK_COMPLETE")),
        ("describe_stack_events", said),
    ):
        found = find_first_failure(target)

    assert found.startswith("Api (AWS::ApiGateway::RestApi) failed: Rate exceeded.")


def test_stack_that_cannot_go_back_is_explained_with_the_command_that_goes_on(target):
    stuck = stack("UPDATE_ROLLBACK_FAILED")
    said = events(
        ("PredictFunction", FUNCTION, "UPDATE_FAILED", "Source image x does not exist"),
        (STACK, STACK_TYPE, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update"),
        BEGUN,
    )
    with (
        answering(
            target.cloudformation,
            ("describe_stacks", stuck),
            ("describe_stacks", stuck),
            ("describe_stack_events", said),
        ),
        pytest.raises(DeployError) as failure,
    ):
        settle(target, no_report)

    assert_as_written("update-rollback-failed", str(failure.value))


def test_plan_that_replaces_what_holds_data_is_refused_and_dropped(target):
    changes = (
        Change("change", "Bucket", "S3 Bucket", replaces=True),
        Change("remove", "UserPool", "Cognito UserPool"),
        Change("change", "Api", "ApiGateway RestApi", replaces=True),
    )
    plan = Plan(None, {}, "", is_new=False, change_set="up-1", changes=changes)
    asked = {"StackName": STACK, "ChangeSetName": "up-1"}
    with (
        answering(target.cloudformation, ("delete_change_set", {}, asked)),
        pytest.raises(DeployError) as refusal,
    ):
        refuse_losses(target, plan, may_lose=False)

    assert_as_written("data-loss-refused", str(refusal.value))


def test_plan_that_loses_data_is_let_through_when_that_is_meant(target):
    plan = Plan(None, {}, "", is_new=False, changes=(Change("remove", "UserPool", "Cognito UserPool"),))

    refuse_losses(target, plan, may_lose=True)


def test_change_set_of_several_pages_is_read_whole(target):
    def page(number, **more):
        change = {
            "Action": "Modify",
            "LogicalResourceId": f"R{number}",
            "ResourceType": "AWS::KMS::Key",
            "Replacement": "Conditional",
            "PolicyAction": "ReplaceAndRetain",
        }
        return {"Status": "CREATE_COMPLETE", "Changes": [{"Type": "Resource", "ResourceChange": change}], **more}

    with answering(
        target.cloudformation,
        no_stack(),
        ("create_change_set", {"Id": "arn:aws:cloudformation:x", "StackId": "arn:aws:cloudformation:y"}),
        ("describe_change_set", page(1, NextToken="more")),
        ("describe_change_set", page(2)),
    ):
        plan = make_plan(target)

    assert [change.resource for change in plan.changes] == ["R1", "R2"]
    assert all(change.is_possible and change.keeps_old and change.loses for change in plan.changes)
