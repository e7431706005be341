"""Reads prices.toml, the one price table."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.toml")
# Where a region has no prices of its own, these are shown, and it is said.
FALLBACK = "us-east-1"


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for one of each, in one region: a call, a GB-second, a GB-month (10^9 bytes), a key and so on."""

    lambda_gb_second: float
    lambda_request: float
    api_request: float
    state_transition: float
    s3_gb_month: float
    s3_put: float
    s3_get: float
    ecr_gb_month: float
    kms_key_month: float
    kms_request: float
    log_gb: float
    log_gb_month: float
    alarm_month: float
    dashboard_month: float
    cognito_user_month: float
    amplify_gb_month: float
    amplify_gb_served: float


@dataclass(frozen=True, slots=True)
class Free:
    """How much of each costs nothing, every month."""

    lambda_gb_seconds: float
    lambda_requests: float
    state_transitions: float
    kms_requests: float
    log_gb: float
    alarms: float
    dashboards: float
    cognito_users: float


def read_prices(region: str) -> Prices:
    """Raises: KeyError: the table has no such region"""
    return Prices(**{field.name: float(_table()["regions"][region][field.name]) for field in fields(Prices)})


def read_free() -> Free:
    """The free tier that does not end."""
    return Free(**{field.name: float(_table()["free"][field.name]) for field in fields(Free)})


def priced_regions() -> tuple[str, ...]:
    return tuple(_table()["regions"])


def price_date() -> date:
    """When the pages were read last."""
    found: date = _table()["date"]
    return found


def read_compared(name: str) -> float:
    """A price of something that Portico does not use, for the benchmarks' comparison."""
    return float(_table()["compared"][name])


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text("utf-8"))
