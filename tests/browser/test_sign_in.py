"""Signing in as people do: by password, by code, by passkey; their account's pages in every theme and width."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import Page, expect

from portal.accounts import roles
from tests.browser.conftest import LOOKS, PageAs, is_too_wide, keep, violations
from tests.portal.accounts.codes import code_now

pytestmark = [pytest.mark.browser, pytest.mark.looks]
PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """An authenticator of Chromium's own making: a phone that is unlocked at once, or refuses to be."""

    def __init__(self, page: Page) -> None:
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})["authenticatorId"]

    def lock(self) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})

    def keys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found


def give_password(page: Page, site: str, name: str = "predictor", password: str = "") -> None:
    page.goto(site + reverse("account_login"))
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password or f"{name}-password")
    page.get_by_role("button", name="Sign in").click()


def confirm(page: Page, name: str = "predictor") -> None:
    page.get_by_label("Password").fill(f"{name}-password")
    page.get_by_role("button", name="Confirm").click()


def sign_out(page: Page) -> None:
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def add_passkey(page: Page, site: str, name: str) -> None:
    page.goto(site + reverse("mfa_index"))
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def test_passkey_is_added_opens_the_door_is_renamed_and_removed(site: str, page_as: PageAs):
    page = page_as()
    device = Device(page)

    add_passkey(page, site, "Phone")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/")

    page.goto(site + reverse("mfa_index"))
    expect(page.get_by_text("last used just now")).to_be_visible()
    page.get_by_role("link", name="Rename Phone").click()
    confirm(page)
    page.get_by_label("Name").fill("Blue phone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Rename Blue phone")).to_be_visible()
    keep(page, "account-with-passkey")
    page.get_by_role("link", name="Remove Blue phone").click()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("The passkey was removed")).to_be_visible()

    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("That passkey opens no account here.")).to_be_visible()
    keep(page, "sign-in-passkey-refused")
    assert len(device.keys()) == 1


def test_passkey_is_the_second_step_after_a_password(site: str, page_as: PageAs):
    page = page_as()
    Device(page)
    add_passkey(page, site, "Phone")
    page.wait_for_url("**/codes/")
    sign_out(page)

    give_password(page, site)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Use a passkey").click()

    page.wait_for_url(f"{site}/")


def test_passkey_of_a_device_that_stays_locked_is_refused_in_words(site: str, page_as: PageAs):
    page = page_as()
    device = Device(page)
    add_passkey(page, site, "Phone")
    page.wait_for_url("**/codes/")
    sign_out(page)
    device.lock()

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("alert")).to_have_text(
        "The browser handed no passkey over. Try again, or take another way."
    )
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()


def test_passkey_of_somebody_switched_off_is_refused_in_the_words_for_a_wrong_password(site: str, page_as: PageAs):
    page = page_as()
    Device(page)
    add_passkey(page, site, "Phone")
    page.wait_for_url("**/codes/")
    sign_out(page)
    get_user_model().objects.update(is_active=False)

    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_text("That name and password do not belong together.")).to_be_visible()


def test_passkey_confirms_in_the_passwords_place(site: str, page_as: PageAs):
    page = page_as()
    Device(page)
    add_passkey(page, site, "Phone")
    page.wait_for_url("**/codes/")
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/")

    page.goto(site + reverse("mfa_generate_recovery_codes"))
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_role("heading", name="Make new recovery codes?")).to_be_visible()


def test_app_is_added_and_asked_for_without_javascript_by_keyboard(site: str, page_as: PageAs):
    page = page_as(script=False)

    def type_into(label: str, *texts: str) -> None:
        """The field has the focus by itself; from one to the next it is a tab."""
        expect(page.get_by_label(label)).to_be_focused()
        for text in texts[:-1]:
            page.keyboard.type(text)
            page.keyboard.press("Tab")
        page.keyboard.type(texts[-1])
        page.keyboard.press("Enter")

    page.goto(site + reverse("mfa_activate_totp"))
    type_into("Password", "predictor-password")
    type_into("Code", code_now(page.locator(".secret").inner_text()))
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".codes code").all_inner_texts()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    kept = download.value.path().read_text().split()
    sign_out(page)
    type_into("Username", "predictor", "predictor-password")
    type_into("Code", codes[0])

    page.wait_for_url(f"{site}/")
    assert kept == codes and len(codes) == 10


