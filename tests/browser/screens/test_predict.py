"""The published page's list of models and its predict screen, against played doors."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import is_too_wide, keep, violations
from tests.browser.screens.conftest import OpenSite
from tests.browser.screens.played import ORIGIN, PlayedSite, answer_of

pytestmark = [pytest.mark.browser, pytest.mark.looks, pytest.mark.django_db]


def predict(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()


def test_models_lead_to_the_form_and_the_form_to_the_answer(open_site: OpenSite, played: PlayedSite):
    page = open_site()
    page.get_by_role("link", name="Penguins", exact=True).click()
    expect(page.get_by_role("heading", name="Penguins")).to_be_focused()
    expect(page).to_have_title("Penguins · Portico")
    page.get_by_role("button", name="A Gentoo").click()

    predict(page)

    expect(page.locator(".outcome")).to_have_text("Gentoo")
    expect(page.locator(".result")).to_be_focused()
    expect(page.locator(".bars .is-answer")).to_contain_text("75.0")
    expect(page.locator(".result .band")).to_have_text("Bad result")
    expect(page.locator("[data-said]")).to_have_text("Species: Gentoo. Bad result")
    row = {"bill_length_mm": 50.5, "island": "Biscoe", "year": 2008}
    assert played.calls == [("POST", "penguins/singlePrediction", row)]
    assert played.headers[0]["accept"] == "application/vnd.portico.prediction+json"
    assert played.tokens == ["token"]


def test_modules_are_asked_for_at_once_and_not_one_after_another(open_site: OpenSite):
    page = open_site()
    expect(page.get_by_role("link", name="Penguins", exact=True)).to_be_visible()

    named = page.evaluate(
        "[...document.querySelectorAll('link[rel=modulepreload], script[src]')].map((link) => link.href || link.src)"
    )
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")

    assert {name for name in loaded if name.endswith(".js")} <= set(named)


def test_page_of_which_a_file_did_not_come_says_so(open_site: OpenSite):
    page = open_site()
    page.route("**/js/pages.js", lambda route: route.abort())

    page.reload()

    expect(page.get_by_role("alert")).to_have_text("This page did not load completely. Load it again in a moment.")


def test_bad_values_are_told_at_once_and_not_sent(open_site: OpenSite, played: PlayedSite):
    page = open_site("#/penguins")
    field = page.get_by_label("Bill length")
    field.fill("abc")

    predict(page)

    expect(page.get_by_text("“abc” is not a number.")).to_be_visible()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    expect(page.get_by_text("Some values need a second look. Nothing was sent.")).to_be_visible()
    expect(field).to_be_focused()
    assert played.calls == []


def test_field_that_is_put_right_says_nothing_any_more(open_site: OpenSite):
    page = open_site("#/penguins")
    page.get_by_label("Island").select_option("Dream")
    field = page.get_by_label("Bill length")
    field.fill("abc")
    predict(page)

    field.fill("44,5")
    field.blur()

    expect(page.locator(".errorlist")).to_have_count(0)
    expect(page.locator("[data-problem]")).to_have_count(0)
    assert field.get_attribute("aria-invalid") is None


def refused(code: str, message: str, **fields: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message, "fields": fields}, "message": message}


def test_button_stays_under_the_pointer_once_what_was_wrong_is_put_right(open_site: OpenSite, played: PlayedSite):
    page = open_site("#/penguins", width=360)
    page.get_by_label("Island").select_option("Dream")
    field = page.get_by_label("Bill length")
    field.fill("a lot")
    predict(page)
    field.press("Control+a")
    page.keyboard.type("47.5")

    predict(page)

    expect(page.locator(".result .outcome")).to_be_visible()
    assert len(played.calls) == 1


def test_values_that_the_model_refuses_are_told_at_their_fields(open_site: OpenSite, played: PlayedSite):
    said = refused("bad_input", "Some values cannot be used.", island="'Dream' is unknown", ghost="is missing")
    played.api = lambda method, path, body: (400, said)
    page = open_site("#/penguins")
    page.get_by_label("Island").select_option("Dream")

    predict(page)

    expect(page.get_by_label("Island")).to_be_focused()
    expect(page.locator("#id_f1_error")).to_have_text("'Dream' is unknown")
    expect(page.locator("[data-problem]")).to_have_text("ghost: is missing")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, refused("away", "The service is busy."), "The service is busy."),
        (429, {"message": "Too Many Requests"}, "Too many are asking just now. Try again in a moment."),
        (504, {"message": "Endpoint request timed out"}, "The prediction service cannot be reached just now."),
        (500, {"message": "Internal server error"}, "The prediction service cannot be reached just now."),
        (404, refused("unknown_model", "There is no model of that name."), "There is no model of that name."),
        (401, {"message": "Unauthorized"}, "The prediction service does not know your sign-in."),
        (200, {"prediction": None}, "The prediction service gave an unreadable answer."),
    ],
)  # fmt: skip
def test_lack_of_an_answer_is_told_and_the_values_stay(
    open_site: OpenSite, played: PlayedSite, status: int, body: dict[str, Any], words: str
):
    played.api = lambda *asked: (status, body)
    page = open_site("#/penguins")
    page.get_by_label("Island").select_option("Dream")
    page.get_by_label("Bill length").fill("50")

    predict(page)

    expect(page.get_by_role("alert")).to_contain_text(f"No answer. {words}")
    expect(page.get_by_label("Bill length")).to_have_value("50")
    expect(page.get_by_role("button", name="Predict")).to_be_enabled()


def test_token_that_the_api_does_not_know_is_renewed_once(
    open_site: OpenSite, played: PlayedSite, penguins: dict[str, Any]
):
    played.api = lambda *asked: (401, {}) if len(played.calls) == 1 else (200, answer_of(penguins))
    page = open_site("#/penguins")
    page.get_by_label("Island").select_option("Dream")

    predict(page)

    expect(page.locator(".outcome")).to_have_text("Gentoo")
    assert played.tokens == ["token", "renewed"]


def next_version(page: dict[str, Any]) -> dict[str, Any]:
    """Without the year, with the sex, and with another range."""
    after = copy.deepcopy(page) | {"version": 2}
    after["features"][0]["maximum"] = 70
    after["features"][2] |= {
        "name": "sex",
        "label": "Sex",
        "kind": "choice",
        "choices": [["f", "Female"]],
        "default": "",
    }
    return after


def test_version_that_goes_live_meanwhile_is_told_and_typed_values_stay(
    open_site: OpenSite, played: PlayedSite, penguins: dict[str, Any]
):
    page = open_site("#/penguins")
    page.get_by_label("Island").select_option("Dream")
    page.get_by_label("Bill length").fill("51")
    played.publish(next_version(penguins))

    page.evaluate("window.dispatchEvent(new Event('focus'))")

    news = "Version 2 has become live. New: Sex. No longer asked for: year. Asked for in another way: Bill length."
    expect(page.get_by_text(news)).to_be_visible()
    expect(page.get_by_label("Bill length")).to_have_value("51")
    expect(page.get_by_label("Bill length")).to_be_focused()
    expect(page.get_by_label("Island")).to_have_value("Dream")
    expect(page.get_by_label("Sex")).to_be_visible()
    expect(page.locator(".field")).to_have_count(3)


def test_answer_of_another_version_brings_that_versions_words(
    open_site: OpenSite, played: PlayedSite, penguins: dict[str, Any]
):
    after = copy.deepcopy(penguins) | {"version": 2, "class_words": {"Gentoo": "A gentoo penguin"}}
    played.api = lambda *asked: (200, answer_of(after))
    page = open_site("#/penguins")
    page.get_by_label("Island").select_option("Dream")
    played.publish(after)

    predict(page)

    expect(page.locator(".outcome")).to_have_text("A gentoo penguin")
    expect(page.locator(".result")).to_contain_text("Penguins, version 2")
    expect(page.get_by_text("Version 2 has become live. Results are worded in another way.")).to_be_visible()


def test_model_that_is_taken_down_says_so(open_site: OpenSite, played: PlayedSite):
    page = open_site("#/penguins")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    played.objects = {}

    page.evaluate("window.dispatchEvent(new Event('focus'))")

    expect(page.get_by_text("This model is no longer live.")).to_be_visible()


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        ("all", "Each answer is kept in the history of your team’s portal: values and results."),
        ("outputs", "Each answer is kept in the history of your team’s portal: results alone, not the values."),
        ("off", "Nothing that you ask here is kept in the history."),
    ],
)
def test_page_says_what_is_kept(
    open_site: OpenSite, played: PlayedSite, penguins: dict[str, Any], capture: str, words: str
):
    played.publish(penguins | {"capture": capture})

    page = open_site("#/penguins")

    expect(page.locator(".kept")).to_have_text(words)


@pytest.mark.parametrize(
    ("groups", "said"),
    [((), "Your account has no role yet. Ask an administrator for one."), (("viewer",), "needs the role predictor")],
)
def test_person_who_may_not_ask_sees_no_form(
    open_site: OpenSite, played: PlayedSite, groups: tuple[str, ...], said: str
):
    played.groups = groups
    page = open_site()
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_role("link", name="Penguins", exact=True)).to_have_count(0)

    page.goto(f"{ORIGIN}/#/penguins")

    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()
    expect(page.get_by_role("button", name="Predict")).to_have_count(0)


@pytest.mark.parametrize("hash_", ["#/nowhere", "#/penguins/x", "#/Penguins", "#content"])
def test_address_of_nothing_says_so(open_site: OpenSite, hash_: str):
    page = open_site(hash_)

    expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_sign_out_leads_to_the_door(open_site: OpenSite):
    page = open_site("#/penguins")
    page.get_by_label("Bill length").fill("51")
    page.get_by_text("ada@example.org").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()


def test_values_are_there_again_after_another_screen(open_site: OpenSite):
    page = open_site("#/penguins")
    page.get_by_label("Bill length").fill("51")
    page.get_by_role("link", name="Score a file").click()
    expect(page).to_have_title("Score a file · Penguins · Portico")

    page.get_by_role("link", name="Predict one").click()

    expect(page.get_by_label("Bill length")).to_have_value("51")


def test_form_is_filled_in_and_sent_by_keyboard_alone(open_site: OpenSite, played: PlayedSite):
    page = open_site()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Penguins")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")  # the two tabs, the example
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    page.keyboard.press("Enter")

    expect(page.locator(".outcome")).to_have_text("Gentoo")
    assert played.calls[0][2]["island"] == "Biscoe"


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_screens_have_nothing_for_axe_and_fit_their_window(open_site: OpenSite, theme: str, width: int):
    page, found = open_site(theme=theme, width=width), {}

    def look(name: str) -> None:
        keep(page, f"site-{name}-{theme}-{width}")
        problems = violations(page) + (["wider than the window"] if is_too_wide(page) else [])
        found.update({name: problems} if problems else {})

    expect(page.get_by_role("link", name="Penguins", exact=True)).to_be_visible()
    look("models")
    page.goto(f"{ORIGIN}/#/penguins")
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    look("predict")
    predict(page)
    expect(page.locator(".errorlist")).to_be_visible()
    look("predict-problems")
    page.get_by_role("button", name="A Gentoo").click()
    predict(page)
    expect(page.locator(".outcome")).to_be_visible()
    look("predict-answer")
    page.goto(f"{ORIGIN}/#/penguins/file")
    expect(page.get_by_role("button", name="Score the file")).to_be_visible()
    look("file")

    assert found == {}
