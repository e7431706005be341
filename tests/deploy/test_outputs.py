import json
import subprocess

import pytest

from deploy.errors import DeployError
from deploy.outputs import VARIABLES, format_outputs, portal_environment
from deploy.targets import embedded_target

TARGET = embedded_target("http://127.0.0.1:4566")
OUTPUTS = {name: f"some-{name}" for name in VARIABLES} | {
    "ApiUrl": "https://abc123.execute-api.us-east-1.amazonaws.com/prod"
}


def test_environment_names_the_api_where_the_emulator_serves_it():
    environment = portal_environment(TARGET, OUTPUTS)

    assert environment["PORTICO_API_URL"] == "http://127.0.0.1:4566/_aws/execute-api/abc123/prod"


def test_environment_of_a_stack_without_an_output_says_which_and_the_next_command():
    with pytest.raises(DeployError, match="no BatchStateMachineArn.*deploy up --target embedded"):
        portal_environment(TARGET, {name: value for name, value in OUTPUTS.items() if name != "BatchStateMachineArn"})


def test_outputs_as_env_survive_a_shell():
    text = format_outputs({"PORTICO_BUCKET": "it's a $HOME bucket"}, "env")

    script = f'{text}\nprintf %s "$PORTICO_BUCKET"'
    printed = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)

    assert printed.stdout == "it's a $HOME bucket"


def test_outputs_as_json_are_one_object():
    assert json.loads(format_outputs({"A": "1", "B": "2"}, "json")) == {"A": "1", "B": "2"}


def test_outputs_as_text_are_aligned():
    assert format_outputs({"A": "1", "LONG": "2"}, "text") == "A     1\nLONG  2"


def test_outputs_as_text_keep_the_secret_back_which_env_gives():
    environment = portal_environment(TARGET, OUTPUTS | {"ManifestKey": "a secret"})

    assert "a secret" not in format_outputs(environment, "text")
    assert "PORTICO_MANIFEST_KEY='a secret'" in format_outputs(environment, "env")
