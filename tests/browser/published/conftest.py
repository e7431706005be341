"""The published page in Chromium, at a user pool, an identity pool and a bucket that check what AWS's check."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.site import serve_site, site_origin
from deploy.site.export import write_site
from deploy.targets import EMULATOR_CREDENTIALS
from tests.browser.conftest import WIDTHS, _is_problem
from tests.user_pool import PASSWORD, REGION, UserPool

BUCKET = "published"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
    ],
}
# As the template's role but for the folder: the emulator does not hand on tags of the session.
RIGHTS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/pages/*"},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{BUCKET}/*.csv"},
    ],
}

OpenPage = Callable[..., Page]


@dataclass(frozen=True)
class Published:
    """A page that is served.

    Attributes: s3: a client of boto3 that may do everything
    """

    url: str
    pool: UserPool
    s3: Any

    def run(self, page: Page, module: str, body: str, *given: Any) -> Any:
        """What `body`, the inside of an async function of `it` and `given`, makes of one of the page's modules."""
        script = f"async ([module, given]) => {{ const it = await import(module); {body} }}"
        return page.evaluate(script, [f"{self.url}js/{module}.js", list(given)])

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def write(self, key: str, document: Any) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())


@pytest.fixture(scope="session")
def published(user_pool: UserPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """The page before the pool that all tests of signing in share, and a store of its own."""
    port = find_free_port()
    s3 = _make_store(user_pool.endpoint, origin=site_origin(port))
    folder = tmp_path_factory.mktemp("published") / "site"
    write_site(make_config(user_pool, _make_identity_pool(user_pool)), folder)
    with Supervisor() as supervisor:
        page = Published(serve_site(supervisor, folder, port), user_pool, s3)
        page.write("pages/index.json", {"v": 1, "models": []})
        yield page


def make_config(pool: UserPool, identity_pool: str) -> dict[str, Any]:
    """As docs/contract.md, section 9, has it."""
    return {
        "v": 1,
        "region": REGION,
        "userPoolId": pool.id,
        "clientId": pool.public_client_id,
        "identityPoolId": identity_pool,
        "issuerName": pool.issuer.removeprefix("https://"),
        "apiUrl": f"{pool.endpoint}/_aws/execute-api/none/prod",
        "bucket": BUCKET,
        "endpoints": {
            "cognitoIdp": f"{pool.endpoint}/",
            "cognitoIdentity": f"{pool.endpoint}/",
            "s3": f"{pool.endpoint}/{BUCKET}/",
        },
        "models": None,
    }


@pytest.fixture
def open_page(browser: Browser, published: Published) -> Iterator[OpenPage]:
    """The published page in a browser of its own, or, with `beside`, in another tab of the same one.

    Problems in the browser's console, violations of the policy among them, fail the test.
    """
    problems: list[str] = []
    contexts = []

    def open_it(*, theme: str = "light", width: str = "desk", beside: Page | None = None, path: str = "") -> Page:
        if beside is None:
            viewport = {"width": WIDTHS[width], "height": 900}
            contexts.append(browser.new_context(color_scheme=theme, viewport=viewport))
        page = (beside.context if beside else contexts[-1]).new_page()
        page.on("console", lambda message: problems.append(message.text) if _is_problem(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(published.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill(page: Page, address: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(password)
    press(page, "Sign in")


def expect_in(page: Page, address: str) -> None:
    expect(page.locator("details.menu summary")).to_have_text(address)


def _client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


def _make_store(endpoint: str, *, origin: str) -> Any:
    s3 = _client("s3", endpoint)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    rule = {
        "AllowedOrigins": [origin],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
    }
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    return s3


def _make_identity_pool(pool: UserPool) -> str:
    roles, identities = _client("iam", pool.endpoint), _client("cognito-identity", pool.endpoint)
    role = roles.create_role(RoleName="browser", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    roles.put_role_policy(RoleName="browser", PolicyName="browser", PolicyDocument=json.dumps(RIGHTS))
    provider = {"ProviderName": pool.issuer.removeprefix("https://"), "ClientId": pool.public_client_id}
    made = identities.create_identity_pool(
        IdentityPoolName="portico", AllowUnauthenticatedIdentities=False, CognitoIdentityProviders=[provider]
    )["IdentityPoolId"]
    identities.set_identity_pool_roles(IdentityPoolId=made, Roles={"authenticated": role})
    return made
