"""The folder that becomes the published page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest

from deploy.aws.target import aws_target
from deploy.embedded.emulator import Emulator
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.plan import make_plan
from deploy.site import export
from deploy.site.export import PORTAL_FILES, export_site, read_config, write_site
from deploy.site.headers import security_headers
from deploy.targets import Target, embedded_target

CONFIG = {
    "v": 1,
    "region": "eu-central-1",
    "apiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com/prod",
    "endpoints": {
        "cognitoIdp": "https://cognito-idp.eu-central-1.amazonaws.com/",
        "cognitoIdentity": "https://cognito-identity.eu-central-1.amazonaws.com/",
        "s3": "https://bucket.s3.eu-central-1.amazonaws.com/",
    },
    "models": None,
}
OUTPUTS = {
    "UserPoolId": "eu-central-1_abc",
    "UserPoolPublicClientId": "client",
    "UserPoolIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc",
    "IdentityPoolId": "eu-central-1:1-2-3",
    "ApiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com/prod",
    "BucketName": "the-bucket",
}
# Addresses in HTML, CSS and modules that name a file.
NAMED = re.compile(
    r"""(?:href|src)="([^"#]+)"|(?:from|import)\s*\(?["'](\.[^"']+)["']|new URL\("([^"]+)"|\burl\(([^)]+)\)"""
)


@pytest.fixture(scope="module")
def with_people(emulator: Emulator) -> Target:
    """A place whose stack has a user pool."""
    target = embedded_target(
        emulator.endpoint, portal_origin="http://portal.test", site_origin="http://localhost:1", environment="site"
    )
    target = replace(target, chosen_parameters={"WithCognito": "true"})
    execute_plan(target, make_plan(target), lambda *_: None)
    return target


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pretend(monkeypatch, outputs: dict[str, str]) -> None:
    stack = {"Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]}
    monkeypatch.setattr(export, "describe_stack", lambda target: stack)


@pytest.mark.stack
@pytest.mark.embedded
def test_page_of_a_stack_knows_its_outputs(with_people: Target, tmp_path: Path):
    site = export_site(with_people, tmp_path / "site", None)

    stack = with_people.cloudformation.describe_stacks(StackName=with_people.stack_name)["Stacks"][0]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    url = f"{with_people.endpoint_url}/"
    config = json.loads((tmp_path / "site" / "config.json").read_text())
    assert config == {
        "v": 1,
        "region": "us-east-1",
        "userPoolId": outputs["UserPoolId"],
        "clientId": outputs["UserPoolPublicClientId"],
        "identityPoolId": outputs["IdentityPoolId"],
        "issuerName": f"cognito-idp.us-east-1.amazonaws.com/{outputs['UserPoolId']}",
        "apiUrl": with_people.api_url(outputs["ApiUrl"]),
        "bucket": outputs["BucketName"],
        "endpoints": {"cognitoIdp": url, "cognitoIdentity": url, "s3": f"{url}{outputs['BucketName']}/"},
        "models": None,
    }
    assert site.files == tuple(sorted(content(tmp_path / "site")))
    assert site.headers == security_headers(config, is_https=False)


@pytest.mark.stack
@pytest.mark.embedded
def test_stack_is_told_from_whose_pages_its_api_is_called(with_people: Target):
    stack = with_people.cloudformation.describe_stacks(StackName=with_people.stack_name)["Stacks"][0]

    assert {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}["ApiCorsOrigin"] == (
        "http://localhost:1"
    )


@pytest.mark.stack
@pytest.mark.embedded
def test_place_without_a_stack_is_refused_with_the_next_command(emulator: Emulator, tmp_path: Path):
    target = embedded_target(emulator.endpoint, environment="nowhere")

    with pytest.raises(DeployError, match="There is no stack portico-nowhere .* python -m deploy up"):
        export_site(target, tmp_path / "site", None)

    assert not (tmp_path / "site").exists()


def test_stack_without_a_user_pool_is_refused_with_the_next_command(monkeypatch, tmp_path: Path):
    pretend(monkeypatch, {"BucketName": "b", "ApiUrl": "https://x"})

    with pytest.raises(DeployError, match="has no user pool.* --target embedded --cognito"):
        export_site(embedded_target("http://127.0.0.1:1"), tmp_path / "site", None)


def test_stack_that_keeps_its_data_alone_is_refused(monkeypatch, tmp_path: Path):
    pretend(monkeypatch, {name: value for name, value in OUTPUTS.items() if name != "ApiUrl"})

    with pytest.raises(DeployError, match="has no ApiUrl"):
        export_site(embedded_target("http://127.0.0.1:1"), tmp_path / "site", None)


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("eu-central-1", "eu-central-1.amazonaws.com"),
        ("us-east-1", "us-east-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.amazonaws.com.cn"),
    ],
)
def test_on_aws_the_endpoints_are_those_of_the_region(monkeypatch, region: str, domain: str):
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    pretend(monkeypatch, OUTPUTS)

    config = read_config(aws_target(environment="production", region=region), ["penguins", "churn", "penguins"])

    assert config["region"] == region
    assert config["endpoints"] == {
        "cognitoIdp": f"https://cognito-idp.{domain}/",
        "cognitoIdentity": f"https://cognito-identity.{domain}/",
        "s3": f"https://the-bucket.s3.{domain}/",
    }
    assert config["apiUrl"] == OUTPUTS["ApiUrl"]
    assert config["models"] == ["churn", "penguins"]


