"""`python -m deploy site` and what the other commands make of a page, on an account that is an emulator.

The emulator has no Amplify: its answers are written down, and checked against the service's own model.
"""

import re

import boto3
import pytest
from click.testing import CliRunner

from deploy.aws import hosting
from deploy.aws.target import aws_target
from deploy.cli import main
from deploy.errors import DeployError
from deploy.plan import read_origin
from deploy.targets import Target
from tests.deploy.aws.amplify import (
    APP,
    HEADERS,
    NAMES,
    ORIGIN,
    app,
    asked,
    branch,
    created,
    job,
    jobs,
    make_site,
    started,
    summary,
)
from tests.deploy.aws.conftest import ENVIRONMENT, STACK, invoke, not_known, push_by_name, send_to
from tests.deploy.aws.stubs import WHEN, answering

pytestmark = pytest.mark.embedded
OURS = app(name=STACK)
NONE_YET = ("list_apps", {"apps": []})
ONE = ("list_apps", {"apps": [OURS]})
SAME_BRANCH = ("get_branch", branch(), NAMES)
PUBLISHED = [jobs(), created(), started(), asked(job("SUCCEED"))]
FIRST = [
    NONE_YET,
    ("create_app", {"app": OURS}),
    ("get_branch", "NotFoundException", "no"),
    ("create_branch", branch()),
    *PUBLISHED,
]


@pytest.fixture(scope="module")
def made(account_emulator):
    """A stack on the account; gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        send_to(account_emulator, patch)
        push_by_name(patch)
        result = invoke("up", "--yes", *not_known(account_emulator.endpoint))
        assert result.exit_code == 0, result.output
    yield
    with pytest.MonkeyPatch.context() as patch:
        send_to(account_emulator, patch)
        invoke("down", input=f"{STACK}\n")


@pytest.fixture
def live(made, account, pushed, amplify, monkeypatch):
    """The stack, as if nobody had published anything."""
    monkeypatch.setattr("deploy.commands.publishing.export_site", lambda target, out, models: make_site(out))
    monkeypatch.setattr(hosting, "put_files", lambda folder, urls, advance: None)
    yield
    if read_origin(aws_target(environment=ENVIRONMENT)) != "*":
        invoke("up", "--set", "ApiCorsOrigin=*")


@pytest.fixture
def amplify(monkeypatch, account):
    """Gives Amplify's answers: `with amplify(call, …)`; without one it is asked nothing."""
    client = boto3.client("amplify")
    monkeypatch.setattr(Target, "hosting", client)
    return lambda *calls: answering(client, *calls)


def cors():
    bucket = re.search(r"PORTICO_BUCKET=(\S+)", invoke("outputs", "--format", "env").output).group(1)
    return boto3.client("s3").get_bucket_cors(Bucket=bucket)["CORSRules"]


def environment():
    settings = boto3.client("lambda").get_function_configuration(FunctionName=f"{STACK}-predict-small")
    return settings["Environment"]["Variables"]


def test_first_publication_makes_the_app_lets_its_origin_in_and_says_where_the_page_is(live, amplify, run):
    with amplify(*FIRST):
        result = run("site", "--yes")

    assert result.exit_code == 0, result.output
    assert f"The page is at {ORIGIN}/" in result.output
    assert re.search(r"~ Bucket +S3 Bucket", result.output)
    assert [rule["AllowedOrigins"] for rule in cors()][1:] == [[ORIGIN]]
    assert environment()["PORTICO_CORS_ORIGIN"] == ORIGIN


def test_second_publication_changes_nothing_of_the_stack(live, amplify, run):
    with amplify(*FIRST):
        run("site", "--yes")
    with amplify(ONE, SAME_BRANCH, *PUBLISHED):
        result = run("site")

    assert result.exit_code == 0, result.output
    assert "lets in" not in result.output


def test_first_publication_is_asked_for(live, amplify, run):
    with amplify(NONE_YET):
        result = run("site", input="n\n")

    assert (result.exit_code, "Nothing was published." in result.output) == (1, True)
    assert read_origin(aws_target(environment=ENVIRONMENT)) == "*"


def test_domain_of_one_s_own_stays_the_one_that_is_let_in(live, amplify, run):
    run("up", "--set", "ApiCorsOrigin=https://predict.example.org")

    with amplify(ONE, SAME_BRANCH, *PUBLISHED):
        result = run("site")

    assert "The page is at https://predict.example.org/" in result.output
    assert read_origin(aws_target(environment=ENVIRONMENT)) == "https://predict.example.org"


def test_app_that_is_built_from_a_repository_gets_headers_and_its_origin_let_in_and_no_deployment(live, amplify, run):
    connected = app(name=STACK, repository="https://github.com/owner/name", customHeaders="", tags={})
    with amplify(("list_apps", {"apps": [connected]}), ("update_app", {"app": {**connected, **headers()}})):
        result = run("site")

    assert result.exit_code == 0, result.output
    assert "each push to main publishes the page" in " ".join(result.output.split())
    assert read_origin(aws_target(environment=ENVIRONMENT)) == ORIGIN


