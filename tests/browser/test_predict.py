"""The portal's predict page with its script: nothing wrong is sent, and the answer comes without another page."""

import re

import pytest
from playwright.sync_api import Page, expect

from portal.accounts import roles
from portal.errors import BackendAway
from portal.gateways import inference
from portal.gateways.contract import Answer
from portal.predictions.models import Prediction
from tests.browser.conftest import PageAs, is_too_wide, violations

pytestmark = pytest.mark.browser


def open_form(page: Page, site: str, slug: str = "penguins") -> Page:
    """The form, filled in with its first example; `window.isFirst` tells whether the page was loaded anew."""
    page.goto(f"{site}/models/{slug}/")
    page.locator(".examples a").first.click()
    page.wait_for_url("**/?example=*")
    page.evaluate("window.isFirst = true")
    return page


def predict(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()


def is_first(page: Page) -> bool:
    return bool(page.evaluate("window.isFirst === true"))


def test_answer_comes_without_another_page_and_has_its_own_address(loaded_site: str, page_as: PageAs):
    page = open_form(page_as(), loaded_site)

    predict(page)

    page.wait_for_url("**/predictions/**")
    prediction = Prediction.objects.get()
    assert page.url == loaded_site + prediction.get_absolute_url()
    expect(page.locator(".outcome")).to_have_text(prediction.outcome_words)
    expect(page.locator(".result")).to_be_focused()
    expect(page.get_by_role("heading", name="Ask again")).to_be_visible()
    assert is_first(page)
    assert violations(page) == []


def test_answer_that_is_loaded_by_its_address_looks_as_it_did(loaded_site: str, page_as: PageAs):
    page = open_form(page_as(), loaded_site)
    predict(page)
    expect(page.locator(".result")).to_be_focused()
    before = re.sub(r"\s+", " ", page.locator(".result").inner_text())
    shot = page.locator(".result").screenshot()

    page.reload()

    assert re.sub(r"\s+", " ", page.locator(".result").inner_text()) == before
    assert page.locator(".result").screenshot() == shot


def test_back_and_forward_lead_through_what_was_asked(loaded_site: str, page_as: PageAs):
    page = open_form(page_as(), loaded_site)
    mass = page.get_by_label(re.compile("Body mass"))
    mass.fill("3000")
    predict(page)
    expect(page.locator(".result")).to_be_focused()
    first = page.url
    mass.fill("6000")
    predict(page)
    expect(page).not_to_have_url(first)
    second = page.url

    page.go_back()
    expect(page).to_have_url(first)
    expect(mass).to_have_value("3000")
    expect(page.locator(".result a")).to_have_attribute("href", first.removeprefix(loaded_site))
    page.go_back()
    expect(page.locator(".result")).to_have_count(0)
    expect(page.get_by_role("heading", name="Values")).to_be_visible()
    page.go_forward()
    page.go_forward()

    expect(page).to_have_url(second)
    expect(mass).to_have_value("6000")
    expect(page.locator(".result a")).to_have_attribute("href", second.removeprefix(loaded_site))
    assert is_first(page)
    assert Prediction.objects.count() == 2


def test_bad_values_are_told_at_once_and_the_portal_never_hears_of_them(loaded_site: str, page_as: PageAs):
    page = open_form(page_as(), loaded_site)
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_label(re.compile("Body mass")).fill("heavy")

    predict(page)

    expect(page.get_by_text("“heavy” is not a number.")).to_be_visible()
    expect(page.get_by_text("Some values need a second look. Nothing was sent.")).to_be_visible()
    expect(page.get_by_label(re.compile("Body mass"))).to_be_focused()
    assert posted == []
    assert is_first(page)


def test_service_that_is_away_is_told_with_a_reference_and_the_values_stay(
    loaded_site: str, page_as: PageAs, monkeypatch: pytest.MonkeyPatch
):
    def fail(**asked: object) -> Answer:
        raise BackendAway("The prediction service cannot be reached just now. Try again in a moment.")

    page, predict_for_real = open_form(page_as(), loaded_site), inference.predict
    page.get_by_label(re.compile("Body mass")).fill("4321")
    monkeypatch.setattr(inference, "predict", fail)

    predict(page)

    expect(page.get_by_role("alert")).to_contain_text("No answer. The prediction service cannot be reached just now.")
    expect(page.get_by_role("alert").locator("code")).to_have_text(str(Prediction.objects.get().request_id))
    expect(page.get_by_label(re.compile("Body mass"))).to_have_value("4321")
    monkeypatch.setattr(inference, "predict", predict_for_real)
    predict(page)
    expect(page.locator(".outcome")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_person_who_was_signed_out_meanwhile_is_told_and_the_values_stay(loaded_site: str, page_as: PageAs):
    page = open_form(page_as(), loaded_site)
    page.get_by_label(re.compile("Body mass")).fill("4321")
    page.context.clear_cookies(name="sessionid")

    predict(page)

    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    expect(page.get_by_label(re.compile("Body mass"))).to_have_value("4321")
    assert not Prediction.objects.exists()


def test_form_works_without_its_script(loaded_site: str, page_as: PageAs):
    page = page_as(roles.PREDICTOR, script=False, width="phone")
    page.goto(f"{loaded_site}/models/penguins/")
    page.locator(".examples a").first.click()

    predict(page)

    page.wait_for_url("**/predictions/**")
    expect(page.locator(".outcome")).to_have_text(Prediction.objects.get().outcome_words)


def test_answer_fits_a_phone(loaded_site: str, page_as: PageAs):
    page = open_form(page_as(theme="dark", width="phone"), loaded_site)

    predict(page)

    expect(page.locator(".result")).to_be_focused()
    expect(page.locator(".outcome")).to_be_in_viewport()
    assert not is_too_wide(page)
    assert violations(page) == []
