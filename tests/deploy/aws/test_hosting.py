"""The published page's calls of Amplify Hosting, each checked against the service's own model."""

import json

import pytest
import yaml

from deploy.aws import hosting
from deploy.aws.faults import explain_fault
from deploy.aws.hosting import (
    BRANCH,
    Page,
    find_page,
    find_publication,
    look_for_page,
    make_page,
    publish,
    redirects,
    remove_page,
    write_headers,
)
from deploy.aws.uploads import UploadRefused
from deploy.errors import DeployError
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
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import STACK, WHEN, answering, stubbed

PAGE = Page(APP, STACK, BRANCH, ORIGIN, headers=write_headers(HEADERS), rules=tuple(redirects()))


@pytest.fixture
def target(monkeypatch):
    sign_in(monkeypatch)
    return stubbed()


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path)


@pytest.fixture
def put(monkeypatch):
    """Gets the addresses of each round of uploads; what stands in `refusals` is raised first."""
    rounds = []

    def record(folder, urls, advance):
        rounds.append(dict(urls))
        if put.refusals:
            raise put.refusals.pop(0)

    put = record
    put.rounds, put.refusals = rounds, []
    monkeypatch.setattr(hosting, "put_files", record)
    return put


def go(target, site, *calls, page=PAGE):
    shown = []
    with answering(target.hosting, *calls):
        publish(target, page, site, lambda *given: shown.append(given))
    return shown


# ------------------------------------------------------------------ finding


def test_app_is_found_by_its_name_and_the_tagged_one_before_others_that_are_called_so(target):
    others = [app(name="shop"), app(appId="d9", defaultDomain="d9.amplifyapp.com", tags={}), app()]
    with answering(target.hosting, ("list_apps", {"apps": others})):
        page = find_page(target)

    assert (page.app, page.origin, page.is_connected) == (APP, ORIGIN, False)


def test_account_without_an_app_of_that_name_has_no_page(target):
    with answering(target.hosting, ("list_apps", {"apps": [app(name="shop")]})):
        assert find_page(target) is None


def test_app_on_a_later_page_of_the_list_is_found(target):
    first, second = {"apps": [app(name="shop")], "nextToken": "more"}, {"apps": [app()]}
    with answering(target.hosting, ("list_apps", first), ("list_apps", second, {"nextToken": "more"})):
        assert find_page(target).app == APP


def test_app_that_is_built_from_a_repository_is_seen_at_its_production_branch(target):
    connected = app(
        tags={},
        repository="https://github.com/owner/name",
        productionBranch={"branchName": "Release/1"},
    )
    with answering(target.hosting, ("list_apps", {"apps": [connected]})):
        page = find_page(target)

    assert (page.is_connected, page.origin) == (True, f"https://release-1.{APP}.amplifyapp.com")


def test_page_that_may_not_be_seen_is_none_unless_there_must_be_one(target):
    denied = ("list_apps", "AccessDeniedException", "User: x is not authorized to perform: amplify:ListApps on *")

    with answering(target.hosting, denied):
        assert look_for_page(target, must_know=False) is None
    with answering(target.hosting, denied), pytest.raises(DeployError, match="may not amplify:ListApps"):
        look_for_page(target, must_know=True)


# ------------------------------------------------------------------- making


def test_first_page_is_an_app_with_headers_redirects_and_a_tag_and_its_branch(target):
    settings = {
        "name": STACK,
        "description": "Portico's published page. Made by: python -m deploy site",
        "platform": "WEB",
        "enableBranchAutoBuild": False,
        "tags": {"portico-stack": STACK},
        "customHeaders": write_headers(HEADERS),
        "customRules": redirects(),
    }
    new_branch = {**NAMES, "stage": "PRODUCTION", "framework": "Web", "enableAutoBuild": False}
    with answering(
        target.hosting,
        ("create_app", {"app": app()}, settings),
        ("get_branch", "NotFoundException", "no"),
        ("create_branch", branch(), new_branch),
    ):
        page = make_page(target, HEADERS, None)

    assert page == PAGE


def test_page_as_it_is_to_be_is_left_alone(target):
    with answering(target.hosting, ("get_branch", branch(), NAMES)):
        assert make_page(target, HEADERS, PAGE) == PAGE


