"""Each page that says why there is no page, in both themes, at a desk and on a phone."""

from collections.abc import Callable

import pytest
from django.db import OperationalError
from playwright.sync_api import Page

from portal.accounts import roles
from portal.errors import BackendAway
from portal.predictions.views import single
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations
from tests.portal.factories import make_version

pytestmark = [pytest.mark.browser, pytest.mark.looks]
FAILURES = {
    "500": RuntimeError("inside"),
    "503": BackendAway("The prediction service is busy just now. Try again in a moment."),
    "503-database": OperationalError("inside"),
}


def open_without_sign_in(page: Page, site: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{site}/nowhere/")


def post_form(page: Page) -> None:
    """As a browser does by itself, without the page's script."""
    with page.expect_navigation():
        page.locator("form.panel").evaluate("form => HTMLFormElement.prototype.submit.call(form)")


def send_old_form(page: Page, site: str) -> None:
    page.goto(f"{site}/models/penguins/")
    page.context.clear_cookies(name="csrftoken")
    post_form(page)


def send_too_much(page: Page, site: str) -> None:
    page.goto(f"{site}/models/penguins/")
    # No field of the page takes so much.
    page.locator("form.panel").evaluate(
        "form => form.append(Object.assign(document.createElement('textarea'),"
        " {name: 'f0', value: '4'.repeat(1100000)}))"
    )
    post_form(page)


WAYS: dict[str, Callable[[Page, str], object]] = {
    "403": lambda page, site: page.goto(f"{site}/admin/accounts/user/"),
    "403-form": send_old_form,
    "404": lambda page, site: page.goto(f"{site}/nowhere/"),
    "404-stranger": open_without_sign_in,
    "405": lambda page, site: page.goto(f"{site}/tokens/1/revoke/"),
    "413": send_too_much,
}


def look_at(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open. It must be the one that is asked for, with its reference."""
    keep(page, f"error-{name}")
    shown = page.locator("main .code")
    problems = [] if shown.count() and shown.inner_text() == name[:3] else ["another page"]
    problems += [] if page.locator("main .reference code").count() == 1 else ["no reference"]
    return problems + violations(page) + (["wider than the window"] if is_too_wide(page) else [])


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_every_error_page_has_nothing_for_axe_and_fits_its_window(site: str, page_as: PageAs, theme: str, width: str):
    make_version()
    found = {}

    for name, go in WAYS.items():
        page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
        go(page, site)
        found[name] = look_at(page, f"{name}-{theme}-{width}")

    assert found == {name: [] for name in WAYS}


@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_page_of_every_failure_has_nothing_for_axe_and_fits_its_window(
    site: str, page_as: PageAs, monkeypatch: pytest.MonkeyPatch, theme: str, width: str
):
    page, found = page_as(roles.PREDICTOR, theme=theme, width=width), {}

    for name, failure in FAILURES.items():

        def fail(slug: str, failure: Exception = failure) -> None:
            raise failure

        monkeypatch.setattr(single, "live_version_or_404", fail)
        page.goto(f"{site}/models/penguins/")
        found[name] = look_at(page, f"{name}-{theme}-{width}")

    assert found == {name: [] for name in FAILURES}


def test_reference_is_chosen_by_one_click(site: str, page_as: PageAs):
    page = page_as(None)
    page.goto(f"{site}/nowhere/")
    reference = page.locator("main .reference code")

    reference.click()

    assert page.evaluate("getSelection().toString()").strip() == reference.inner_text()
