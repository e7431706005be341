"""The published page on an account: an app of Amplify Hosting, deployed by hand or from a repository.

No resource of the template: docs/decisions/020-published-page.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws.faults import explain_fault
from deploy.aws.uploads import UploadRefused, put_files
from deploy.errors import DeployError
from deploy.targets import Target

if TYPE_CHECKING:
    from deploy.site.export import Site

Advance = Callable[[int, int, str], None]
Say = Callable[[str], None]

BRANCH = "main"
DOMAIN = ".amplifyapp.com"
_TAG = "portico-stack"
# Every file: Amplify takes these for the next deployment on.
_EVERYWHERE = "**/*"
_MOVING = {"CREATED", "PENDING", "PROVISIONING", "RUNNING", "CANCELLING"}
_ENDED = {"SUCCEED", "FAILED", "CANCELLED"}
STOPPED_WITHIN_S, DEPLOYED_WITHIN_S = 120.0, 900.0


@dataclass(frozen=True)
class Page:
    """An app as Amplify has it.

    Attributes:
        branch: the one that people see
        origin: https://main.d0123456789abc.amplifyapp.com
        is_connected: it is built from a repository, and takes no deployments by hand
    """

    app: str
    name: str
    branch: str
    origin: str
    is_connected: bool = False
    headers: str = ""
    rules: tuple[Mapping[str, str], ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """What names the branch in each call."""
        return {"appId": self.app, "branchName": self.branch}


def find_page(target: Target) -> Page | None:
    """The stack's app: the one that `make_page` has tagged, else one that a person has called like the stack."""
    pages = target.hosting.get_paginator("list_apps").paginate()
    found = [app for page in pages for app in page["apps"] if app["name"] == target.stack_name]
    tagged = [app for app in found if app.get("tags", {}).get(_TAG) == target.stack_name]
    return _read_app((tagged or found)[0]) if found else None


def look_for_page(target: Target, *, must_know: bool) -> Page | None:
    """The stack's app where it can be seen: not every identity may, and not every region has Amplify.

    Args:   must_know: there is one
    Raises: DeployError: Amplify does not say, and it must be known
    """
    if target.is_emulated:
        return None
    try:
        return find_page(target)
    except (ClientError, BotoCoreError) as error:
        if must_know:
            raise explain_fault(error, target) from error
        return None


def make_page(target: Target, headers: Mapping[str, str], before: Page | None) -> Page:
    """The app and its branch, made where they are not there; their headers and redirects as they are to be.

    Args:   headers: of every answer
    Raises: DeployError: the account may have no more apps
    """
    settings = {"customHeaders": write_headers(headers), "customRules": redirects()}
    if before is None:
        page = _read_app(_create_app(target, settings))
    elif (before.headers, [*before.rules]) != (settings["customHeaders"], settings["customRules"]):
        page = _read_app(target.hosting.update_app(appId=before.app, **settings)["app"])
    else:
        page = before
    if not page.is_connected:
        _make_branch(target, page)
    return page


def publish(target: Target, page: Page, site: Site, advance: Advance) -> None:
    """Put the site's files live. Safe to interrupt: until the very end the page is as it was.

    Raises: DeployError: a file could not be uploaded, or Amplify did not take them
    """
    stop_unfinished(target, page)
    for is_last_try in (False, True):
        job, urls = _create_deployment(target, page, site)
        try:
            put_files(site.folder, urls, advance)
            break
        except UploadRefused as refused:
            # Their addresses are good for a short time only, and a machine may have slept.
            stop_unfinished(target, page)
            if is_last_try:
                raise DeployError(f"{refused} Nothing was published; run the same command again.") from refused
    target.hosting.start_deployment(**page.names, jobId=job)
    _wait_for_job(target, page, job, advance)


def stop_unfinished(target: Target, page: Page) -> None:
    """Amplify takes no deployment beside one that was begun and never started, or that is under way."""
    deadline = time.monotonic() + STOPPED_WITHIN_S
    asked: set[str] = set()
    while moving := [job for job in _list_jobs(target, page) if job["status"] in _MOVING]:
        for job in moving:
            if job["jobId"] not in asked and job["status"] != "CANCELLING":
                asked.add(job["jobId"])
                _stop(target, page, job["jobId"])
        if time.monotonic() > deadline:
            raise DeployError(
                f"Amplify's deployment {moving[0]['jobId']} was told to stop and is {moving[0]['status']} still. "
                "Run the same command again in some minutes."
            )
        time.sleep(target.poll_s)


def find_publication(target: Target, page: Page) -> datetime | None:
    """When the page was published last."""
    ended = [job["endTime"] for job in _list_jobs(target, page) if job["status"] == "SUCCEED" and "endTime" in job]
    return max(ended, default=None)


def remove_page(target: Target, page: Page) -> None:
    """The app with all that was published by it."""
    try:
        target.hosting.delete_app(appId=page.app)
    except target.hosting.exceptions.NotFoundException:
        return


