"""A sign-in that is under way: what Cognito asked, in the session until it is answered.

Cognito's own note of it is worth as much as the password. It is never in a page, and of no use after some minutes; so
it is kept as it is, other than a refresh token.
"""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase

from portal.gateways.cognito.passwords import Challenge

KEY = "cognito_challenge"
NAME_KEY = "cognito_name"


def ask(session: SessionBase, challenge: Challenge, next_url: str) -> None:
    """Remember what is asked; whatever was asked before is over."""
    session[KEY] = {
        "name": challenge.name,
        "session": challenge.session,
        "username": challenge.username,
        "next": next_url,
    }


def waiting(session: SessionBase, name: str) -> tuple[Challenge, str] | None:
    """The challenge of this name that waits for an answer, and where the person wanted to go."""
    kept = session.get(KEY)
    if not kept or kept["name"] != name:
        return None
    return Challenge(kept["name"], kept["session"], kept["username"]), kept["next"]


def remember_name(session: SessionBase, name: str) -> None:
    """Who asked for a code, so that the next page need not ask again."""
    session[NAME_KEY] = name


def name(session: SessionBase) -> str:
    return str(session.get(NAME_KEY, ""))


def forget(session: SessionBase) -> None:
    """Nothing is under way any more."""
    for key in (KEY, NAME_KEY):
        session.pop(key, None)
