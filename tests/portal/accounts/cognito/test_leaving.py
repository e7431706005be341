"""Signing out ends three things: the session here, the refresh token, and managed login's own session."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from portal.accounts.cognito import sessions
from portal.accounts.cognito.views.leaving import ONLY_HERE, OUT
from portal.errors import BackendAway, NotLetIn
from portal.gateways.cognito import tokens
from tests.portal.factories import make_user
from tests.user_pool import UserPool

pytestmark = pytest.mark.django_db


def refresh_token(client: Client) -> str:
    return sessions.unseal(client.session[sessions.KEY]["refresh_token"])


def said(client: Client) -> list[str]:
    return [str(message) for message in client.get(reverse("account_login")).context["messages"]]


def test_sign_out_by_managed_login_ends_all_three(by_managed_login: UserPool, enter, client: Client):
    enter(by_managed_login.add("viewer"))
    token = refresh_token(client)

    answer = client.post(reverse("account_logout"))

    parts = urlsplit(answer["Location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{by_managed_login.endpoint}/logout"
    assert parse_qs(parts.query) == {
        "client_id": [by_managed_login.client_id],
        "logout_uri": ["http://testserver/sign-in/"],
    }
    there = requests.get(answer["Location"], timeout=10, allow_redirects=False)
    assert there.headers["Location"] == "http://testserver/sign-in/"
    with pytest.raises(NotLetIn):
        tokens.refresh(token, client_id=by_managed_login.client_id)
    assert client.get("/").status_code == 302 and sessions.KEY not in client.session
    assert said(client) == [OUT]


def test_sign_out_by_forms_ends_session_and_token_and_stays_here(by_forms: UserPool, enter_by_form, client: Client):
    enter_by_form(by_forms.add("viewer"))
    token = refresh_token(client)

    answer = client.post(reverse("account_logout"))

    assert answer["Location"] == reverse("account_login")
    with pytest.raises(NotLetIn):
        tokens.refresh(token, client_id=by_forms.public_client_id)
    assert said(client) == [OUT]


def test_sign_out_while_cognito_is_away_ends_the_session_here_and_says_so(by_forms, enter_by_form, client, monkeypatch):
    def revoke(*args: object, **more: object) -> None:
        raise BackendAway("away")

    enter_by_form(by_forms.add("viewer"))
    monkeypatch.setattr(tokens, "revoke", revoke)

    client.post(reverse("account_logout"))

    assert client.get("/").status_code == 302
    assert said(client) == [ONLY_HERE]


def test_sign_out_opened_by_a_link_asks_first(by_forms: UserPool, enter_by_form, client: Client):
    enter_by_form(by_forms.add("viewer"))

    assert client.get(reverse("account_logout")).status_code == 200
    assert client.get("/").status_code == 200


def test_sign_out_of_nobody_leads_to_the_door(by_forms: UserPool, client: Client):
    assert client.get(reverse("account_logout"))["Location"] == reverse("account_login")
    assert client.post(reverse("account_logout"))["Location"] == reverse("account_login")


def test_sign_out_of_a_session_that_is_not_the_pools_revokes_nothing(by_managed_login: UserPool, client: Client):
    client.force_login(make_user("ada"))

    assert client.post(reverse("account_logout"))["Location"] == reverse("account_login")