def is_of_amplify(origin: str) -> bool:
    """Whether it is an address that Amplify gives, rather than a domain of one's own."""
    return origin.endswith(DOMAIN)


def write_headers(headers: Mapping[str, str]) -> str:
    """Amplify's YAML.

    Source: https://docs.aws.amazon.com/amplify/latest/userguide/custom-headers.html
    """
    lines = ["customHeaders:", f"  - pattern: '{_EVERYWHERE}'", "    headers:"]
    for name, value in headers.items():
        # YAML's double quotes are JSON's.
        lines += [f"      - key: {json.dumps(name)}", f"        value: {json.dumps(value)}"]
    return "\n".join(lines) + "\n"


def redirects() -> list[dict[str, str]]:
    """The page is one file and its addresses are behind a "#": what has no dot is a wrong address, no missing file."""
    return [{"source": r"</^\/[^.]+$/>", "target": "/", "status": "302"}]


def _read_app(app: Mapping[str, Any]) -> Page:
    branch = app.get("productionBranch", {}).get("branchName") or BRANCH
    return Page(
        app=app["appId"],
        name=app["name"],
        branch=branch,
        origin=f"https://{re.sub('[^a-z0-9-]', '-', branch.lower())}.{app['defaultDomain']}",
        is_connected=bool(app.get("repository")),
        headers=app.get("customHeaders", ""),
        rules=tuple(app.get("customRules", ())),
    )


def _create_app(target: Target, settings: Mapping[str, Any]) -> Any:
    try:
        return target.hosting.create_app(
            name=target.stack_name,
            description="Portico's published page. Made by: python -m deploy site",
            platform="WEB",
            enableBranchAutoBuild=False,
            tags={_TAG: target.stack_name},
            **settings,
        )["app"]
    except target.hosting.exceptions.LimitExceededException as error:
        raise DeployError(
            f"This account may have no more apps of Amplify in {target.session.region_name} "
            f"({error.response['Error'].get('Message', '')}). Delete one that nobody needs, or ask AWS for more: "
            "Service Quotas, AWS Amplify, Apps."
        ) from error


def _make_branch(target: Target, page: Page) -> None:
    try:
        target.hosting.get_branch(**page.names)
    except target.hosting.exceptions.NotFoundException:
        target.hosting.create_branch(**page.names, stage="PRODUCTION", framework="Web", enableAutoBuild=False)


def _create_deployment(target: Target, page: Page, site: Site) -> tuple[str, Mapping[str, str]]:
    """Returns: the job, and where each file is to be put"""
    sums = {name: _md5(site.folder.joinpath(name).read_bytes()) for name in site.files}
    answer = target.hosting.create_deployment(**page.names, fileMap=sums)
    return answer["jobId"], answer["fileUploadUrls"]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _list_jobs(target: Target, page: Page) -> Iterator[Mapping[str, Any]]:
    pages = target.hosting.get_paginator("list_jobs").paginate(**page.names)
    try:
        yield from (job for answer in pages for job in answer["jobSummaries"])
    except target.hosting.exceptions.NotFoundException:
        return


def _stop(target: Target, page: Page, job: str) -> None:
    """One that has ended meanwhile cannot be stopped, and need not."""
    failures = target.hosting.exceptions
    try:
        target.hosting.stop_job(**page.names, jobId=job)
    except (failures.BadRequestException, failures.NotFoundException):
        return


def _wait_for_job(target: Target, page: Page, job: str, advance: Advance) -> None:
    deadline = time.monotonic() + DEPLOYED_WITHIN_S
    while True:
        found = target.hosting.get_job(**page.names, jobId=job)["job"]
        status = found["summary"]["status"]
        ended = [step for step in found["steps"] if step["status"] in _ENDED]
        advance(len(ended), max(len(found["steps"]), len(ended) + 1), status.lower())
        if status in _ENDED:
            break
        if time.monotonic() > deadline:
            raise DeployError(
                f"Amplify's deployment {job} is {status} after {DEPLOYED_WITHIN_S / 60:.0f} minutes. It may end by "
                "itself: python -m deploy status says when the page was published. Or run the same command again."
            )
        time.sleep(target.poll_s)
    if status != "SUCCEED":
        raise DeployError(_explain_job(found))


def _explain_job(job: Mapping[str, Any]) -> str:
    number = job["summary"]["jobId"]
    if job["summary"]["status"] == "CANCELLED":
        return f"Amplify's deployment {number} was stopped, by somebody else. The page is as it was; run it again."
    failed = [step for step in job["steps"] if step["status"] == "FAILED"]
    names = "".join(f" in its step {step['stepName']}" for step in failed[:1])
    reason = next((step["statusReason"] for step in failed if "statusReason" in step), "its console may say why")
    return f"Amplify's deployment {number} failed{names}: {reason.rstrip('.')}. The page is as it was."
