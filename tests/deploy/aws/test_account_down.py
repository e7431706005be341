"""Taking a stack off an account: whole, without its data, and what a first `up` left half-made."""

import re

import pytest

from deploy.aws.target import aws_target
from deploy.plan import describe_stack
from tests.deploy.as_written import assert_as_written
from tests.deploy.aws.conftest import ENVIRONMENT, STACK

pytestmark = pytest.mark.embedded


@pytest.fixture
def live(account, run, left_out, pushed):
    """A stack that is up."""
    result = run("up", "--yes", *left_out)
    assert result.exit_code == 0, result.output
    yield result
    run("down", input=f"{STACK}\n")


def test_down_with_people_images_and_objects_leaves_nothing(live, run):
    run("users", "add", "ada@example.org", "--role", "admin")
    target = aws_target(environment=ENVIRONMENT)
    bucket = re.search(r"PORTICO_BUCKET=(\S+)", run("outputs", "--format", "env").output).group(1)
    target.s3.put_object(Bucket=bucket, Key="models/a", Body=b"x")

    result = run("down", input=f"{STACK}\n")

    assert result.exit_code == 0, result.output
    assert_as_written("down", result.output)
    after = run("status")
    assert after.exit_code == 1
    assert "There is no stack portico-probe on AWS in us-east-1." in after.output
    assert not [each for each in target.s3.list_buckets()["Buckets"] if each["Name"].startswith(STACK)]
    assert target.images.describe_repositories()["repositories"] == []
    assert target.users.list_user_pools(MaxResults=10)["UserPools"] == []


def test_down_that_keeps_data_leaves_it_and_up_brings_the_service_back(live, run, left_out):
    target = aws_target(environment=ENVIRONMENT)
    before = run("outputs", "--format", "env").output
    bucket, pool = (re.search(rf"{name}=(\S+)", before).group(1) for name in ("PORTICO_BUCKET", "PORTICO_USER_POOL_ID"))
    target.s3.put_object(Bucket=bucket, Key="models/kept", Body=b"x")

    kept = run("down", "--keep-data", input=f"{STACK}\n")
    between = run("status")
    again = run("up", *left_out)

    assert kept.exit_code == 0, kept.output
    assert "The service is gone, the data is kept." in kept.output
    assert (between.exit_code, "nothing answers" in between.output) == (1, True)
    assert again.exit_code == 0, again.output
    assert f"PORTICO_BUCKET={bucket}" in (after := run("outputs", "--format", "env").output)
    assert f"PORTICO_USER_POOL_ID={pool}" in after
    assert target.s3.get_object(Bucket=bucket, Key="models/kept")["Body"].read() == b"x"


def test_down_of_a_foundation_whose_service_was_never_made_leaves_nothing(account, run, left_out, pushed, monkeypatch):
    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("deploy.aws.rollout.push_image", interrupted)
    up = run("up", "--yes", *left_out)
    between = run("status")

    down = run("down", input=f"{STACK}\n")

    assert up.exit_code == 130
    assert "Interrupted." in up.output
    assert "Only what keeps data is there" in between.output
    assert "Everything is gone." in down.output
    assert describe_stack(aws_target(environment=ENVIRONMENT)) is None


def test_up_asks_before_a_stack_is_made_for_the_first_time(account, run, left_out, pushed):
    result = run("up", *left_out, input="n\n")

    assert result.exit_code == 1
    assert "Nothing was made." in result.output
    assert (pushed, describe_stack(aws_target(environment=ENVIRONMENT))) == ([], None)


def test_push_before_there_is_a_registry_names_the_command_that_makes_one(account, run):
    result = run("push")

    assert result.exit_code == 1
    assert "has no image registry" in result.output
    assert "python -m deploy up --target aws --env probe" in result.output
