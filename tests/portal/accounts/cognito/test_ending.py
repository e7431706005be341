"""Sessions in other browsers, ended from one's own account: what Cognito gave them ends, too."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from portal.accounts.cognito import sessions
from portal.accounts.views import NOT_TOLD
from portal.errors import BackendAway, NotLetIn
from portal.gateways.cognito import tokens
from tests.user_pool import PASSWORD, UserPool

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(by_forms: UserPool) -> str:
    return by_forms.add("viewer")


def signed_in(address: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"username": address, "password": PASSWORD})
    return client


def refresh_token(client: Client) -> str:
    return sessions.unseal(client.session[sessions.KEY]["refresh_token"])


def is_good(pool: UserPool, token: str) -> bool:
    try:
        tokens.refresh(token, client_id=pool.public_client_id)
    except NotLetIn:
        return False
    return True


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def end(here: Client, there: Client) -> list[str]:
    row = UserSession.objects.get(session_key=there.session.session_key)
    answer = here.post(reverse("accounts:end_session", args=[row.pk]), follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_sign_out_there_revokes_that_refresh_token_alone(by_forms: UserPool, address: str):
    here, there, elsewhere = (signed_in(address) for _ in range(3))
    mine, ended, other = (refresh_token(client) for client in (here, there, elsewhere))

    said = end(here, there)

    assert said == ["You are signed out there."]
    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, True]
    assert [is_good(by_forms, token) for token in (mine, ended, other)] == [True, False, True]


def test_sign_out_everywhere_else_revokes_all_others(by_forms: UserPool, address: str):
    here, there, elsewhere = (signed_in(address) for _ in range(3))
    tokens_of_others = [refresh_token(client) for client in (there, elsewhere)]

    here.post(reverse("accounts:end_other_sessions"))

    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, False]
    assert [is_good(by_forms, token) for token in tokens_of_others] == [False, False]
    assert is_good(by_forms, refresh_token(here))


def test_sign_out_there_while_cognito_is_away_ends_the_session_and_says_so(address: str, monkeypatch):
    def away(*args: object, **more: object) -> None:
        raise BackendAway("away")

    here, there = signed_in(address), signed_in(address)
    monkeypatch.setattr(tokens, "revoke", away)

    assert end(here, there) == [f"You are signed out there. {NOT_TOLD}"]
    assert not is_in(there)


def test_sign_out_everywhere_else_does_not_wait_for_cognito_once_for_each(address: str, monkeypatch):
    asked = []

    def away(token: str, *, client_id: str) -> None:
        asked.append(token)
        raise BackendAway("away")

    here, there, elsewhere = (signed_in(address) for _ in range(3))
    monkeypatch.setattr(tokens, "revoke", away)

    here.post(reverse("accounts:end_other_sessions"))

    assert [is_in(client) for client in (there, elsewhere)] == [False, False]
    assert len(asked) == 1


def test_session_of_somebody_else_is_neither_ended_nor_revoked(by_forms: UserPool, address: str):
    here, theirs = signed_in(address), signed_in(by_forms.add("viewer"))
    row = UserSession.objects.get(session_key=theirs.session.session_key)

    here.post(reverse("accounts:end_session", args=[row.pk]))

    assert is_in(theirs) and is_good(by_forms, refresh_token(theirs))


def test_session_that_is_ended_while_it_is_refreshed_is_over(by_forms: UserPool, address: str, monkeypatch):
    here, there = signed_in(address), signed_in(address)
    refresh = tokens.refresh

    def slow(token: str, *, client_id: str) -> tokens.Tokens:
        given = refresh(token, client_id=client_id)
        monkeypatch.setattr(tokens, "refresh", refresh)
        end(here, there)
        return given

    monkeypatch.setattr(tokens, "refresh", slow)

    answer = there.get(reverse("mfa_index"))

    assert answer["Location"].startswith(reverse("account_login"))
    assert not is_in(there)
