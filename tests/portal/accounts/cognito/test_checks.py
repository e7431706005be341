"""Half a configuration of the user pool is refused at the start, with what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from portal.accounts.cognito.checks import check_user_pool

ROOT = Path(__file__).resolve().parents[4]
WHOLE = {
    "PORTICO_USER_POOL_ID": "eu-central-1_AbCd",
    "PORTICO_USER_POOL_ISSUER": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCd",
    "PORTICO_USER_POOL_DOMAIN": "https://portico-x.auth.eu-central-1.amazoncognito.com",
    "PORTICO_USER_POOL_CLIENT_ID": "client",
    "PORTICO_USER_POOL_CLIENT_SECRET": "secret",
    "PORTICO_USER_POOL_PUBLIC_CLIENT_ID": "public",
    "PORTICO_COGNITO_FORMS": False,
    "IS_LOCAL": False,
}


def check(settings: Any, **changed: Any) -> list[tuple[str, str]]:
    for name, value in {**WHOLE, **changed}.items():
        setattr(settings, name, value)
    return [(found.id, found.msg) for found in check_user_pool()]


@pytest.mark.parametrize("by_forms", [False, True])
def test_configuration_that_is_whole_is_fine(settings, by_forms: bool):
    assert check(settings, PORTICO_COGNITO_FORMS=by_forms) == []


def test_configuration_without_any_of_it_is_fine(settings):
    assert check(settings, **dict.fromkeys((name for name in WHOLE if name != "IS_LOCAL"), "")) == []


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in ("PORTICO_USER_POOL_ID", "IS_LOCAL")])
def test_configuration_with_one_thing_alone_names_what_is_missing(settings, name: str):
    nothing = dict.fromkeys((each for each in WHOLE if each != "IS_LOCAL"), "")

    assert check(settings, **{**nothing, name: WHOLE[name] or True}) == [
        ("portico.E010", f"{name} is set, but not PORTICO_USER_POOL_ID.")
    ]


@pytest.mark.parametrize(
    ("by_forms", "name"),
    [
        (False, "PORTICO_USER_POOL_ISSUER"),
        (False, "PORTICO_USER_POOL_DOMAIN"),
        (False, "PORTICO_USER_POOL_CLIENT_ID"),
        (False, "PORTICO_USER_POOL_CLIENT_SECRET"),
        (True, "PORTICO_USER_POOL_ISSUER"),
        (True, "PORTICO_USER_POOL_PUBLIC_CLIENT_ID"),
    ],
)
def test_configuration_without_what_its_way_needs_is_refused(settings, by_forms: bool, name: str):
    assert check(settings, PORTICO_COGNITO_FORMS=by_forms, **{name: ""}) == [
        ("portico.E011", f"PORTICO_USER_POOL_ID is set, but not {name}.")
    ]


@pytest.mark.parametrize("pool", ["eu-central-1_Other", "AbCd"])
def test_pool_that_is_not_its_issuers_is_refused(settings, pool: str):
    assert [each for each, _ in check(settings, PORTICO_USER_POOL_ID=pool)] == ["portico.E012"]


@pytest.mark.parametrize(
    "domain",
    [
        "http://portico.example",
        "portico.example",
        "https://portico.example/login",
        "https://portico.example; script-src *",
        "https://portico.example https://evil.example",
    ],
)
def test_domain_that_is_not_scheme_and_host_is_refused(settings, domain: str):
    assert [each for each, _ in check(settings, PORTICO_USER_POOL_DOMAIN=domain)] == ["portico.E013"]


def test_plain_http_is_for_emulators(settings):
    assert check(settings, PORTICO_USER_POOL_DOMAIN="http://127.0.0.1:4566", IS_LOCAL=True) == []


@pytest.mark.parametrize(
    ("by_forms", "name", "address"),
    [
        (False, "cognito_callback", "/accounts/oidc/cognito/login/callback/"),
        (True, "cognito_new_password", "/sign-in/new-password/"),
    ],
)
def test_portal_that_starts_with_a_pool_has_the_pages_of_its_way(by_forms: bool, name: str, address: str):
    code = f"import portal.wsgi; from django.urls import reverse; print(reverse({name!r}), reverse('account_login'))"
    pool = {name: str(value) for name, value in WHOLE.items() if name.startswith("PORTICO_")}
    environment = os.environ | {"PORTICO_ENV": "local", "DJANGO_SETTINGS_MODULE": "portal.settings", **pool}
    environment["PORTICO_COGNITO_FORMS"] = "true" if by_forms else ""

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
    )

    assert done.stdout.split() == [address, "/sign-in/"]


def test_portal_under_gunicorn_does_not_start_on_half_a_configuration():
    environment = os.environ | {"PORTICO_ENV": "local", "PORTICO_USER_POOL_ID": "eu-central-1_AbCd"}
    environment["DJANGO_SETTINGS_MODULE"] = "portal.settings"

    done = subprocess.run(
        [sys.executable, "-c", "import portal.wsgi"], capture_output=True, text=True, cwd=ROOT, env=environment
    )

    assert done.returncode != 0
    assert "portico.E011" in done.stderr and "deploy outputs" in done.stderr
