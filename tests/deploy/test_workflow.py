"""The workflow that deploys: no key that lasts, nothing without the environment's people, commands that there are."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from deploy.cli import main

FILE = Path(__file__).parents[2] / ".github" / "workflows" / "deploy.yaml"
# YAML 1.1 reads the key `on` as true.
ON = True


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load(FILE.read_text("utf-8"))


@pytest.fixture(scope="module")
def scripts(workflow):
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_workflow_has_the_keys_that_github_knows(workflow):
    assert set(workflow) == {"name", ON, "permissions", "concurrency", "jobs"}
    known = {"if", "runs-on", "timeout-minutes", "environment", "permissions", "steps"}
    for job in workflow["jobs"].values():
        assert set(job) == known
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert set(step) <= {"name", "uses", "run", "with", "env"}


def test_plan_is_for_pull_requests_of_this_repository_and_up_for_main(workflow):
    plan, up = workflow["jobs"]["plan"], workflow["jobs"]["up"]

    assert set(workflow[ON]) == {"push", "pull_request", "workflow_dispatch"}
    assert workflow[ON]["push"]["branches"] == ["main"]
    assert "github.event_name == 'pull_request'" in plan["if"]
    assert "head.repo.full_name == github.repository" in plan["if"]
    assert up["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    assert not [step for step in plan["steps"] if "deploy up" in step.get("run", "")]


def test_every_job_waits_for_the_environment_and_may_do_no_more_than_say_who_it_is(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["environment"] == "production"
        assert job["permissions"] == {"contents": "read", "id-token": "write"}


def test_aws_is_reached_by_a_role_and_by_no_key(workflow):
    text = FILE.read_text("utf-8")

    assert not re.search(r"secrets\.|AWS_ACCESS_KEY|AWS_SECRET|aws-access-key-id", text)
    for job in workflow["jobs"].values():
        (given,) = [step["with"] for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]
        assert given == {"role-to-assume": "${{ vars.AWS_ROLE_ARN }}", "aws-region": "${{ vars.AWS_REGION }}"}


def test_deployments_go_one_after_the_other_and_none_is_broken_off(workflow):
    assert workflow["concurrency"] == {"group": "deploy-production", "cancel-in-progress": False}


def test_actions_have_a_version_and_a_checkout_leaves_no_credentials(workflow):
    used = [step for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]

    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]) for step in used)
    assert all(
        step["with"]["persist-credentials"] is False for step in used if step["uses"].startswith("actions/checkout@")
    )


def test_scripts_are_shell_that_runs_and_take_nothing_from_expressions(scripts):
    for script in scripts:
        assert "${{" not in script
        assert subprocess.run(["/bin/bash", "-n"], input=script, text=True, capture_output=True).stderr == ""


def test_commands_in_scripts_are_commands_of_deploy(scripts):
    commands = [line.strip() for script in scripts for line in script.splitlines() if "-m deploy" in line]

    assert len(commands) == 2
    for command in commands:
        arguments = shlex.split(command.partition("-m deploy ")[2])
        assert CliRunner().invoke(main, [*arguments, "--help"]).exit_code == 0
        assert {"--target", "aws", "--env", "production", "--account"} <= set(arguments)
        known = {option for each in main.commands[arguments[0]].params for option in each.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= known


def test_expressions_are_closed_and_name_what_there_is():
    text = FILE.read_text("utf-8")

    assert text.count("${{") == text.count("}}")
    assert set(re.findall(r"\$\{\{ (\S+) \}\}", text)) == {
        "vars.AWS_ROLE_ARN",
        "vars.AWS_REGION",
        "vars.AWS_ACCOUNT",
    }
