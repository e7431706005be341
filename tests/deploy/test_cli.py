"""The commands as a person runs them."""

import json
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from deploy.cli import main


@pytest.fixture
def run(stack, stack_environment):
    """Runs `python -m deploy …` against the session's stack."""
    named = ["--target", stack.target.name, "--env", stack.target.environment]
    return lambda *arguments, **options: CliRunner().invoke(main, [*arguments, *named], **options)


def test_up_of_an_unchanged_stack_succeeds_and_says_so(run, monkeypatch):
    # The stack is shared, and other tests leave models there whose golden rows they forged; see test_golden.py.
    monkeypatch.setattr("deploy.commands.going_live.prove_code", lambda *given: [])
    result = run("up")

    assert result.exit_code == 0
    assert "Nothing to change" in result.output


def test_plan_of_an_unchanged_stack_says_so_and_costs_nothing(run):
    result = run("plan")

    assert result.exit_code == 0
    assert "Nothing to change" in result.output
    assert "Nothing: all of it runs on this machine." in result.output


def test_outputs_as_json_are_the_portal_s_variables(run, stack):
    result = run("outputs", "--format", "json")

    assert json.loads(result.output)["PORTICO_BUCKET"] == stack.bucket


def test_status_of_a_deployed_stack_is_well(run, stack):
    result = run("status")

    assert result.exit_code == 0
    assert re.search(f"{stack.outputs['VerifyFunctionName']} +ready", result.output)


def test_down_lists_what_goes_and_deletes_nothing_when_refused(run, stack):
    result = run("down", input="n\n")

    assert result.exit_code == 0
    assert f"- {stack.bucket}" in result.output
    assert "Nothing was deleted." in result.output
    assert run("status").exit_code == 0


def test_command_without_an_emulator_fails_with_the_next_command(monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("PORTICO_STATE_DIR", str(tmp_path))

    result = CliRunner().invoke(main, ["status", "--target", "embedded"])

    assert result.exit_code == 1
    assert "Start it with: make up" in result.output


def test_command_with_nothing_at_the_endpoint_fails_without_a_traceback(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    result = CliRunner().invoke(main, ["outputs", "--target", "embedded"])

    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:1" in result.output


@pytest.mark.embedded
def test_manage_runs_the_portal_s_commands_with_the_stack_s_names(stack, stack_environment, tmp_path):
    code = "from django.conf import settings; print(settings.PORTICO_BUCKET, settings.STATE_DIR)"
    command = [sys.executable, "-m", "deploy", "manage", "shell", "--no-imports", "-c", code]

    done = subprocess.run(
        command, env={**os.environ, "PORTICO_STATE_DIR": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [stack.bucket, str(tmp_path)]
