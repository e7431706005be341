"""The database: a file of SQLite in the state folder, or a PostgreSQL that `PORTICO_DATABASE_URL` names."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

FORM = "postgresql://user:password@host:5432/name"
CONNECTION_LASTS_S = 600
# Portico's queries take milliseconds. PostgreSQL would compile some of them for longer than they run, and plan most of
# them for as long: those that a connection asks again are planned once (decision 011). An address with options of its
# own (`?options=`: none, for poolers that take none) is left as it is.
POSTGRESQL_OPTIONS = {"options": "-c jit=off", "server_side_binding": True, "prepare_threshold": 3}


def database(url: str, *, state_dir: Path) -> dict[str, Any]:
    """Django's settings for the database.

    Args:    url: as libpq takes it, its options behind a question mark (`?sslmode=verify-full`); empty for SQLite
    Raises:  ImproperlyConfigured: the address is of no use, or its driver is not installed; the password is not told
    """
    return _postgresql(url) if url else _sqlite(state_dir / "portal.sqlite3")


@contextmanager
def planned_each_time() -> Iterator[None]:
    """PostgreSQL plans the queries within for the values that they ask for, as those of long lists must be: the way to
    a class that every other row has is no way to one that ten rows have.
    """
    connection.ensure_connection()
    driver = connection.connection
    threshold = getattr(driver, "prepare_threshold", None)
    if threshold is None:
        yield
        return
    driver.prepare_threshold = None
    try:
        yield
    finally:
        driver.prepare_threshold = threshold


def _sqlite(file: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {
            # Readers never wait for a writer, and a writer takes its lock when its transaction begins.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        port, options = (
            parts.port,
            dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))),
        )
    except ValueError:  # which would quote a part of the address, and that may be the password
        raise ImproperlyConfigured(f"PORTICO_DATABASE_URL cannot be read. It looks like {FORM}") from None
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("postgresql", "postgres") or not name:
        raise ImproperlyConfigured(
            f"PORTICO_DATABASE_URL must name a PostgreSQL database: {FORM} "
            "(without the variable it is SQLite in the state folder)."
        )
    if find_spec("psycopg") is None:
        raise ImproperlyConfigured(
            "PORTICO_DATABASE_URL names a PostgreSQL, and its driver is not installed: "
            "pip install --require-hashes -r requirements/postgresql.txt"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or options.pop("host", ""),
        "PORT": port or "",
        "OPTIONS": options if "options" in options else {**POSTGRESQL_OPTIONS, **options},
        # A thread of the portal keeps its connection: making one takes as long as a page.
        "CONN_MAX_AGE": CONNECTION_LASTS_S,
        "CONN_HEALTH_CHECKS": True,
    }
