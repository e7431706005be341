"""The documentation keeps up with the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = ["portal", "lambda_docker", "model", "deploy", "docker", "benchmarks", "tests/browser"]
NOT_PYTHON = ["Makefile", ".ci/run", "docker-compose.yml", "deploy/template.yaml", ".github/workflows/ci.yml"]
VARIABLE = re.compile(r"PORTICO_[A-Z][A-Z_]*[A-Z]|CHROMIUM")


def variables_used():
    """Environment variables by name: in Python whole strings, elsewhere any mention."""
    found = set()
    for path in [ROOT / "manage.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]:
        strings = (
            node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
        )
        found |= {text for text in strings if isinstance(text, str) and VARIABLE.fullmatch(text)}
    for path in (ROOT / name for name in NOT_PYTHON):
        found |= set(VARIABLE.findall(path.read_text("utf-8"))) if path.exists() else set()
    return sorted(found)


@pytest.mark.parametrize("variable", variables_used())
def test_environment_variable_that_is_used_is_documented(variable):
    documented = [path.name for path in DOCUMENTS if f"`{variable}`" in path.read_text("utf-8")]

    assert documented


def test_search_for_variables_finds_those_of_every_room():
    assert {"CHROMIUM", "PORTICO_PORT", "PORTICO_BUCKET", "PORTICO_ENV", "PORTICO_PYTHON"} <= set(variables_used())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_command_that_is_named_exists(document):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    named = set(re.findall(r"(?:`|^    )make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE))

    assert named <= targets


def test_alarms_of_the_template_are_those_that_operations_explain():
    template = (ROOT / "deploy" / "template.yaml").read_text("utf-8")
    alarms = set(re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", template, re.MULTILINE))
    section = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## When an alarm rings")[2]
    rows = re.findall(r"^\| (`.*?`) \|", section.partition("\n## ")[0], re.MULTILINE)

    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert explained == alarms != set()