def test_page_on_https_has_browsers_stay_there(tmp_path: Path):
    assert "Strict-Transport-Security" in write_site(CONFIG, tmp_path / "site").headers


def test_same_page_twice_is_the_same_bytes(tmp_path: Path):
    write_site(CONFIG, tmp_path / "one")
    write_site(CONFIG, tmp_path / "two")

    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_every_file_that_the_page_names_is_in_it(tmp_path: Path):
    site = write_site(CONFIG, tmp_path / "site")

    named = {
        urljoin(f"/{name}", next(filter(None, found)))
        for name, text in content(site.folder).items()
        if name.endswith((".html", ".css", ".js"))
        for found in NAMED.findall(text.decode())
    }

    assert {name.lstrip("/") for name in named} <= set(site.files)
    assert {"js/main.js", "portico/css/base.css", "portico/js/drawing.js", "portico/logo.svg"} <= set(site.files)


def test_what_is_the_portals_is_the_portals(tmp_path: Path):
    files = content(write_site(CONFIG, tmp_path / "site").folder)

    shared = {name: body for name, body in files.items() if name.startswith("portico/")}

    assert shared
    for name, body in shared.items():
        assert body == (PORTAL_FILES / name.removeprefix("portico/")).read_bytes()


def test_page_says_its_policy_first(tmp_path: Path):
    head = (write_site(CONFIG, tmp_path / "site").folder / "index.html").read_text().partition("<head>")[2]

    assert head.count("Content-Security-Policy") == 1
    assert re.match(r'\s*<meta charset="utf-8">\s*<meta http-equiv="Content-Security-Policy" content="default', head)


def test_page_has_nothing_inline(tmp_path: Path):
    index = (write_site(CONFIG, tmp_path / "site").folder / "index.html").read_text()

    assert not re.search(
        r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|https?://", re.sub(r"<meta http.*", "", index)
    )


def test_earlier_page_goes_with_all_of_its_files(tmp_path: Path):
    folder = write_site(CONFIG, tmp_path / "site").folder
    (folder / "js" / "of-before.js").write_text("")

    site = write_site(CONFIG, tmp_path / "site")

    assert "js/of-before.js" not in site.files
    assert not (folder / "js" / "of-before.js").exists()


def test_folder_with_something_else_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(DeployError, match="holds something else than an earlier page"):
        write_site(CONFIG, tmp_path)

    assert content(tmp_path) == {"thesis.tex": b"years of work"}


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "site").write_text("")

    with pytest.raises(DeployError, match="is a file"):
        write_site(CONFIG, tmp_path / "site")


def test_every_module_is_asked_for_with_the_page_and_none_after_another(tmp_path: Path):
    site = write_site(CONFIG, tmp_path / "site")

    asked = re.findall(r'rel="modulepreload" href="([^"]+)"', (site.folder / "index.html").read_text("utf-8"))

    assert sorted([*asked, "js/incomplete.js", "js/main.js"]) == [name for name in site.files if name.endswith(".js")]
