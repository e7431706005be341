"""System checks: half a configuration of the user pool is refused before anybody wants to come in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

TAG = "user_pool"
OUTPUTS = "All of these are outputs of the stack: `python -m deploy outputs --format env` prints them."
_BY_MANAGED_LOGIN = (
    "PORTICO_USER_POOL_ISSUER",
    "PORTICO_USER_POOL_CLIENT_ID",
    "PORTICO_USER_POOL_CLIENT_SECRET",
    "PORTICO_USER_POOL_DOMAIN",
)
_BY_FORMS = ("PORTICO_USER_POOL_ISSUER", "PORTICO_USER_POOL_PUBLIC_CLIENT_ID")
_ADDRESSES = ("PORTICO_USER_POOL_ISSUER", "PORTICO_USER_POOL_DOMAIN")
_ALL = (*_BY_MANAGED_LOGIN, "PORTICO_USER_POOL_PUBLIC_CLIENT_ID")


def check_user_pool(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Whether what is set is whole, and fits together."""
    pool = settings.PORTICO_USER_POOL_ID
    if not pool:
        return _without_a_pool()
    needed = _BY_FORMS if settings.PORTICO_COGNITO_FORMS else _BY_MANAGED_LOGIN
    missing = [name for name in needed if not getattr(settings, name)]
    found: list[CheckMessage] = []
    if missing:
        found.append(
            Error(f"PORTICO_USER_POOL_ID is set, but not {', '.join(missing)}.", hint=OUTPUTS, id="portico.E011")
        )
    issuer = settings.PORTICO_USER_POOL_ISSUER
    if "_" not in pool or (issuer and not issuer.endswith(f"/{pool}")):
        hint = "A pool's id is its region and a name, eu-central-1_AbCdEfGhI; its issuer ends with a slash and that id."
        found.append(
            Error(
                "PORTICO_USER_POOL_ID and PORTICO_USER_POOL_ISSUER do not fit together.", hint=hint, id="portico.E012"
            )
        )
    return found + [_bad_address(name) for name in _ADDRESSES if _is_bad(getattr(settings, name), name)]


def _without_a_pool() -> list[CheckMessage]:
    alone = [name for name in (*_ALL, "PORTICO_COGNITO_FORMS") if getattr(settings, name)]
    if not alone:
        return []
    hint = f"Set PORTICO_USER_POOL_ID too, or none of them: people then sign in with local accounts. {OUTPUTS}"
    return [Error(f"{', '.join(alone)} is set, but not PORTICO_USER_POOL_ID.", hint=hint, id="portico.E010")]


def _is_bad(address: str, name: str) -> bool:
    if not address:
        return False
    parts = urlsplit(address)
    schemes = ("https", "http") if settings.IS_LOCAL else ("https",)
    # The domain is a source of the pages' CSP as well, where a path or a blank would mean something else.
    is_too_long = name == "PORTICO_USER_POOL_DOMAIN" and address != f"{parts.scheme}://{parts.netloc}"
    return parts.scheme not in schemes or not parts.netloc or is_too_long or any(sign in address for sign in " ;,?#")


def _bad_address(name: str) -> CheckMessage:
    hint = (
        "It begins with https:// (http:// is for emulators alone, with PORTICO_ENV=local). "
        "The domain is scheme and host; the issuer ends with the pool's id."
    )
    return Error(f"{name} is not an address as it has to be.", hint=hint, id="portico.E013")