def test_headers_that_have_changed_are_set(target):
    before = Page(APP, STACK, BRANCH, ORIGIN, headers="old", rules=PAGE.rules)
    wanted = {"appId": APP, "customHeaders": write_headers(HEADERS), "customRules": redirects()}
    with answering(target.hosting, ("update_app", {"app": app()}, wanted), ("get_branch", branch())):
        assert make_page(target, HEADERS, before) == PAGE


def test_branch_of_a_connected_app_is_the_repository_s_business(target):
    connected = Page(APP, STACK, BRANCH, ORIGIN, is_connected=True, headers=PAGE.headers, rules=PAGE.rules)
    with answering(target.hosting):
        assert make_page(target, HEADERS, connected) == connected


def test_account_with_as_many_apps_as_it_may_have_is_told_what_to_do(target):
    full = ("create_app", "LimitExceededException", "You have reached the maximum number of apps in this account.")
    with answering(target.hosting, full), pytest.raises(DeployError, match="Service Quotas, AWS Amplify, Apps"):
        make_page(target, HEADERS, None)


def test_headers_are_written_as_amplify_reads_them():
    text = write_headers(HEADERS)

    assert yaml.safe_load(text) == {
        "customHeaders": [
            {"pattern": "**/*", "headers": [{"key": name, "value": value} for name, value in HEADERS.items()]}
        ]
    }
    assert json.dumps(HEADERS["Content-Security-Policy"]) in text


# --------------------------------------------------------------- publishing


def test_publishing_uploads_what_amplify_asks_for_and_waits_until_it_is_live(target, site, put):
    shown = go(
        target,
        site,
        jobs(),
        created(**{"js/main.js": "https://x/js/main.js"}),
        started(),
        asked(job("PENDING")),
        asked(job("RUNNING", ("DEPLOY", "SUCCEED"), ("VERIFY", "RUNNING"))),
        asked(job("SUCCEED", ("DEPLOY", "SUCCEED"), ("VERIFY", "SUCCEED"))),
    )

    assert put.rounds == [{"js/main.js": "https://x/js/main.js"}]
    assert shown == [(0, 1, "pending"), (1, 2, "running"), (2, 3, "succeed")]


def test_deployment_that_an_earlier_run_left_is_stopped_first(target, site, put):
    go(
        target,
        site,
        jobs(summary("6", "PENDING"), summary("5", "SUCCEED")),
        ("stop_job", {"jobSummary": summary("6", "CANCELLING")}, {**NAMES, "jobId": "6"}),
        jobs(summary("6", "CANCELLING")),
        jobs(summary("6", "CANCELLED")),
        created(),
        started(),
        asked(job("SUCCEED")),
    )

    assert len(put.rounds) == 1


@pytest.mark.parametrize("code", ["BadRequestException", "NotFoundException"])
def test_deployment_that_ends_before_it_is_stopped_is_no_failure(target, site, put, code):
    go(
        target,
        site,
        jobs(summary("6", "RUNNING")),
        ("stop_job", code, "The job 6 has finished."),
        jobs(summary("6", "SUCCEED")),
        created(),
        started(),
        asked(job("SUCCEED")),
    )


def test_deployment_that_does_not_stop_is_named(target, site, put, monkeypatch):
    monkeypatch.setattr(hosting, "STOPPED_WITHIN_S", -1.0)
    stopped = ("stop_job", {"jobSummary": summary("6", "CANCELLING")})

    with pytest.raises(DeployError, match="deployment 6 was told to stop and is RUNNING still"):
        go(target, site, jobs(summary("6", "RUNNING")), stopped)

    assert put.rounds == []


def test_addresses_that_expired_are_made_anew_once(target, site, put):
    put.refusals = [UploadRefused("index.html could not be uploaded: its address is no longer good.")]
    go(
        target,
        site,
        jobs(),
        created("7"),
        jobs(summary("7", "CREATED")),
        ("stop_job", {"jobSummary": summary("7", "CANCELLED")}, {**NAMES, "jobId": "7"}),
        jobs(summary("7", "CANCELLED")),
        created("8"),
        started("8"),
        asked(job("SUCCEED", number="8"), "8"),
    )

    assert len(put.rounds) == 2


