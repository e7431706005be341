"""amplify.yml: what Amplify Hosting runs to build the page, and what its role is told to allow."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from deploy.cli import main
from deploy.targets import Target
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import CALLER, NUMBER, answering, stack, stubbed

ROOT = Path(__file__).parents[2]
SPECIFICATION = yaml.safe_load((ROOT / "amplify.yml").read_text("utf-8"))
FRONTEND = SPECIFICATION["frontend"]
OUTPUTS = {
    "BucketName": "portico-bucket",
    "ApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/prod",
    "UserPoolId": "eu-central-1_pool",
    "UserPoolPublicClientId": "client",
    "UserPoolIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_pool",
    "IdentityPoolId": "eu-central-1:identities",
    **{f"{name}FunctionName": name.lower() for name in ("Predict", "PredictSmall", "Verify")},
}
POLICIES = [
    json.loads(text)
    for text in re.findall(
        r'^    (\{"Version".*?\})\n\n',
        (ROOT / "docs" / "published-page.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
]


def test_build_installs_pinned_packages_alone_for_a_python_that_deploy_runs_on():
    version, install = FRONTEND["phases"]["preBuild"]["commands"]
    requirements = install.split()[-1]

    assert version == "pyenv global 3.11"
    assert "--require-hashes --no-deps" in install
    assert (ROOT / requirements).is_file()


def test_deploy_imports_no_package_that_the_build_does_not_install():
    listing = "import sys, deploy.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.check_output([sys.executable, "-c", listing], cwd=ROOT, text=True).split()
    names = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "deploy.txt").read_text("utf-8"), re.MULTILINE)
    installed = {name.lower().replace("_", "-") for name in names}

    # A module may have several packages: one with it, one with its types. setuptools starts with each Python.
    missing = [
        module
        for module, packages in packages_distributions().items()
        if module in loaded and installed.isdisjoint(name.lower().replace("_", "-") for name in packages)
    ]
    assert [module for module in missing if module != "_distutils_hack"] == []


@pytest.mark.parametrize(
    ("given", "environment"), [({}, "production"), ({"PORTICO_ENV": "staging"}, "staging")], ids=["unset", "set"]
)
def test_build_writes_the_page_of_the_app_s_stack_with_the_rights_of_its_role(
    monkeypatch, tmp_path, given, environment
):
    sign_in(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (command,) = FRONTEND["phases"]["build"]["commands"]
    target, described = stubbed(), (stack("CREATE_COMPLETE", outputs=OUTPUTS), {"StackName": f"portico-{environment}"})
    monkeypatch.setattr(Target, "cloudformation", target.cloudformation)
    monkeypatch.setattr(Target, "identity", target.identity)

    # Who it is everybody may ask; all else is what the role's policy lists.
    with (
        answering(target.cloudformation, *[("describe_stacks", *described)] * 2),
        answering(target.identity, *[("get_caller_identity", CALLER)] * 2),
    ):
        result = CliRunner().invoke(main, expand(command, {"AWS_REGION": "eu-central-1", **given})[3:])

    assert result.exit_code == 0, result.output
    page = tmp_path / FRONTEND["artifacts"]["baseDirectory"]
    assert json.loads((page / "config.json").read_text("utf-8"))["region"] == "eu-central-1"
    assert (page / "index.html").is_file()
    assert FRONTEND["artifacts"]["files"] == ["**/*"]


def test_role_of_the_build_may_read_one_stack_and_nothing_else():
    trust, policy = POLICIES

    assert trust["Statement"][0]["Principal"] == {"Service": "amplify.amazonaws.com"}
    assert trust["Statement"][0]["Condition"]["StringEquals"] == {"aws:SourceAccount": NUMBER}
    (allowed,) = policy["Statement"]
    assert (allowed["Effect"], allowed["Action"]) == ("Allow", "cloudformation:DescribeStacks")
    assert allowed["Resource"].endswith(":stack/portico-production/*")


def expand(command: str, given: dict[str, str]) -> list[str]:
    """As the shell of the build would, with these variables."""
    shell = ["/bin/sh", "-c", f"printf '%s\\n' {command}"]
    return subprocess.run(shell, env=given, capture_output=True, text=True, check=True).stdout.splitlines()
