"""The page of a stack as the template makes it: who was invited signs in, the API and the bucket answer the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page
from sklearn.linear_model import LogisticRegression

from deploy.embedded.emulator import Emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.site import serve_site, site_origin
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import make_plan
from deploy.site.export import export_site
from deploy.targets import EMULATOR_CREDENTIALS, embedded_target
from deploy.users import Pool
from tests.browser.conftest import _is_problem
from tests.browser.published.conftest import expect_in, fill, press
from tests.conftest import Stack
from tests.deploy.publishing import publish
from tests.user_pool import BETTER

pytestmark = [pytest.mark.browser, pytest.mark.embedded, pytest.mark.stack]

ADA = "ada@example.org"
CSV = "a,b\n0.5,-0.25\n3,1\n"
ASK = """async ([url, path, body]) => {
    const { session } = await import(`${url}js/session.js`);
    const { config } = await import(`${url}js/config.js`);
    const headers = { Authorization: await session.idToken(), "Content-Type": "application/json" };
    const answer = await fetch(`${config.apiUrl}/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return [answer.status, await answer.json()];
}"""
SEND = """async ([url, text]) => {
    const { fileKeyFor, putObject } = await import(`${url}js/aws.js`);
    const file = new File([text], "rows.csv");
    const key = fileKeyFor(file);
    await putObject(key, file);
    return key;
}"""


@pytest.fixture(scope="module")
def deployed(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Stack]]:
    """Where the page of a stack with a user pool and a live model, "sum", is served; and the stack."""
    port = find_free_port()
    target = embedded_target(
        emulator.endpoint,
        portal_origin="http://portal.test",
        site_origin=site_origin(port),
        environment="published",
    )
    target = replace(target, chosen_parameters={"WithCognito": "true"})
    outputs = execute_plan(target, make_plan(target), lambda *_: None)
    stack = Stack(target, outputs, {**EMULATOR_CREDENTIALS, **portal_environment(target, outputs)})
    rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0, 1.0]})
    publish(stack, "sum", LogisticRegression().fit(rows, ["no", "no", "yes", "yes"]))
    target.s3.put_object(Bucket=stack.bucket, Key="pages/index.json", Body=json.dumps({"v": 1, "models": []}).encode())
    site = export_site(target, tmp_path_factory.mktemp("deployed") / "site", None)
    with Supervisor() as supervisor:
        yield serve_site(supervisor, site.folder, port), stack


def ask(page: Page, url: str, path: str, body: Any) -> Any:
    return page.evaluate(ASK, [url, path, body])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in whose console nothing may be complained about."""
    problems: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("console", lambda message: problems.append(message.text) if _is_problem(message) else None)
    yield page
    context.close()
    assert problems == []


def test_person_who_was_invited_signs_in_and_is_answered(deployed: tuple[str, Stack], page: Page):
    url, stack = deployed
    temporary = Pool.of(stack.target).add(ADA, "predictor")
    page.goto(url)

    fill(page, ADA, temporary)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill(BETTER)
    press(page, "Set the password")
    expect_in(page, ADA)
    index = page.evaluate("url => import(url + 'js/aws.js').then((it) => it.getObject('pages/index.json'))", url)
    status, answer = ask(page, url, "sum/singlePrediction", {"a": 3, "b": 1})
    key = page.evaluate(SEND, [url, CSV])
    batch_status, batch = ask(page, url, "sum/batchPrediction", {"fileKey": key})

    assert index["json"] == {"v": 1, "models": []}
    assert (status, batch_status) == (200, 200)
    assert answer and batch["downloadLink"]
