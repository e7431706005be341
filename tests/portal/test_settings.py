"""Outside local targets the portal starts only with a secret of its own, and then with everything locked."""

import runpy
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

SETTINGS = str(Path(__file__).resolve().parents[2] / "portal" / "settings.py")


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("PORTICO_ENV", raising=False)
    monkeypatch.setenv("PORTICO_SECRET_KEY", "x" * 48)
    return monkeypatch


@pytest.mark.parametrize("secret", [None, "", "short", "local-only-not-a-secret"])
def test_start_in_production_without_a_secret_of_its_own_is_refused(production, secret: str | None):
    production.delenv("PORTICO_SECRET_KEY")
    if secret is not None:
        production.setenv("PORTICO_SECRET_KEY", secret)

    with pytest.raises(ImproperlyConfigured, match="PORTICO_SECRET_KEY"):
        runpy.run_path(SETTINGS)


def test_start_in_production_sends_cookies_over_https_alone(production):
    settings = runpy.run_path(SETTINGS)

    assert (
        settings["SESSION_COOKIE_SECURE"] is settings["CSRF_COOKIE_SECURE"] is settings["SECURE_SSL_REDIRECT"] is True
    )
    assert settings["SESSION_COOKIE_HTTPONLY"] is True
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert settings["ALLOWED_HOSTS"] == []
    assert settings["DEBUG"] is False


def test_hosts_and_origins_are_taken_from_the_environment(production):
    production.setenv("PORTICO_ALLOWED_HOSTS", "portico.example, other.example")
    production.setenv("PORTICO_ORIGINS", "https://portico.example")

    settings = runpy.run_path(SETTINGS)

    assert settings["ALLOWED_HOSTS"] == ["portico.example", "other.example"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://portico.example"]


@pytest.mark.parametrize(("said", "count"), [(None, 1), ("0", 0), ("2", 2)])
def test_start_in_production_stands_behind_a_proxy_unless_told_otherwise(production, said: str | None, count: int):
    if said is not None:
        production.setenv("PORTICO_PROXIES", said)

    assert runpy.run_path(SETTINGS)["ALLAUTH_TRUSTED_PROXY_COUNT"] == count
