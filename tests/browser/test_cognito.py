"""Signing in by a user pool in a browser: by managed login and by the portal's own forms, and what may come in between.

The page of managed login is the emulator's; it lies on another site than the portal, as Cognito's does.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.cache import cache
from playwright.sync_api import Page, expect

from portal.accounts import roles
from portal.accounts.cognito import sessions
from portal.accounts.cognito.forms import PASSWORD_RULES
from portal.accounts.cognito.views import authenticator, confirming, leaving, managed
from portal.accounts.cognito.views import passwords as password_pages
from portal.accounts.models import User
from portal.errors import NotLetIn
from portal.gateways.cognito import id_tokens, passwords, tokens
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations
from tests.user_pool import BETTER, CODE, PASSWORD, TEMPORARY, UserPool, make_pool, totp

# The pool is an emulator of its own: the same whatever stands behind the portal.
pytestmark = [pytest.mark.browser, pytest.mark.embedded]


@pytest.fixture
def site(live_server: Any, settled: None) -> str:
    """The portal's address. Nothing of these journeys needs the stack."""
    cache.clear()
    roles.write_roles(Group.objects, Permission.objects)
    return str(live_server.url)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill_managed_login(page: Page, pool: UserPool, address: str, password: str = PASSWORD) -> None:
    expect(page).to_have_url(re.compile(rf"^{re.escape(pool.endpoint)}/oauth2/authorize"))
    page.get_by_label("Username").fill(address)
    page.get_by_label("Password").fill(password)
    press(page, "Sign in")


