"""Signing in to the published page, staying in, and getting out."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.session import Session
from playwright.sync_api import Page, expect

from portal.accounts.cognito import forms
from portal.accounts.cognito.views import leaving
from portal.accounts.cognito.views import passwords as password_pages
from portal.gateways.cognito import client, passwords, tokens
from tests.browser.conftest import LOOKS, is_too_wide, keep, violations
from tests.browser.published.conftest import OpenPage, Published, expect_in, fill, press
from tests.user_pool import BETTER, CODE, PASSWORD, TEMPORARY, totp

# The pool is an emulator of its own: the same whatever stands behind the portal.
pytestmark = [pytest.mark.browser, pytest.mark.embedded]
KNOWN_STEPS = {"PASSWORD_VERIFIER", passwords.NEW_PASSWORD, passwords.TOTP}


def fill_new_password(page: Page, password: str = BETTER) -> None:
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password, again").fill(password)
    press(page, "Set the password")


def sign_out(page: Page) -> None:
    page.locator("details.menu summary").click()
    press(page, "Sign out")


def kept(page: Page) -> Any:
    return page.evaluate("JSON.parse(sessionStorage.getItem('portico.session'))")


def set_clock_of_token(page: Page, *, ahead_s: int) -> None:
    """As if the sign-in service's clock had gone on by so much since the token was made."""
    page.evaluate(
        """seconds => {
            const kept = JSON.parse(sessionStorage.getItem("portico.session"));
            kept.ahead += seconds * 1000;
            sessionStorage.setItem("portico.session", JSON.stringify(kept));
        }""",
        ahead_s,
    )
    page.reload()


def id_token(published: Published, page: Page) -> str:
    return published.run(page, "session", "return it.session.idToken()")


def test_first_sign_in_with_a_temporary_password_has_it_replaced(published: Published, open_page: OpenPage):
    address, page = published.pool.add("predictor", is_new=True), open_page()

    fill(page, address, TEMPORARY)
    expect(page.get_by_text(forms.PASSWORD_RULES)).to_be_visible()
    keep(page, "site-new-password")
    fill_new_password(page)

    expect_in(page, address)
    assert published.pool.tokens(address, BETTER)["IdToken"]


