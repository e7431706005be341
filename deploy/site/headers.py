"""What is said with each file of the page: whom it may speak to, and who may show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HSTS_SECONDS = 31_536_000
_UNUSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def security_headers(config: Mapping[str, Any], *, is_https: bool) -> dict[str, str]:
    """For every answer. `config` is the page's config.json."""
    headers = {
        "Content-Security-Policy": _join({**content_policy(config), "frame-ancestors": "'none'"}),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED),
        "Cross-Origin-Opener-Policy": "same-origin",
        # Names of files stay the same from one release to the next.
        "Cache-Control": "no-cache",
    }
    return {**headers, "Strict-Transport-Security": f"max-age={_HSTS_SECONDS}"} if is_https else headers


def policy_in_the_page(config: Mapping[str, Any]) -> str:
    """The content of the page's own <meta>, for where its files are served without headers."""
    # In a <meta>, browsers ignore frame-ancestors, and complain about it.
    return _join(content_policy(config))


def content_policy(config: Mapping[str, Any]) -> dict[str, str]:
    """Only the page's own files run, and only the stack's endpoints are spoken to."""
    return {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": " ".join(["'self'", *_endpoints(config)]),
        "form-action": "'none'",
        "base-uri": "'none'",
        "require-trusted-types-for": "'script'",
    }


def _endpoints(config: Mapping[str, Any]) -> list[str]:
    """With a slash at the end, which has a policy mean all that begins so."""
    return sorted({*config["endpoints"].values(), f"{config['apiUrl']}/"})


def _join(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())
