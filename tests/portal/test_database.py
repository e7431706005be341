"""SQLite unless PORTICO_DATABASE_URL names a PostgreSQL; refusals do not tell the password."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import database as module
from portal.database import database


def test_database_without_an_address_is_sqlite_in_the_state_folder():
    settings = database("", state_dir=Path("/state"))

    assert settings["NAME"] == Path("/state/portal.sqlite3")
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in settings["OPTIONS"]["init_command"]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: object())


def test_database_of_an_address_has_all_its_parts(driver: None):
    settings = database(
        "postgresql://ada:p%40ss%2Fword@db.example:5433/portico?sslmode=verify-full", state_dir=Path("/state")
    )

    assert settings["ENGINE"] == "django.db.backends.postgresql"
    assert (settings["USER"], settings["PASSWORD"]) == ("ada", "p@ss/word")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", 5433, "portico")
    assert settings["OPTIONS"] == {"sslmode": "verify-full", **module.POSTGRESQL_OPTIONS}


def test_database_of_an_address_with_a_socket_is_reached_by_it(driver: None):
    settings = database("postgresql:///portico?host=/run/postgresql", state_dir=Path("/state"))

    assert (settings["HOST"], settings["OPTIONS"]) == ("/run/postgresql", module.POSTGRESQL_OPTIONS)


@pytest.mark.parametrize(("given", "taken"), [("", ""), ("-c%20search_path%3Dx", "-c search_path=x")])
def test_database_of_an_address_with_options_of_its_own_keeps_them(given: str, taken: str, driver: None):
    settings = database(f"postgresql://host/name?options={given}", state_dir=Path("/state"))

    assert settings["OPTIONS"] == {"options": taken}


@pytest.mark.parametrize(
    "url",
    ["mysql://ada:secret@host/name", "postgresql://ada:secret@host", "postgresql://ada:secret@host:x/name", "secret",
     "postgresql://ada:sec/ret@host/name?x"],
)  # fmt: skip
def test_database_of_an_address_of_no_use_is_refused_without_the_password(url: str, driver: None):
    with pytest.raises(ImproperlyConfigured, match="postgresql://user:password@host:5432/name") as refused:
        database(url, state_dir=Path("/state"))

    assert "secret" not in str(refused.value)


def test_database_without_its_driver_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r"requirements/postgresql\.txt"):
        database("postgresql://host/name", state_dir=Path("/state"))