def test_new_passwords_that_are_not_alike_are_sent_nowhere(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer", is_new=True), open_page()
    fill(page, address, TEMPORARY)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill("something else")

    press(page, "Set the password")

    again = page.get_by_label("New password, again")
    expect(page.get_by_text(forms.NOT_ALIKE)).to_be_visible()
    expect(again).to_be_focused()
    expect(again).to_have_attribute("aria-invalid", "true")
    expect(again).to_have_accessible_description(forms.NOT_ALIKE)


def test_wrong_password_says_the_same_as_nobody_of_that_name(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()

    for name in (address, "nobody@example.org"):
        fill(page, name, "Wrong-password-1")
        expect(page.get_by_role("alert")).to_have_text(passwords.NO_MATCH)
        expect(page.get_by_label("E-mail address")).to_have_value(name)
        expect(page.get_by_label("Password")).to_have_value("")
        expect(page.get_by_label("Password")).to_be_focused()
    keep(page, "site-wrong-password")
    fill(page, address)

    expect_in(page, address)


def test_password_never_leaves_the_page(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))

    fill(page, address)
    expect_in(page, address)

    assert any("SRP_A" in body for body in sent)
    assert not any(PASSWORD in body for body in sent)


@pytest.mark.parametrize(
    "password",
    ["Grüße-aus-Zürich-1", "パスワード-Pass-1", "Two words and 1 blank", "A1" + "é" * 254, 'Quotes"and\\slashes/1aA'],
    ids=["umlauts", "kana", "blanks", "long", "quotes"],
)
def test_password_of_any_characters_is_proved(published: Published, open_page: OpenPage, password: str):
    address, page = published.pool.add("viewer"), open_page()
    published.pool.admin.admin_set_user_password(
        UserPoolId=published.pool.id, Username=address, Password=password, Permanent=True
    )

    fill(page, address, password)

    expect_in(page, address)


def test_proofs_hold_whatever_numbers_come_up(published: Published, open_page: OpenPage):
    """Signed bytes get a nought before them now and then: of twenty proofs, some of each number do."""
    address, page = published.pool.add("viewer"), open_page()

    given = published.run(
        page,
        "cognito",
        """const steps = [];
        for (let turn = 0; turn < 20; turn++) steps.push(await it.signIn(...given));
        return steps.filter((step) => step.tokens?.idToken && step.tokens.refreshToken).length;""",
        address,
        PASSWORD,
    )

    assert given == 20


def test_forgotten_password_goes_from_code_to_a_new_one(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    page.get_by_label("E-mail address").fill(address)
    press(page, "Forgotten the password?")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    press(page, "Send the code")
    expect(page.get_by_text(password_pages.SENT)).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    keep(page, "site-code-sent")

    page.get_by_label("Code").fill("000000")
    fill_new_password(page)
    expect(page.get_by_text(passwords.WRONG_CODE)).to_be_visible()
    page.get_by_label("Code").fill(CODE)
    fill_new_password(page, "short")
    expect(page.get_by_text("it is too short")).to_be_visible()
    fill_new_password(page)

    expect(page.get_by_text(password_pages.CHANGED)).to_be_visible()
    page.get_by_label("Password").fill(BETTER)
    press(page, "Sign in")
    expect_in(page, address)


def test_code_for_nobody_is_answered_as_one_for_somebody(published: Published, open_page: OpenPage):
    page = open_page()
    press(page, "Forgotten the password?")
    page.get_by_label("E-mail address").fill("nobody@example.org")

    press(page, "Send the code")

    expect(page.get_by_text(password_pages.SENT)).to_be_visible()


def test_person_whose_password_was_reset_is_led_to_the_code(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    published.pool.admin.admin_reset_user_password(UserPoolId=published.pool.id, Username=address)

    fill(page, address)

    expect(page.get_by_text(passwords.RESET_FIRST)).to_be_visible()
    expect(page.get_by_role("heading", name="Forgotten the password?")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value(address)


def test_authenticator_is_asked_for_and_takes_its_code_alone(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    secret = published.pool.add_authenticator(address)

    fill(page, address)
    page.get_by_label("Code").fill("12 34")
    press(page, "Go on")
    expect(page.get_by_text("The code is six digits.")).to_be_visible()
    page.get_by_label("Code").fill("000000")
    press(page, "Go on")
    expect(page.get_by_text(passwords.WRONG_TOTP)).to_be_visible()
    keep(page, "site-authenticator")
    code = totp(secret)
    page.get_by_label("Code").fill(f"{code[:3]} {code[3:]}")
    press(page, "Go on")

    expect_in(page, address)


def test_step_that_the_page_does_not_know_is_told(published: Published, open_page: OpenPage):
    shape = Session().get_service_model("cognito-idp").shape_for("ChallengeNameType")
    names = sorted(set(shape.enum) - KNOWN_STEPS)
    page = open_page()
    asked: list[str] = []
    page.route(
        f"{published.pool.endpoint}/",
        lambda route: route.fulfill(json={"ChallengeName": asked[-1], "ChallengeParameters": {}, "Session": "x"}),
    )

    for name in names:
        asked.append(name)
        fill(page, "ada@example.org")
        expect(page.get_by_role("alert")).to_have_text(passwords.UNKNOWN_STEP.format(name=name))

    assert {"SMS_MFA", "EMAIL_OTP", "MFA_SETUP", "WEB_AUTHN"} <= set(names)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, {"__type": "TooManyRequestsException", "message": "Rate exceeded"}, client.TOO_OFTEN),
        (400, {"__type": "NotAuthorizedException", "message": "Password attempts exceeded"}, client.TOO_OFTEN),
        (
            400,
            {
                "__type": "NotAuthorizedException",
                "message": "Temporary password has expired and must be reset by an administrator.",
            },
            passwords.TEMPORARY_EXPIRED,
        ),
        (400, {"__type": "com.amazonaws#UserNotFoundException", "message": "No."}, passwords.NO_MATCH),
        (500, {"__type": "InternalErrorException", "message": "Oops"}, client.AWAY),
        (503, {}, client.AWAY),
    ],
)
def test_refusal_of_the_pool_is_told_in_the_portals_words(published, open_page: OpenPage, status, error, words):
    page = open_page()
    page.route(f"{published.pool.endpoint}/", lambda route: route.fulfill(status=status, json=error))

    fill(page, "ada@example.org")

    expect(page.get_by_role("alert")).to_have_text(words)


def test_service_that_cannot_be_reached_is_told_and_may_be_asked_again(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    page.route(f"{published.pool.endpoint}/", lambda route: route.abort())
    fill(page, address)
    expect(page.get_by_role("alert")).to_have_text(client.AWAY)

    page.unroute(f"{published.pool.endpoint}/")
    fill(page, address)

    expect_in(page, address)


def test_words_are_the_portals(published: Published, open_page: OpenPage):
    page = open_page()
    cognito = published.run(page, "cognito", "return it.WORDS")
    screens = published.run(page, "screens/sign_in", "return it.WORDS")

    theirs = {name: getattr(passwords, name, None) or getattr(client, name, None) for name in cognito}
    # It is this page that asks there.
    theirs["FAULT"] = cognito["FAULT"]
    theirs["ENDED"] = tokens.ENDED

    assert cognito == theirs
    assert screens == {
        "PASSWORD_RULES": forms.PASSWORD_RULES,
        "NOT_ALIKE": forms.NOT_ALIKE,
        "SENT": password_pages.SENT,
        "CHANGED": password_pages.CHANGED,
    }


@pytest.mark.parametrize(
    "said",
    [
        "Password did not conform with policy: Password not long enough",
        "Password did not conform with policy: Password must have uppercase characters",
        "Password must have numeric characters, Password must have symbol characters, lowercase characters",
        "Password may not begin with whitespace",
        "Something new",
    ],
)
def test_what_a_password_lacks_is_told_as_the_portal_does(published: Published, open_page: OpenPage, said: str):
    assert published.run(open_page(), "cognito", "return it.whatItLacks(given[0])", said) == passwords.what_it_lacks(
        said
    )


def test_person_is_known_by_their_token(published: Published, open_page: OpenPage):
    address, page = published.pool.add("predictor", "admin"), open_page()

    fill(page, address)
    expect_in(page, address)

    person = published.run(page, "session", "return it.session.person")
    assert {**person, "groups": sorted(person["groups"])} == {
        "sub": published.pool.sub(address),
        "email": address,
        "groups": ["admin", "predictor"],
    }


def test_session_outlives_a_reload_without_asking_anybody(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)
    token = id_token(published, page)

    page.reload()

    expect_in(page, address)
    assert id_token(published, page) == token


def test_token_about_to_end_is_renewed_once_with_todays_groups(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)
    token = id_token(published, page)
    published.pool.group(address, "predictor")
    time.sleep(1.1)  # tokens of one second are alike
    refreshes: list[str] = []
    page.on("request", lambda request: refreshes.append(request.url) if "REFRESH" in (request.post_data or "") else 0)
    set_clock_of_token(page, ahead_s=3600 - 60)

    asked = "const all = [1, 2, 3].map(() => it.session.idToken()); return Promise.all(all)"
    renewed = published.run(page, "session", asked)

    assert len(set(renewed)) == 1 and renewed[0] != token
    assert len(refreshes) == 1
    assert "predictor" in published.run(page, "session", "return it.session.person.groups")
    expect_in(page, address)


def test_revoked_session_ends_at_the_next_renewal_with_a_sentence(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)
    pool = published.pool
    pool.admin.revoke_token(Token=kept(page)["refreshToken"], ClientId=pool.public_client_id)
    set_clock_of_token(page, ahead_s=3600)

    outcome = published.run(
        page, "session", "return it.session.idToken().catch((error) => [error.constructor.name, error.message])"
    )

    assert outcome == ["SignedOut", tokens.ENDED]
    expect(page.get_by_text(tokens.ENDED)).to_be_visible()
    assert kept(page) is None


def test_renewal_that_cannot_be_asked_for_leaves_the_session(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)
    # First, as the page itself asks for a token now and then.
    page.route(f"{published.pool.endpoint}/", lambda route: route.abort())
    set_clock_of_token(page, ahead_s=3600)

    ask = "return it.session.idToken().then(() => 'in', (error) => error.constructor.name)"
    away = published.run(page, "session", ask)
    page.unroute(f"{published.pool.endpoint}/")
    back = published.run(page, "session", ask)

    assert (away, back) == ("Away", "in")
    expect_in(page, address)


def test_sign_out_ends_session_and_token(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)
    token = kept(page)["refreshToken"]

    sign_out(page)

    expect(page.get_by_text(leaving.OUT)).to_be_visible()
    assert kept(page) is None
    with pytest.raises(published.pool.admin.exceptions.NotAuthorizedException):
        published.pool.admin.initiate_auth(
            ClientId=published.pool.public_client_id,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": token},
        )
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_sign_out_that_the_service_does_not_hear_of_says_so(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)
    page.route(f"{published.pool.endpoint}/", lambda route: route.abort())

    sign_out(page)

    expect(page.get_by_text(leaving.ONLY_HERE)).to_be_visible()


def test_tab_beside_is_in_without_asking_and_out_with_the_first(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    fill(page, address)
    expect_in(page, address)

    second = open_page(beside=page)
    expect_in(second, address)
    assert id_token(published, second) == id_token(published, page)
    sign_out(second)

    expect(page.get_by_text(leaving.OUT)).to_be_visible()
    assert kept(page) is None and kept(second) is None


def test_tab_of_somebody_else_is_left_alone(published: Published, open_page: OpenPage):
    one, other, page = published.pool.add("viewer"), published.pool.add("viewer"), open_page()
    second = open_page(beside=page)
    theirs = published.pool.tokens(other)
    fill(page, one)
    expect_in(page, one)
    expect_in(second, one)

    begin = "it.session.begin({ idToken: given[0], refreshToken: given[1] })"
    published.run(second, "session", begin, theirs["IdToken"], theirs["RefreshToken"])
    expect_in(second, other)
    sign_out(second)

    expect(second.get_by_text(leaving.OUT)).to_be_visible()
    expect_in(page, one)


def test_door_is_used_by_keyboard_alone(published: Published, open_page: OpenPage):
    address, page = published.pool.add("viewer"), open_page()
    expect(page.get_by_label("E-mail address")).to_be_focused()

    for name in ("Password", "Sign in", "Forgotten the password?"):
        page.keyboard.press("Tab")
        found = page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name, exact=True))
        expect(found).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.keyboard.type(address)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect_in(page, address)


def test_address_that_was_wanted_is_kept(published: Published, open_page: OpenPage):
    address, page = published.pool.add("predictor"), open_page(path="#/penguins")
    press(page, "Forgotten the password?")
    press(page, "Back to sign in")

    fill(page, address)
    expect_in(page, address)

    assert page.url == f"{published.url}#/penguins"


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_doors_look_right(published: Published, open_page: OpenPage, theme: str, width: str):
    pool = published.pool
    new, careful = pool.add(is_new=True), pool.add()
    pool.add_authenticator(careful)
    page = open_page(theme=theme, width=width)

    def look(name: str) -> None:
        page.mouse.move(0, 0)
        keep(page, f"site-{name}-{theme}-{width}")
        assert violations(page) == [] and not is_too_wide(page)

    fill(page, new, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    look("sign-in")
    press(page, "Forgotten the password?")
    expect(page.get_by_role("heading", name="Forgotten the password?")).to_be_visible()
    look("forgotten")
    press(page, "I have a code already")
    expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    look("reset")
    press(page, "Back to sign in")
    fill(page, careful)
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    look("code")
    press(page, "Back to sign in")
    fill(page, new, TEMPORARY)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill("x")
    press(page, "Set the password")
    expect(page.get_by_text(forms.NOT_ALIKE)).to_be_visible()
    look("new-password")
