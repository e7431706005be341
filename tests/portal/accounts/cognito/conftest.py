"""Ways through the doors, as a browser takes them, without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.test import Client
from django.urls import reverse

from portal.accounts.cognito import sessions
from tests.user_pool import PASSWORD, UserPool

Answer = Any


def through_managed_login(pool: UserPool, there: str, address: str, password: str = PASSWORD) -> str:
    """Fill in the page at `there`. Returns the address that it leads back to, without following it."""
    page = requests.get(there, timeout=10)
    assert page.status_code == 200, page.text
    hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    form = {name: unescape(value) for name, value in hidden.items()}
    answer = requests.post(
        urljoin(pool.endpoint, "/login"),
        data={**form, "username": address, "password": password},
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


@pytest.fixture
def enter(by_managed_login: UserPool, client: Client) -> Callable[..., Answer]:
    """Sign somebody in by managed login. Returns the callback's answer."""

    def entered(address: str, **form: str) -> Answer:
        there = client.post(reverse("account_login"), form)["Location"]
        return client.get(through_managed_login(by_managed_login, there, address).removeprefix("http://testserver"))

    return entered


@pytest.fixture
def enter_by_form(by_forms: UserPool, client: Client) -> Callable[..., Answer]:
    """Sign somebody in by the portal's own form. Returns its answer."""

    def entered(address: str, password: str = PASSWORD, **form: str) -> Answer:
        return client.post(reverse("account_login"), {"username": address, "password": password, **form})

    return entered


def age(client: Client, seconds: int) -> None:
    """As if the session's ID token had been given this much earlier, and Cognito asked then."""
    session = client.session
    kept = session[sessions.KEY]
    session[sessions.KEY] = {**kept, "expires_at": kept["expires_at"] - seconds, "asked_at": 0}
    session.save()
