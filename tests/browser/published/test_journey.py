"""A colleague's whole way on the published page, and a program's, into the one history of the portal."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from deploy.embedded.emulator import Emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.site import serve_site, site_origin
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import make_plan
from deploy.site.export import export_site
from deploy.targets import EMULATOR_CREDENTIALS, REGION, embedded_target
from deploy.users import Pool
from portal.accounts import roles
from portal.predictions.models import Batch, Prediction
from portal.registry import actions as registry
from portal.registry.models import Model
from tests.browser.conftest import PageAs, _is_problem, is_too_wide, keep, load, violations
from tests.browser.published.conftest import expect_in, fill, press
from tests.conftest import Stack
from tests.deploy.sending import send
from tests.user_pool import BETTER

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.stack]

ADA, SLUG = "ada@example.org", "penguins"
# As the original tool's page asks, from an origin that the stack lets in.
POST = """async ([url, token, body]) => {
    const headers = { Authorization: token, "Content-Type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    return [answer.status, await answer.json()];
}"""


@pytest.fixture(scope="module")
def port() -> int:
    return find_free_port()


@pytest.fixture(scope="module")
def stack(emulator: Emulator, port: int) -> Stack:
    """A stack with a user pool, which lets the published page in. The portal before it has accounts of its own, as on
    a laptop that manages the models of others."""
    target = embedded_target(
        emulator.endpoint, portal_origin="http://portal.test", site_origin=site_origin(port), environment="journey"
    )
    target = replace(target, chosen_parameters={"WithCognito": "true", "DefaultModel": SLUG})
    outputs = execute_plan(target, make_plan(target), lambda *_: None)
    stack = portal_environment(target, outputs)
    own = {name: value for name, value in stack.items() if not re.search("USER_POOL|IDENTITY_POOL", name)}
    return Stack(target, outputs, {**EMULATOR_CREDENTIALS, "AWS_ENDPOINT_URL": emulator.endpoint, **own})


@pytest.fixture(scope="module")
def url(stack: Stack, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served."""
    exported = export_site(stack.target, tmp_path_factory.mktemp("journey") / "site", None)
    with Supervisor() as supervisor:
        yield serve_site(supervisor, exported.folder, port)


@pytest.fixture
def penguins(site: str, stack: Stack, samples: Path, tmp_path: Path) -> Model:
    """The sample, live, by everybody's door; and nothing in the bucket of what the API answered before."""
    for found in stack.target.s3.list_objects_v2(Bucket=stack.bucket, Prefix="captures/").get("Contents", []):
        stack.target.s3.delete_object(Bucket=stack.bucket, Key=found["Key"])
    (tmp_path / SLUG).symlink_to(samples / SLUG)
    get_user_model().objects.create_superuser("admin", password="admin-password")
    call_command("load_samples", tmp_path, verbosity=0, stdout=io.StringIO())
    return Model.objects.get(slug=SLUG)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in whose console nothing may be complained about, a violation of the policy among all else."""
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True)
    page = context.new_page()
    page.on("console", lambda message: problems.append(message.text) if _is_problem(message) else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def first_sign_in(page: Page, url: str, temporary: str) -> None:
    page.goto(url)
    keep(page, "published-door")
    fill(page, ADA, temporary)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill(BETTER)
    keep(page, "published-new-password")
    press(page, "Set the password")
    expect_in(page, ADA)


def wait_for_history(page: Page, rows: int) -> None:
    """Until so many rows have come into it: without an extension a thread writes captures, within a second or so."""
    for _ in range(40):
        call_command("ingest_captures", stdout=io.StringIO())
        if Prediction.objects.count() + Batch.objects.filter(finished_at__isnull=False).count() >= rows:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{list(Prediction.objects.values())} {list(Batch.objects.values('state', 'error'))}")


@pytest.mark.django_db(transaction=True)
def test_colleague_predicts_and_scores_a_file_and_the_portal_s_history_shows_both(
    penguins: Model, stack: Stack, url: str, page: Page, page_as: PageAs, samples: Path, tmp_path: Path
):
    temporary = Pool.of(stack.target).add(ADA, "predictor")
    table = pd.read_csv(samples / SLUG / "to_score.csv")
    reference = load(samples, SLUG)

    first_sign_in(page, url, temporary)
    expect(page.get_by_role("link", name=penguins.name, exact=True)).to_be_visible()
    keep(page, "published-models")
    assert violations(page) == []
    page.get_by_role("link", name=penguins.name, exact=True).click()
    page.get_by_role("button", name="Predict").wait_for()
    page.get_by_label("Bill length").fill("a lot")
    press(page, "Predict")
    expect(page.get_by_text("“a lot” is not a number.")).to_be_visible()
    page.get_by_label("Bill length").fill("47.5")
    press(page, "Predict")
    expect(page.locator(".result .outcome")).to_be_visible(timeout=30_000)
    said = page.locator(".result .outcome").inner_text()
    keep(page, "published-phone")
    assert violations(page) == []
    assert not is_too_wide(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    keep(page, "published-page")
    assert not is_too_wide(page)

    page.get_by_role("link", name="Score a file").click()
    page.get_by_label("File", exact=True).set_input_files(samples / SLUG / "to_score.csv")
    press(page, "Score the file")
    expect(page.locator("h1 .band")).to_have_text(re.compile("Done"), timeout=60_000)
    expect(page.get_by_role("region", name="In words").locator("tbody tr")).to_have_count(3)
    keep(page, "published-file")
    assert violations(page) == []
    with page.expect_download() as download:
        press(page, "Download the result")
    assert download.value.suggested_filename == f"to_score_{SLUG}-v1_predictions.csv"
    result = tmp_path / "result.csv"
    download.value.save_as(result)
    scored = pd.read_csv(result)
    wait_for_history(page, 2)

    prediction, batch = Prediction.objects.get(), Batch.objects.get()
    assert prediction.outcome == said
    assert (prediction.source, prediction.user.email, prediction.inputs["bill_length_mm"]) == ("page", ADA, 47.5)
    assert (batch.source, batch.user, batch.rows) == ("page", prediction.user, len(table))
    good = scored["error"].isna()
    assert list(scored["prediction"][good]) == list(reference.predict(table[good][list(reference.feature_names_in_)]))
    assert len(scored) == len(table)

    admin = page_as(roles.ADMIN)
    admin.goto(f"{page_url(admin)}/history/")
    for row in (admin.get_by_role("row", name=said).first, admin.get_by_role("row", name="to_score.csv")):
        expect(row).to_contain_text(ADA)
        expect(row).to_contain_text("Published page")
    keep(admin, "history-of-the-page")
    admin.get_by_role("row", name=said).get_by_role("link", name="Prediction").click()
    expect(admin.get_by_text(f"by {ADA}")).to_be_visible()


def page_url(page: Page) -> str:
    return page.evaluate("location.origin")


@pytest.mark.django_db(transaction=True)
def test_program_with_a_token_stands_in_the_history_beside_the_page_s_people(penguins: Model, stack: Stack, page: Page):
    address = "grace@example.org"
    token, sub = sign_in_as_program(stack, address)
    row = penguins.live_version.examples.first().row

    api = stack.environment["PORTICO_API_URL"]
    answer = post(f"{api}/{SLUG}/singlePrediction", token, row)
    wait_for_history(page, 1)

    kept = Prediction.objects.get()
    assert kept.outcome == answer["prediction"]
    assert (kept.source, kept.user.email) == ("program", address)
    assert not kept.user.has_usable_password()
    assert not kept.user.groups.exists()


@pytest.mark.django_db(transaction=True)
def test_model_that_keeps_outputs_or_nothing_leaves_no_values(penguins: Model, stack: Stack, page: Page):
    token, _ = sign_in_as_program(stack, "joan@example.org")
    row = penguins.live_version.examples.first().row
    url = f"{stack.environment['PORTICO_API_URL']}/{SLUG}/singlePrediction"

    for level in ("off", "outputs"):
        penguins.capture = level
        penguins.save()
        registry.mark(penguins)
        assert registry.publish(penguins)
        page.wait_for_timeout(1700)  # a pointer is looked at again after 1.5 s
        post(url, token, row)
    wait_for_history(page, 1)

    kept = Prediction.objects.get()
    assert (kept.inputs, kept.is_without_values) == ({}, True)
    assert kept.outcome


@pytest.mark.django_db(transaction=True)
def test_original_page_s_requests_are_answered_as_it_reads_them(penguins: Model, stack: Stack, url: str, page: Page):
    """Raw tokens, its paths, headers and fields; the file under the Cognito username, by keys of the identity pool."""
    token, username = sign_in_as_program(stack, "mary@example.org")
    row = penguins.live_version.examples.first().row
    api = stack.environment["PORTICO_API_URL"]
    page.goto(url)

    status, single = page.evaluate(POST, [f"{api}/singlePrediction", token, {k: str(v) for k, v in row.items()}])
    key = f"{username}/1793000000000_rows.csv"
    put_as_the_browser(stack, token, key, pd.DataFrame([row]).to_csv(index=False).encode())
    file_status, batch = page.evaluate(POST, [f"{api}/batchPrediction", token, {"fileKey": key}])
    result = page.evaluate("link => fetch(link).then((answer) => answer.text())", batch["downloadLink"])

    assert (status, file_status) == (200, 200)
    assert single["body"]["pred_proba"] == single["pred_proba"]
    assert set(batch) == {"bucket", "downloadLink"}
    assert f"{username}/1793000000000_rows_predictions.csv" in batch["downloadLink"]
    assert "prediction" in result.splitlines()[0]


def sign_in_as_program(stack: Stack, address: str) -> tuple[str, str]:
    """A person's ID token, from `initiate-auth --auth-flow USER_PASSWORD_AUTH`, and what Cognito calls them."""
    pool, client = stack.outputs["UserPoolId"], stack.outputs["UserPoolPublicClientId"]
    cognito = stack.target.users
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=address,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": address}, {"Name": "email_verified", "Value": "true"}],
    )
    cognito.admin_set_user_password(UserPoolId=pool, Username=address, Password=BETTER, Permanent=True)
    answer = cognito.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": address, "PASSWORD": BETTER}
    )
    username = cognito.get_user(AccessToken=answer["AuthenticationResult"]["AccessToken"])["Username"]
    return answer["AuthenticationResult"]["IdToken"], username


def put_as_the_browser(stack: Stack, token: str, key: str, body: bytes) -> None:
    """What AWS's SDK does in the original's page: keys of the identity pool for the token, and a PUT with them."""
    endpoint = stack.target.endpoint_url
    pools = boto3.client(
        "cognito-identity", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-"
    )
    logins = {stack.outputs["UserPoolIssuer"].removeprefix("https://"): token}
    identity = pools.get_id(IdentityPoolId=stack.outputs["IdentityPoolId"], Logins=logins)["IdentityId"]
    keys = pools.get_credentials_for_identity(IdentityId=identity, Logins=logins)["Credentials"]
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretKey"],
        aws_session_token=keys["SessionToken"],
    )
    s3.put_object(Bucket=stack.bucket, Key=key, Body=body, ContentType="text/csv")


def post(url: str, token: str, body: Any) -> Any:
    headers = {"Authorization": token, "Content-Type": "application/json"}
    status, _, answer = send("POST", url, body=json.dumps(body).encode(), headers=headers)
    assert status == 200, answer
    return json.loads(answer)
