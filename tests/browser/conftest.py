"""Headless Chromium against the portal on the real stack, as each kind of user."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.core.cache import cache
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.dispatch import Signal
from playwright.sync_api import Browser, Page

from portal.accounts import actions as accounts
from portal.accounts import roles
from portal.registry import actions as registry

# Playwright's loop runs in the tests' thread, where Django would otherwise refuse the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# As root, and on machines without the internet, Chromium needs to be told so.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SETTLES_WITHIN_S = 30
WIDTHS = {"desk": 1280, "phone": 390}
# Each theme and each width once: themes are colours alone (tokens.css), and no rule asks for a theme and a width.
LOOKS = [("light", "desk"), ("dark", "phone")]
SCREENSHOTS = os.environ.get("PORTICO_SCREENSHOTS")  # a folder: the journeys then keep pictures of what they see

PageAs = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "The browser tests need Chromium: install it, or name it in CHROMIUM."
    return {**browser_type_launch_args, "executable_path": path, "args": FLAGS}


@pytest.fixture
def site(cloud: None, live_server: Any, settled: None) -> str:
    """The portal's address, with an empty database but for the roles (emptying it after a test takes them too)."""
    roles.write_roles(Group.objects, Permission.objects)
    cache.clear()  # the table is no model's, so nothing empties it: failed sign-ins of the test before would count on
    return str(live_server.url)


@pytest.fixture
def settled(live_server: Any) -> Iterator[None]:
    """Ends when the server has answered all: one that still writes would lock the database that is to be emptied."""
    change = threading.Condition()
    under_way = 0

    def count(signal: Signal, **_: Any) -> None:
        nonlocal under_way
        with change:
            under_way += 1 if signal is request_started else -1
            change.notify_all()

    request_started.connect(count)
    request_finished.connect(count)
    yield
    with change:
        has_settled = change.wait_for(lambda: under_way <= 0, timeout=SETTLES_WITHIN_S)
    request_started.disconnect(count)
    request_finished.disconnect(count)
    assert has_settled, f"{under_way} requests are still under way."


@pytest.fixture(scope="session")
def kept_rows() -> list[str]:
    """The database with the samples, as JSON, once a test has loaded them. Their objects stay in the stack's bucket."""
    return []


@pytest.fixture
def loaded_site(site: str, samples: Path, kept_rows: list[str]) -> str:
    """The portal with the four samples live, owned by `admin`. The first time they come in by everybody's door."""
    if kept_rows:
        for row in serializers.deserialize("json", kept_rows[0]):
            row.save()
        registry.vouch_again()
        return site
    get_user_model().objects.create_superuser("admin", password="admin-password")
    call_command("load_samples", samples, verbosity=0, stdout=io.StringIO())
    kinds = (get_user_model(), *apps.get_app_config("registry").get_models())
    kept_rows.append(serializers.serialize("json", itertools.chain(*(kind.objects.all() for kind in kinds))))
    return site


@pytest.fixture
def page_as(browser: Browser, site: str) -> Iterator[PageAs]:
    """A page signed in with a role, or not with None, in a theme and at a width.

    Problems in the browser's console fail the test.
    """
    problems: list[str] = []
    contexts = []

    def open_page(
        role: str | None = roles.PREDICTOR, *, theme: str = "light", width: str = "desk", script: bool = True
    ) -> Page:
        context = browser.new_context(
            color_scheme=theme, viewport={"width": WIDTHS[width], "height": 900}, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if _is_problem(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        if role:
            sign_in(page, site, _ensure_user(role))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def _ensure_user(role: str) -> str:
    name = role.replace(" ", "-")
    user, is_new = get_user_model().objects.get_or_create(username=name)
    if is_new:
        user.set_password(f"{name}-password")
        user.save()
        accounts.assign_role(user, role)
    return name


def load(samples: Path, slug: str) -> Any:
    """A sample's model, as scikit-learn has it."""
    return joblib.load(next(path for path in (samples / slug).iterdir() if path.stem == "model"))


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(f"{name}-password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")


def violations(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands, once it is loaded: rule and element."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]


def is_too_wide(page: Page) -> bool:
    """Would a person have to scroll sideways?"""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page for the README, where asked to."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


def _is_problem(message: Any) -> bool:
    # Chromium reports every 4xx answer as an error of the page; those are asked for in the tests.
    return message.type == "error" and "Failed to load resource" not in message.text