def test_addresses_that_are_never_good_leave_the_page_as_it_was(target, site, put):
    put.refusals = [UploadRefused("index.html could not be uploaded: its address is no longer good.")] * 2

    with pytest.raises(DeployError, match="no longer good. Nothing was published"):
        go(target, site, jobs(), created("7"), jobs(), created("8"), jobs())


def test_deployment_that_fails_is_told_with_amplify_s_reason(target, site, put):
    failed = job("FAILED", ("DEPLOY", "FAILED", "Artifact is too large."), ("VERIFY", "CANCELLED"))

    with pytest.raises(DeployError, match="deployment 7 failed in its step DEPLOY: Artifact is too large. The page is"):
        go(target, site, jobs(), created(), started(), asked(failed))


def test_deployment_that_fails_without_a_reason_says_where_to_look(target, site, put):
    with pytest.raises(DeployError, match="deployment 7 failed: its console may say why"):
        go(target, site, jobs(), created(), started(), asked(job("FAILED")))


def test_deployment_that_somebody_else_stopped_is_told(target, site, put):
    with pytest.raises(DeployError, match="was stopped, by somebody else"):
        go(target, site, jobs(), created(), started(), asked(job("CANCELLED")))


def test_deployment_that_does_not_end_is_waited_for_no_longer_than_a_while(target, site, put, monkeypatch):
    monkeypatch.setattr(hosting, "DEPLOYED_WITHIN_S", -1.0)

    with pytest.raises(DeployError, match="is RUNNING after"):
        go(target, site, jobs(), created(), started(), asked(job("RUNNING")))


CALLS = [jobs(), created(), started(), asked(job("SUCCEED"))]


@pytest.mark.parametrize("place", range(len(CALLS)), ids=[call[0] for call in CALLS])
def test_call_that_is_denied_names_the_action(target, site, put, place):
    operation = CALLS[place][0]
    denied = (operation, "AccessDeniedException", "")
    client = target.hosting

    with pytest.raises(client.exceptions.ClientError) as refused:
        go(target, site, *CALLS[:place], denied)

    action = "amplify:" + "".join(word.title() for word in operation.split("_"))
    assert f"this identity may not {action}." in str(explain_fault(refused.value, target))


@pytest.mark.parametrize("place", range(1, len(CALLS)), ids=[call[0] for call in CALLS[1:]])
def test_run_after_one_that_was_interrupted_begins_with_what_that_one_left(target, site, put, place, monkeypatch):
    """Interrupted in its nth call, the first run leaves a deployment that may exist already; the second stops it."""
    client, calls = target.hosting, CALLS[:place]
    operation = CALLS[place][0]

    def interrupted(**given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client, operation, interrupted)
        with pytest.raises(KeyboardInterrupt):
            go(target, site, *calls)
    left = {"create_deployment": "CREATED", "start_deployment": "CREATED", "get_job": "RUNNING"}[operation]

    go(
        target,
        site,
        jobs(summary("7", left)),
        ("stop_job", {"jobSummary": summary("7", "CANCELLED")}, {**NAMES, "jobId": "7"}),
        jobs(summary("7", "CANCELLED")),
        created("8"),
        started("8"),
        asked(job("SUCCEED", number="8"), "8"),
    )


# ------------------------------------------------------- looking, taking away


def test_publication_is_the_last_deployment_that_succeeded(target):
    told = jobs(
        summary("9", "FAILED", endTime=WHEN.replace(day=30)),
        summary("8", "SUCCEED", endTime=WHEN),
        summary("7", "SUCCEED", endTime=WHEN.replace(day=1)),
    )
    with answering(target.hosting, told):
        assert find_publication(target, PAGE) == WHEN


@pytest.mark.parametrize("answer", [jobs(), ("list_jobs", "NotFoundException", "Branch main not found")])
def test_page_that_was_never_published_has_no_publication(target, answer):
    with answering(target.hosting, answer):
        assert find_publication(target, PAGE) is None


@pytest.mark.parametrize("answer", [{"app": app()}, None])
def test_page_is_removed_also_where_somebody_else_was_faster(target, answer):
    gone = ("delete_app", answer, {"appId": APP}) if answer else ("delete_app", "NotFoundException", "App not found")

    with answering(target.hosting, gone):
        remove_page(target, PAGE)
