"""The whole way on an account: plan, up, people, what keeps data, and down again. An emulator is the account."""

import re

import boto3
import pytest

from deploy.aws.target import aws_target
from deploy.golden import Moved
from deploy.plan import describe_stack
from tests.deploy.as_written import assert_as_written
from tests.deploy.aws.conftest import ENVIRONMENT, STACK, invoke, not_known, push_by_name, send_to

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def made(account_emulator):
    """What `up` said when it made the stack that these tests look at; gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        send_to(account_emulator, patch)
        tags = push_by_name(patch)
        result = invoke("up", "--yes", *not_known(account_emulator.endpoint))
        assert result.exit_code == 0, result.output
    yield result, tags
    with pytest.MonkeyPatch.context() as patch:
        send_to(account_emulator, patch)
        gone = invoke("down", input=f"{STACK}\n")
        assert "Everything is gone." in gone.output


@pytest.fixture
def live(made, account, pushed):
    return made[0]


def test_plan_on_an_empty_account_shows_everything_and_leaves_nothing(account, run, left_out):
    result = run("plan", *left_out)

    assert result.exit_code == 0, result.output
    assert_as_written("plan-new", result.output)
    assert describe_stack(aws_target(environment=ENVIRONMENT)) is None


def test_up_on_an_empty_account_makes_the_data_first_then_the_image_then_the_service(made):
    said, pushed = made[0].output, made[1]

    assert said.index("First what keeps data") < said.index("Image ") < said.index("Now the service.")
    assert said.index("added     Repository") < said.index("Image ") < said.index("added     PredictFunction")
    assert len(pushed) == 1


def test_up_again_pushes_and_changes_nothing(live, run, pushed):
    result = run("up")

    assert result.exit_code == 0, result.output
    assert "Nothing to change" in result.output
    assert pushed == []


def test_functions_run_the_image_by_digest(live):
    functions = boto3.client("lambda")

    code = functions.get_function(FunctionName=f"{STACK}-predict")["Code"]

    assert re.search(r"/portico-probe@sha256:[0-9a-f]{64}$", code["ImageUri"])


def test_status_of_a_live_stack_names_what_people_need(live, run):
    result = run("status")

    assert result.exit_code == 0, result.output
    assert_as_written("status-live", result.output)


def test_status_with_a_ringing_alarm_names_it_and_fails(live, run):
    watch = boto3.client("cloudwatch")
    names = [alarm["AlarmName"] for alarm in watch.describe_alarms()["MetricAlarms"]]
    name = next(name for name in names if "PredictErrors" in name)
    watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="3 errors within 5 minutes")

    result = run("status")

    assert result.exit_code == 1
    assert re.search(rf"ALARM +{name} +3 errors within 5 minutes", result.output)
    watch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="over")


def test_outputs_give_the_client_s_secret_to_the_portal_and_keep_it_back_from_people(live, run):
    shown, sourced = run("outputs").output, run("outputs", "--format", "env").output

    assert re.search(r"PORTICO_USER_POOL_CLIENT_SECRET +\(kept back\)", shown)
    secret = re.search(r"PORTICO_USER_POOL_CLIENT_SECRET=(\S{20,})", sourced).group(1)
    assert secret not in shown
    assert re.search(r"^role +arn:aws:iam::", shown, re.MULTILINE)


def test_down_asks_for_the_stack_s_name_and_takes_no_other(live, run):
    result = run("down", "--yes", input="portico-production\n")

    assert result.exit_code == 0
    assert_as_written("down-refused", result.output)
    assert (after := run("status")).exit_code == 0, after.output


def test_doctor_of_a_live_stack_finds_it_well(live, run):
    result = run("doctor")

    assert result.exit_code == 0, result.output
    assert "All is well." in result.output


def test_image_whose_answers_moved_gives_way_to_the_one_before_and_the_stack_knows(live, run, pushed, monkeypatch):
    functions = boto3.client("lambda")

    def running():
        return functions.get_function(FunctionName=f"{STACK}-predict")["Code"]["ImageUri"]

    before, moved = running(), [Moved("loans", {"a": 1.5}, "yes", "no")]
    noted = {"code": "as it was", "image": before}
    monkeypatch.setattr("deploy.aws.rollout.Source.tag", "content-other", raising=False)
    monkeypatch.setattr("deploy.commands.going_live.prove_code", lambda *given: moved)
    monkeypatch.setattr("deploy.golden._read_note", lambda *given: noted)

    result = run("up")

    assert result.exit_code == 3
    assert "the image before was put back" in " ".join(result.output.split())
    assert running() == before
    stack = describe_stack(aws_target(environment=ENVIRONMENT))
    assert before in [parameter["ParameterValue"] for parameter in stack["Parameters"]]
