"""Where a person is signed in: one row for each browser, with when it was last here.

allauth's middleware writes that row at each request. Here it is written every five minutes, together with the session
itself, whose end that puts off: who stays away for SESSION_COOKIE_AGE is signed out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.accounts.cognito import sessions as cognito_sessions
from portal.accounts.models import User

NOTED_EVERY_S = 300
NOTED = "noted_at"
# The first one found is it: Edge and Opera say Chrome as well, Chrome says Safari, Android says Linux.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. `is_here`: it is the one that asks."""

    row: UserSession
    device: str
    is_here: bool


class NoteVisits:
    """Middleware: notes at most every five minutes that a browser was here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        may_be_signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
        if may_be_signed_in and _is_due(request) and request.user.is_authenticated:
            note_visit(request)
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


def note_visit(request: HttpRequest) -> None:
    """It was here just now."""
    request.session[NOTED] = int(time.time())


def sessions_of(request: HttpRequest, user: User) -> list[Session]:
    """Those that still hold: this one, then the one last seen. What has ended since is forgotten on the way."""
    here = request.session.session_key
    rows = sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.last_seen_at, reverse=True)
    found = [Session(row, device(row.user_agent), row.session_key == here) for row in rows]
    return sorted(found, key=lambda session: not session.is_here)


def end(request: HttpRequest, rows: Iterable[UserSession]) -> bool:
    """Sign out there; what a user pool gave those sessions is taken back.

    Returns: False where Cognito could not be told of all: they have ended all the same
    """
    kept = []
    for row in rows:
        kept.append(cognito_sessions.read(type(request.session)(row.session_key)))
        row.end()
    return cognito_sessions.give_up(*kept)


def other_sessions(request: HttpRequest, user: User) -> list[UserSession]:
    """All of this person's but the one that asks."""
    return list(UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key))


def device(user_agent: str) -> str:
    """A browser in words, from what it says of itself: "Firefox on Windows"."""
    browser, system = _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or re.split(r"[/ ]", user_agent, maxsplit=1)[0] or "Unknown"


def _is_due(request: HttpRequest) -> bool:
    return time.time() - request.session.get(NOTED, 0) >= NOTED_EVERY_S


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "")
