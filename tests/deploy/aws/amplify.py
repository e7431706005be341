"""What Amplify Hosting answers, as the tests write it down; botocore checks each against the service's own model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from deploy.aws.hosting import BRANCH, redirects, write_headers
from deploy.site.export import Site
from tests.deploy.aws.stubs import NUMBER, REGION, STACK, WHEN

APP = "d0123456789abc"
ORIGIN = f"https://main.{APP}.amplifyapp.com"
HEADERS = {"Content-Security-Policy": "default-src 'none'; script-src 'self'", "X-Content-Type-Options": "nosniff"}
NAMES = {"appId": APP, "branchName": BRANCH}
FILES = {"index.html": b"<!doctype html>", "js/main.js": b"export {}"}


def make_site(folder: Path) -> Site:
    """A page of two files."""
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return Site(folder, tuple(FILES), HEADERS)


def app(*, name: str = STACK, **changes: Any) -> dict[str, Any]:
    """An app as Amplify tells it."""
    return {
        "appId": APP,
        "appArn": f"arn:aws:amplify:{REGION}:{NUMBER}:apps/{APP}",
        "name": name,
        "description": "",
        "repository": "",
        "platform": "WEB",
        "createTime": WHEN,
        "updateTime": WHEN,
        "environmentVariables": {},
        "defaultDomain": f"{APP}.amplifyapp.com",
        "enableBranchAutoBuild": False,
        "enableBasicAuth": False,
        "customHeaders": write_headers(HEADERS),
        "customRules": redirects(),
        "tags": {"portico-stack": name},
        **changes,
    }


def branch():
    empty = dict.fromkeys(("description", "displayName", "framework", "activeJobId", "totalNumberOfJobs", "ttl"), "")
    off = dict.fromkeys(("enableNotification", "enableAutoBuild", "enableBasicAuth", "enablePullRequestPreview"), False)
    return {
        "branch": {
            "branchArn": f"arn:aws:amplify:{REGION}:{NUMBER}:apps/{APP}/branches/{BRANCH}",
            "branchName": BRANCH,
            "stage": "PRODUCTION",
            "createTime": WHEN,
            "updateTime": WHEN,
            "environmentVariables": {},
            "customDomains": [],
            **empty,
            **off,
        }
    }


def summary(number="7", status="RUNNING", **changes):
    return {
        "jobArn": f"arn:aws:amplify:{REGION}:{NUMBER}:apps/{APP}/branches/{BRANCH}/jobs/{number}",
        "jobId": number,
        "commitId": "",
        "commitMessage": "",
        "commitTime": WHEN,
        "startTime": WHEN,
        "status": status,
        "jobType": "MANUAL",
        **changes,
    }


def job(status, *steps, number="7"):
    """An answer of get_job; steps are (name, status) or (name, status, reason)."""
    told = [
        {
            "stepName": name,
            "startTime": WHEN,
            "endTime": WHEN,
            "status": state,
            **({"statusReason": reason[0]} if reason else {}),
        }
        for name, state, *reason in steps
    ]
    return {"job": {"summary": summary(number, status), "steps": told}}


def jobs(*summaries):
    return "list_jobs", {"jobSummaries": list(summaries)}, NAMES


def created(number="7", **urls):
    sums = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in FILES.items()}
    answer = {
        "jobId": number,
        "fileUploadUrls": urls or {name: f"https://x/{name}" for name in sums},
        "zipUploadUrl": "",
    }
    return "create_deployment", answer, {**NAMES, "fileMap": sums}


def started(number="7"):
    return "start_deployment", {"jobSummary": summary(number)}, {**NAMES, "jobId": number}


def asked(answer, number="7"):
    return "get_job", answer, {**NAMES, "jobId": number}
