"""One name for one thing, from the stack's output to the portal's setting: docs/contract.md section 1."""

import re
import runpy
from pathlib import Path

import pytest
from cfnlint.decode.cfn_yaml import loads

from deploy.embedded.portal import portal_variables
from deploy.outputs import VARIABLES
from deploy.state import StateFolder
from deploy.template import TEMPLATE
from predictor import limits
from tests.contract.reading import documented_table

ROOT = Path(__file__).parents[2]


def plain(cell):
    return cell.strip("`")


def test_outputs_and_variables_of_the_contract_are_those_that_deploy_prints(contract):
    documented = {plain(output): plain(variable) for output, variable, _ in documented_table(contract["1"])[:6]}

    assert documented == VARIABLES


@pytest.mark.parametrize("variable", VARIABLES.values())
def test_variable_of_the_stack_is_a_setting_of_the_portal(variable, monkeypatch):
    monkeypatch.setenv("PORTICO_ENV", "local")
    monkeypatch.setenv(variable, "given")

    settings = runpy.run_path(str(ROOT / "portal" / "settings.py"))

    assert settings[variable] == "given"


def test_variables_that_make_up_gives_the_portal_are_documented(contract, tmp_path):
    given = portal_variables(StateFolder(tmp_path), port=8000, endpoint="http://127.0.0.1:4566", stack={})

    undocumented = {name for name in given if name.startswith("PORTICO_") and f"`{name}`" not in contract["1"]}

    assert undocumented == set()


@pytest.mark.parametrize("function", ["PredictFunction", "PredictSmallFunction", "VerifyFunction"])
def test_variables_that_the_template_gives_a_function_are_documented(contract, function):
    resources = loads(TEMPLATE.read_text())["Resources"]

    given = set(resources[function]["Properties"]["Environment"]["Variables"])

    assert given
    assert given == {name for name in given if f"`{name}`" in contract["1"]}


def test_limits_of_the_container_are_documented_with_their_defaults(contract):
    rows = re.findall(r"^\| `(PORTICO_\w+)` \| (\d+) (bytes|MB|GB|s) \|", contract["1"], re.MULTILINE)
    units = {"bytes": 1, "MB": limits.MIB, "GB": 1024 * limits.MIB, "s": 1}

    documented = {name: int(number) * units[unit] for name, number, unit in rows}

    assert documented == limits._DEFAULTS


@pytest.mark.parametrize("name", ["PORTICO_MODEL_MAX_BYTES", "PORTICO_BATCH_MAX_BYTES"])
def test_limit_of_the_portal_is_within_the_containers_so_that_nothing_is_sent_in_vain(settings, name):
    assert 0 < getattr(settings, name) <= limits.limit(name)