def fill_form(page: Page, site: str, address: str, password: str = PASSWORD) -> None:
    page.goto(f"{site}/sign-in/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(password)
    press(page, "Sign in")


def fill_new_password(page: Page, password: str = BETTER) -> None:
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password, again").fill(password)
    press(page, "Set the password")


def expect_in(page: Page, site: str, address: str) -> None:
    expect(page).to_have_url(f"{site}/")
    expect(page.locator("details.menu summary")).to_have_text(address)


def sign_out(page: Page) -> None:
    page.locator("details.menu summary").click()
    press(page, "Sign out")


def kept_session() -> tuple[Session, dict[str, Any]]:
    """The one session that Cognito opened."""
    rows = [(row, row.get_decoded()) for row in Session.objects.all()]
    return next((row, data) for row, data in rows if sessions.KEY in data)


def end_the_id_token() -> None:
    """As if the hour that an ID token is good for were over."""
    row, data = kept_session()
    data[sessions.KEY]["expires_at"] = int(time.time())
    row.session_data = Session.objects.encode(data)
    row.save()


def forget_the_confirmation() -> None:
    """As if the password had been typed longer ago."""
    row, data = kept_session()
    data[sessions.KEY]["confirmed_at"] = 0
    row.session_data = Session.objects.encode(data)
    row.save()


def test_managed_login_leads_there_and_back_to_the_page_that_was_wanted(by_managed_login, site: str, page_as: PageAs):
    address, page = by_managed_login.add("predictor"), page_as(None)
    page.goto(f"{site}/history/")
    keep(page, "cognito-managed-door")

    press(page, "Sign in")
    expect(page.get_by_label("Password")).to_be_visible()
    keep(page, "cognito-managed-there")
    fill_managed_login(page, by_managed_login, address)

    expect(page).to_have_url(f"{site}/history/")
    expect(page.locator("details.menu summary")).to_have_text(address)


def test_managed_login_with_a_wrong_password_stays_there_until_it_is_right(
    by_managed_login, site: str, page_as: PageAs
):
    address, page = by_managed_login.add("predictor"), page_as(None)
    page.goto(f"{site}/sign-in/")
    press(page, "Sign in")

    fill_managed_login(page, by_managed_login, address, "wrong")
    expect(page.get_by_text("Incorrect username or password.")).to_be_visible()
    page.get_by_label("Username").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")

    expect_in(page, site, address)


def test_managed_login_has_a_temporary_password_replaced(by_managed_login: UserPool, site: str, page_as: PageAs):
    address, page = by_managed_login.add("viewer", is_new=True), page_as(None)
    page.goto(f"{site}/sign-in/")
    press(page, "Sign in")

    fill_managed_login(page, by_managed_login, address, TEMPORARY)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("Confirm new password").fill(BETTER)
    press(page, "Update password")

    expect_in(page, site, address)


def test_sign_out_by_managed_login_ends_both_sessions(by_managed_login: UserPool, site: str, page_as: PageAs):
    address, page = by_managed_login.add("viewer"), page_as(None)
    page.goto(f"{site}/sign-in/")
    press(page, "Sign in")
    fill_managed_login(page, by_managed_login, address)
    expect_in(page, site, address)
    token = sessions.unseal(kept_session()[1][sessions.KEY]["refresh_token"])
    visited: list[str] = []
    page.on("request", lambda request: visited.append(request.url) if request.is_navigation_request() else None)

    sign_out(page)

    expect(page.get_by_text(leaving.OUT)).to_be_visible()
    keep(page, "cognito-managed-signed-out")
    assert [url.partition("?")[0] for url in visited] == [
        f"{site}/sign-out/",
        f"{by_managed_login.endpoint}/logout",
        f"{site}/sign-in/",
    ]
    with pytest.raises(NotLetIn):
        tokens.refresh(token, client_id=by_managed_login.client_id)
    page.goto(f"{site}/")
    expect(page).to_have_url(f"{site}/sign-in/?next=/")


def test_sign_in_that_was_begun_elsewhere_is_a_plain_page_that_leads_on(by_managed_login, site: str, page_as: PageAs):
    address, page = by_managed_login.add("viewer"), page_as(None)
    page.goto(f"{site}/accounts/oidc/cognito/login/callback/?code=x&state=of-somebody-else")
    expect(page.get_by_text(managed.UNKNOWN_STATE)).to_be_visible()
    keep(page, "cognito-failed")

    page.get_by_role("link", name="Try again").click()
    press(page, "Sign in")
    fill_managed_login(page, by_managed_login, address)

    expect_in(page, site, address)


def test_token_of_another_pool_opens_nothing(by_managed_login: UserPool, site: str, page_as: PageAs, monkeypatch):
    other = make_pool(by_managed_login.endpoint, origin=site)
    stolen = tokens.Tokens(by_managed_login.client_id, other.tokens(other.add("admin"))["IdToken"])
    monkeypatch.setattr(tokens, "exchange_code", lambda code, **more: stolen)
    address, page = by_managed_login.add("viewer"), page_as(None)
    page.goto(f"{site}/sign-in/")
    press(page, "Sign in")

    fill_managed_login(page, by_managed_login, address)

    expect(page.get_by_text(id_tokens.REFUSED)).to_be_visible()
    assert not User.objects.exists()


def test_access_token_instead_of_an_id_token_opens_nothing(by_managed_login, site: str, page_as: PageAs, monkeypatch):
    address, page = by_managed_login.add("admin"), page_as(None)
    given = tokens.Tokens(by_managed_login.client_id, by_managed_login.tokens(address)["AccessToken"])
    monkeypatch.setattr(tokens, "exchange_code", lambda code, **more: given)
    page.goto(f"{site}/sign-in/")
    press(page, "Sign in")

    fill_managed_login(page, by_managed_login, address)

    expect(page.get_by_text(id_tokens.REFUSED)).to_be_visible()
    assert not User.objects.exists()


def test_form_with_a_wrong_password_keeps_the_address_and_then_lets_in(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("predictor"), page_as(None)

    fill_form(page, site, address, "wrong")
    expect(page.get_by_role("alert")).to_have_text(passwords.NO_MATCH)
    keep(page, "cognito-forms-wrong")
    expect(page.get_by_label("E-mail address")).to_have_value(address)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")

    expect_in(page, site, address)


def test_form_for_a_temporary_password_says_the_rules_and_lets_in(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer", is_new=True), page_as(None)

    fill_form(page, site, address, TEMPORARY)
    expect(page.get_by_text(PASSWORD_RULES)).to_be_visible()
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill("something else")
    press(page, "Set the password")
    expect(page.get_by_text("The two are not alike.")).to_be_visible()
    keep(page, "cognito-forms-new-password")
    fill_new_password(page)

    expect_in(page, site, address)


def test_form_for_a_forgotten_password_goes_from_code_to_a_new_one(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None)
    page.goto(f"{site}/sign-in/")
    page.get_by_role("link", name="Forgotten the password?").click()
    page.get_by_label("E-mail address").fill(address)
    press(page, "Send the code")
    expect(page.get_by_text(password_pages.SENT)).to_be_visible()
    keep(page, "cognito-forms-code-sent")

    page.get_by_label("Code").fill("000000")
    fill_new_password(page)
    expect(page.get_by_text(passwords.WRONG_CODE)).to_be_visible()
    page.get_by_label("Code").fill(CODE)
    fill_new_password(page, "short")
    expect(page.get_by_text("it is too short")).to_be_visible()
    keep(page, "cognito-forms-password-refused")
    page.get_by_label("Code").fill(CODE)
    fill_new_password(page)

    expect(page.get_by_text(password_pages.CHANGED)).to_be_visible()
    fill_form(page, site, address, BETTER)
    expect_in(page, site, address)


def test_form_for_an_authenticator_takes_its_code_alone(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None)
    secret = by_forms.add_authenticator(address)

    fill_form(page, site, address)
    page.get_by_label("Code").fill("000000")
    press(page, "Go on")
    expect(page.get_by_text(passwords.WRONG_TOTP)).to_be_visible()
    keep(page, "cognito-forms-authenticator")
    page.get_by_label("Code").fill(totp(secret))
    press(page, "Go on")

    expect_in(page, site, address)


def test_session_past_its_token_goes_on_with_todays_groups(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None)
    fill_form(page, site, address)
    expect_in(page, site, address)
    by_forms.group(address, "model-owner")
    end_the_id_token()

    page.goto(f"{site}/")

    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Console")).to_be_visible()


def test_session_of_somebody_switched_off_in_the_pool_ends_with_a_sentence(by_forms, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None)
    fill_form(page, site, address)
    expect_in(page, site, address)
    by_forms.admin.admin_disable_user(UserPoolId=by_forms.id, Username=address)
    end_the_id_token()

    page.goto(f"{site}/history/")

    expect(page).to_have_url(f"{site}/sign-in/?next=/history/")
    expect(page.get_by_text(tokens.ENDED)).to_be_visible()
    keep(page, "cognito-session-ended")


def test_sign_out_by_forms_ends_session_and_token(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None)
    fill_form(page, site, address)
    expect_in(page, site, address)
    token = sessions.unseal(kept_session()[1][sessions.KEY]["refresh_token"])

    sign_out(page)

    expect(page.get_by_text(leaving.OUT)).to_be_visible()
    with pytest.raises(NotLetIn):
        tokens.refresh(token, client_id=by_forms.public_client_id)


def test_person_without_a_role_is_in_and_told_whom_to_ask(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("accountants"), page_as(None)

    fill_form(page, site, address)

    expect_in(page, site, address)
    expect(page.get_by_text("Ask an administrator")).to_be_visible()
    keep(page, "cognito-no-role")
    page.goto(f"{site}/account/")
    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_visible()
    expect(page.get_by_text("Change password")).to_have_count(0)
    keep(page, "cognito-account")


def test_app_is_added_on_ones_account_asked_for_and_removed_again(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None)
    fill_form(page, site, address)
    expect_in(page, site, address)

    page.goto(f"{site}/account/")
    page.get_by_role("link", name="Add an authenticator app").click()
    expect(page.get_by_alt_text("QR code with the key below")).to_be_visible()
    keep(page, "cognito-app")
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Code").fill("000000")
    press(page, "Add the app")
    expect(page.get_by_text(passwords.WRONG_TOTP)).to_be_visible()
    expect(page.locator("code.secret")).to_have_text(secret)
    page.get_by_label("Code").fill(totp(secret))
    press(page, "Add the app")
    expect(page.get_by_text(authenticator.ADDED)).to_be_visible()
    keep(page, "cognito-account-with-app")

    sign_out(page)
    fill_form(page, site, address)
    page.get_by_label("Code").fill(totp(secret))
    press(page, "Go on")
    expect_in(page, site, address)

    forget_the_confirmation()
    page.goto(f"{site}/account/")
    page.get_by_role("link", name="Remove").click()
    page.get_by_label("Password").fill("wrong")
    press(page, "Confirm")
    expect(page.get_by_text(confirming.NOT_YOURS)).to_be_visible()
    keep(page, "cognito-confirm")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Confirm")
    page.get_by_label("Code").fill(totp(secret))
    press(page, "Confirm")
    expect(page.get_by_role("heading", name="Remove the authenticator app?")).to_be_visible()
    keep(page, "cognito-app-remove")
    press(page, "Remove the app")
    expect(page.get_by_text(authenticator.REMOVED)).to_be_visible()
    expect(page.get_by_role("link", name="Add an authenticator app")).to_be_visible()


def test_app_is_added_by_managed_login_after_it_has_asked_again(by_managed_login, site: str, page_as: PageAs):
    address, page = by_managed_login.add("viewer"), page_as(None)
    page.goto(f"{site}/sign-in/")
    press(page, "Sign in")
    fill_managed_login(page, by_managed_login, address)
    expect_in(page, site, address)
    forget_the_confirmation()

    page.goto(f"{site}/account/app/")
    keep(page, "cognito-confirm-managed")
    press(page, "Confirm")
    fill_managed_login(page, by_managed_login, address)
    expect(page).to_have_url(f"{site}/account/app/")
    page.get_by_label("Code").fill(totp(page.locator("code.secret").inner_text()))
    press(page, "Add the app")

    expect(page.get_by_text(authenticator.ADDED)).to_be_visible()


def test_session_ended_from_another_browser_is_over_at_cognito_too(by_forms: UserPool, site: str, page_as: PageAs):
    address, there, here = by_forms.add("viewer"), page_as(None), page_as(None)
    fill_form(there, site, address)
    expect_in(there, site, address)
    token = sessions.unseal(kept_session()[1][sessions.KEY]["refresh_token"])
    fill_form(here, site, address)

    here.goto(f"{site}/account/")
    here.get_by_role("button", name="Sign out there").click()

    expect(here.get_by_text("You are signed out there.")).to_be_visible()
    with pytest.raises(NotLetIn):
        tokens.refresh(token, client_id=by_forms.public_client_id)
    there.goto(f"{site}/")
    expect(there).to_have_url(f"{site}/sign-in/?next=/")


def test_forms_work_without_script(by_forms: UserPool, site: str, page_as: PageAs):
    address, page = by_forms.add("viewer"), page_as(None, script=False)

    fill_form(page, site, address)

    expect_in(page, site, address)


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_door_and_failure_of_managed_login_look_right(by_managed_login, site: str, page_as: PageAs, theme, width):
    page = page_as(None, theme=theme, width=width)
    callback = "/accounts/oidc/cognito/login/callback/"

    for name, path in {"door": "/sign-in/?next=/history/", "failed": f"{callback}?state=x&code=y"}.items():
        page.goto(f"{site}{path}")
        keep(page, f"cognito-{name}-{theme}-{width}")
        assert violations(page) == [] and not is_too_wide(page)


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_account_and_its_app_look_right(by_forms: UserPool, site: str, page_as: PageAs, theme: str, width: str):
    page, address = page_as(None, theme=theme, width=width), by_forms.add("viewer")
    fill_form(page, site, address)
    expect_in(page, site, address)

    def look(name: str) -> None:
        page.goto(f"{site}/account/{name}")
        keep(page, f"cognito-account-{name.replace('/', '-')}{theme}-{width}")
        assert violations(page) == [] and not is_too_wide(page)

    for name in ("", "app/", "app/remove/", "confirm/"):
        look(name)
    by_forms.add_authenticator(address)
    look("")


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_forms_look_right(by_forms: UserPool, site: str, page_as: PageAs, theme: str, width: str):
    page, new, careful = page_as(None, theme=theme, width=width), by_forms.add(is_new=True), by_forms.add()
    by_forms.add_authenticator(careful)

    def look(name: str) -> None:
        keep(page, f"cognito-{name}-{theme}-{width}")
        assert violations(page) == [] and not is_too_wide(page)

    for name in ("forgotten", "reset"):
        page.goto(f"{site}/sign-in/{name}/")
        look(name)
    press(page, "Set the password")
    fill_form(page, site, new, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    look("sign-in")
    fill_form(page, site, careful)
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    look("code")
    fill_form(page, site, new, TEMPORARY)
    page.get_by_label("New password", exact=True).fill(BETTER)
    page.get_by_label("New password, again").fill("x")
    press(page, "Set the password")
    expect(page.get_by_text("The two are not alike.")).to_be_visible()
    look("new-password")
