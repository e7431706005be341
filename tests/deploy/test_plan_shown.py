"""A plan in words: what is added, changed, replaced, removed, and what of it takes data along."""

import pytest

from deploy.commands.going_live import find_hints, show_plan
from deploy.console import progress, step
from deploy.plan import Change, Plan, _read_change
from tests.deploy.as_written import assert_as_written

CHANGES = (
    Change("add", "ApiFaults", "CloudWatch Alarm"),
    Change("change", "PredictFunction", "Lambda Function"),
    Change("change", "Api", "ApiGateway RestApi", replaces=True),
    Change("change", "PredictRole", "IAM Role", replaces=True, is_possible=True),
    Change("change", "Bucket", "S3 Bucket", replaces=True, keeps_old=True),
    Change("change", "ManifestKmsKey", "KMS Key", replaces=True, is_possible=True),
    Change("remove", "UserPool", "Cognito UserPool"),
    Change("remove", "Dashboard", "CloudWatch Dashboard"),
)


def plan_of(*changes, image="1.dkr.ecr.x/portico@sha256:" + "a" * 64):
    return Plan(None, {"ImageUri": image}, "", is_new=False, change_set="up-1", changes=changes)


def test_plan_is_shown_in_words_as_written(capsys):
    show_plan(plan_of(*CHANGES))

    assert_as_written("plan-changes", capsys.readouterr().out)


def test_image_that_is_still_to_be_built_is_named_by_its_content(capsys):
    show_plan(plan_of(image="1.dkr.ecr.x/portico:content-" + "0" * 32))

    assert f"image to be built and pushed (content-{'0' * 32})" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "replacement", "replaces"),
    [
        (["CorsConfiguration", "LifecycleConfiguration"], "Conditional", False),
        (["CorsConfiguration", "BucketName"], "Conditional", True),
        ([], "Conditional", True),
        (["BucketName"], "True", True),
        (["CorsConfiguration"], "False", False),
    ],
)
def test_bucket_is_replaced_for_another_name_alone(names, replacement, replaces):
    change = _read_change(
        {
            "Action": "Modify",
            "LogicalResourceId": "Bucket",
            "ResourceType": "AWS::S3::Bucket",
            "Replacement": replacement,
            "Details": [{"Target": {"Attribute": "Properties", "Name": name}} for name in names],
        }
    )

    assert (change.replaces, change.loses is not None) == (replaces, replaces)


def test_remains_of_a_failed_first_deployment_are_told(capsys):
    show_plan(Plan(None, {"ImageUri": "x@y"}, "", is_new=True, clear_remains=True))

    assert "The remains of a first deployment that failed are cleared" in capsys.readouterr().out


def test_hints_name_what_nobody_has_said_yet():
    assert len(find_hints({"PortalOrigin": "http://127.0.0.1:8000,http://localhost:8000", "WithWatch": "true"})) == 2
    assert find_hints({"PortalOrigin": "https://a.example", "WithWatch": "true", "AlarmEmail": "a@b.example"}) == []


def test_progress_in_a_pipe_is_the_step_s_name_and_its_time(capsys):
    with progress("Pushing it") as advance:
        advance(1, 2, "bytes")
    with step("Looking"):
        pass

    assert_as_written("progress-in-a-pipe", capsys.readouterr().out)