def test_interrupted_publication_says_that_it_goes_on(live, amplify, run, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(hosting, "put_files", interrupted)
    with amplify(*FIRST[:6]):  # as far as the uploads
        result = run("site", "--yes")

    assert result.exit_code == 130
    assert "The page is as it was" in result.output


def test_publication_that_is_not_allowed_names_the_action(live, amplify, run):
    with amplify(
        NONE_YET, ("create_app", "AccessDeniedException", "User: x is not authorized to perform: amplify:CreateApp")
    ):
        result = run("site", "--yes")

    assert result.exit_code == 1
    assert "this identity may not amplify:CreateApp" in result.output


def test_files_alone_are_written_without_asking_amplify(live, amplify, run, tmp_path):
    with amplify():
        result = run("site", "--out", str(tmp_path / "dist"))

    assert result.exit_code == 0, result.output
    assert "2 files, 24 bytes." in result.output


def test_page_is_made_of_the_models_that_are_named(live, amplify, run, tmp_path, monkeypatch):
    asked_for = []

    def export(target, out, models):
        asked_for.append(models)
        return make_site(out)

    monkeypatch.setattr("deploy.commands.publishing.export_site", export)
    run("site", "--out", str(tmp_path / "a"), "--model", "penguins", "--model", "churn")
    run("site", "--out", str(tmp_path / "b"))

    assert asked_for == [["penguins", "churn"], None]


def test_stack_that_the_page_cannot_be_made_of_is_left_alone(live, amplify, run, monkeypatch):
    def export(target, out, models):
        raise DeployError("The stack has no user pool.")

    monkeypatch.setattr("deploy.commands.publishing.export_site", export)
    with amplify():
        result = run("site", "--yes")

    assert (result.exit_code, "no user pool" in result.output) == (1, True)


def test_status_says_where_the_page_is_and_since_when(live, amplify, run):
    with amplify(ONE, jobs(summary("7", "SUCCEED", endTime=WHEN))):
        result = run("status")

    assert re.search(rf"page +{ORIGIN}/  \(published 2026-11-29 20:00 UTC\)", result.output)


def test_status_of_a_page_whose_first_publication_broke_off_says_so(live, amplify, run):
    with amplify(ONE, jobs()):
        result = run("status")

    assert f"{ORIGIN}/  (not published yet)" in result.output


def test_down_that_is_refused_lists_the_page_and_keeps_it(live, amplify, run):
    with amplify(ONE):
        result = run("down", input="no\n")

    assert re.search(rf"- {ORIGIN} +the published page", result.output)
    assert "Nothing was deleted." in result.output


def test_down_that_keeps_data_takes_the_page_and_its_origin_away(live, amplify, run, left_out):
    with amplify(*FIRST):
        run("site", "--yes")

    with amplify(ONE, ONE, ("delete_app", {"app": OURS}, {"appId": APP})):
        result = run("down", "--keep-data", input=f"{STACK}\n")
    with amplify():
        run("up", *left_out)

    assert result.exit_code == 0, result.output
    assert re.search(rf"- {ORIGIN} +the published page", result.output)
    assert read_origin(aws_target(environment=ENVIRONMENT)) == "*"


def test_down_where_the_page_may_not_be_seen_deletes_nothing(live, amplify, run):
    with amplify(*FIRST):
        run("site", "--yes")

    with amplify(("list_apps", "AccessDeniedException", "")):
        result = run("down", input=f"{STACK}\n")

    assert (result.exit_code, "may not amplify:ListApps" in result.output) == (1, True)
    assert run("status").exit_code == 0


def test_down_takes_a_page_away_that_a_stack_has_left(account, amplify, run):
    named = ["site", "--env", "gone"]
    left = app(name="portico-gone")
    with amplify(("list_apps", {"apps": [left]}), ("list_apps", {"apps": [left]}), ("delete_app", {"app": left})):
        result = CliRunner().invoke(main, ["down", "--target", "aws", *named[1:]], input="portico-gone\n")

    assert result.exit_code == 0, result.output
    assert f"- {ORIGIN}" in result.output
    assert "Everything is gone." in result.output


def test_localstack_is_refused_with_where_it_works():
    result = CliRunner().invoke(main, ["site", "--target", "localstack"])

    assert result.exit_code == 1
    assert "The embedded emulator has: make up." in result.output


def test_page_of_the_embedded_emulator_is_written_where_make_up_serves_it(
    stack, stack_environment, tmp_path, monkeypatch
):
    monkeypatch.setenv("PORTICO_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("deploy.commands.publishing.export_site", lambda target, out, models: make_site(out))

    result = CliRunner().invoke(main, ["site", "--target", "embedded", "--env", stack.target.environment])

    assert result.exit_code == 0, result.output
    assert (tmp_path / "site" / "index.html").is_file()


def headers():
    return {"customHeaders": hosting.write_headers(HEADERS)}