def test_browser_signed_out_from_elsewhere_is_out(site: str, page_as: PageAs):
    here, there = page_as(), page_as(width="phone")

    here.goto(site + reverse("mfa_index"))
    here.get_by_role("button", name=re.compile("^Sign out there")).click()
    expect(here.get_by_text("You are signed out there.")).to_be_visible()
    there.goto(f"{site}/history/")

    assert there.url.startswith(f"{site}/sign-in/")


def test_sixth_try_is_told_when_to_come_back(site: str, page_as: PageAs):
    page = page_as(None)
    for _ in range(6):
        give_password(page, site, password="wrong")

    expect(page.get_by_role("alert")).to_have_text("Too many tries failed. Try again in 5 minutes.")
    keep(page, "sign-in-refused")
    assert violations(page) == []


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_pages_of_the_account_have_nothing_for_axe_and_fit(site: str, page_as: PageAs, theme: str, width: str):
    page = page_as(roles.MODEL_OWNER, theme=theme, width=width)
    user = get_user_model().objects.get()
    other = page_as(roles.MODEL_OWNER, theme=theme, width="desk")
    found, too_wide = {}, []

    def look(name: str) -> None:
        keep(page, f"{name}-{theme}-{width}")
        if seen := violations(page):
            found[name] = seen
        if is_too_wide(page):
            too_wide.append(name)

    def expect_heading(words: str) -> None:
        expect(page.get_by_role("heading", name=words)).to_be_visible()

    def open_page(name: str, address: str, *arguments: int) -> None:
        page.goto(site + reverse(address, args=arguments))
        look(name)

    open_page("account-without", "mfa_index")
    open_page("password", "account_change_password")
    page.goto(site + reverse("mfa_activate_totp"))
    look("confirm")
    confirm(page, "model-owner")
    expect_heading("Add an authenticator app")
    look("app")
    page.get_by_label("Code").fill(code_now(page.locator(".secret").inner_text()))
    page.get_by_role("button", name="Add the app").click()
    expect_heading("Recovery codes")
    look("codes")
    key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "Phone", "credential": {}})
    open_page("account", "mfa_index")
    open_page("codes-seen", "mfa_view_recovery_codes")
    open_page("codes-new", "mfa_generate_recovery_codes")
    open_page("app-remove", "mfa_deactivate_totp")
    open_page("passkey-rename", "mfa_edit_webauthn", key.pk)
    open_page("passkey-remove", "mfa_remove_webauthn", key.pk)
    open_page("sign-out", "account_logout")
    key.delete()
    open_page("passkey-add", "mfa_add_webauthn")
    sign_out(page) if width == "desk" else page.context.clear_cookies()
    give_password(page, site, "model-owner")
    expect_heading("One more step")
    look("second-step")
    other.close()

    assert found == {}
    assert too_wide == []


@pytest.mark.looks
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_reset_in_the_console_has_nothing_for_axe_and_fits(site: str, page_as: PageAs, theme: str, width: str):
    page = page_as(roles.ADMIN, theme=theme, width=width)
    ada = get_user_model().objects.create_user("ada", password="ada-password")
    Authenticator.objects.create(user=ada, type="totp", data={"secret": generate_totp_secret()})

    page.goto(site + reverse("admin:accounts_user_change", args=[ada.pk]))
    keep(page, f"person-{theme}-{width}")
    found = violations(page)
    page.get_by_role("link", name="Reset the second factor").click()
    expect(page.get_by_role("heading", name="Reset the second factor of ada?")).to_be_visible()
    keep(page, f"reset-{theme}-{width}")
    found += violations(page)
    is_wide = is_too_wide(page)
    page.get_by_role("button", name="Reset the second factor").click()

    expect(page.get_by_text("signs in by password alone now")).to_be_visible()
    assert found == []
    assert not is_wide
