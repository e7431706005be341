"""Which request is being answered. Its id stands on every log line, in the answer's X-Request-Id, on every error page,
and goes along to the functions. Imports no room of the portal.
"""

import ipaddress
import re
import secrets
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

HEADER = "X-Request-Id"
# Kept in the WSGI environment, where gunicorn finds it when the answer is out.
ENVIRON = "portico.asked"
WELL_FORMED = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request while it is answered. `at` is when it came in."""

    id: str
    request: HttpRequest
    at: datetime = field(default_factory=timezone.now)

    @property
    def user_id(self) -> int | None:
        """Who is signed in; None too where nobody has looked yet: a log line costs no query."""
        user: Any = self.request.__dict__.get("user")
        if hasattr(user, "_wrapped"):
            user = self.request.__dict__.get("_cached_user")
        return getattr(user, "pk", None)


_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


def begin(request: HttpRequest, *, proxies: Sequence[str]) -> Asked:
    """Give the request an id: the one it brings along, if a proxy of ours says so and it is well-formed; else a new
    one. What anybody else sends is not believed: two requests could share an id.

    Args: proxies: addresses and networks
    """
    brought = request.headers.get(HEADER, "")
    is_believed = WELL_FORMED.fullmatch(brought) and _is_one_of(request.META.get("REMOTE_ADDR", ""), proxies)
    asked = Asked(brought if is_believed else make_id(), request)
    request.META[ENVIRON] = asked
    _asked.set(asked)
    return asked


def end() -> None:
    """What this thread logs from here on belongs to no request."""
    _asked.set(None)


def until_sent(asked: Asked, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Chunks that are made after the view has returned, under the same id. If making them fails, it stays in force:
    the server logs why, and ends it.
    """
    _asked.set(asked)
    yield from chunks
    end()


def current() -> Asked | None:
    """The request that this thread is at."""
    return _asked.get()


def current_id() -> str | None:
    """Its id."""
    asked = _asked.get()
    return asked.id if asked else None


def make_id() -> str:
    """Short enough to be copied by hand, and never given twice."""
    return secrets.token_hex(8)


def _is_one_of(address: str, proxies: Sequence[str]) -> bool:
    try:
        peer = ipaddress.ip_address(address)
        return any(peer in ipaddress.ip_network(proxy, strict=False) for proxy in proxies)
    except ValueError:
        return False
