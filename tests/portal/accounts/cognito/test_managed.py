"""There and back again: what is sent along, what is checked on the way back, and what a person is told who fails."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import NoReverseMatch, reverse

from portal.accounts import roles
from portal.accounts.cognito import people, sessions
from portal.accounts.cognito.letting_in import SWITCHED_OFF
from portal.accounts.cognito.provider import SCOPES
from portal.accounts.models import User
from portal.gateways.cognito import client as pool_gateway
from portal.gateways.cognito import id_tokens
from tests.portal.accounts.cognito.conftest import through_managed_login
from tests.portal.factories import make_user
from tests.user_pool import CALLBACK, UserPool, make_pool

pytestmark = pytest.mark.django_db


def begin(client: Client, **form: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(client.post(reverse("account_login"), form)["Location"]).query)


def test_door_sends_state_nonce_and_pkce_along_and_no_secret(by_managed_login: UserPool, client: Client):
    there = client.post(reverse("account_login"))["Location"]

    sent = parse_qs(urlsplit(there).query)
    assert there.startswith(f"{by_managed_login.endpoint}/oauth2/authorize?")
    assert sent["client_id"] == [by_managed_login.client_id]
    assert sent["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    assert sent["response_type"] == ["code"] and set(sent["scope"][0].split()) == set(SCOPES)
    assert "prompt" not in sent
    assert sent["code_challenge_method"] == ["S256"] and len(sent["code_challenge"][0]) == 43
    assert len(sent["state"][0]) >= 16 and len(sent["nonce"][0]) >= 32
    assert "secret" not in there and "verifier" not in there


def test_door_makes_a_new_state_and_nonce_each_time(by_managed_login: UserPool, client: Client):
    first, second = begin(client), begin(client)

    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


def test_door_opened_by_a_link_sends_nobody_away(by_managed_login: UserPool, client: Client):
    answer = client.get(reverse("account_login"), {"auth_params": "prompt=none", "process": "connect"})

    assert answer.status_code == 200
    assert sessions.KEY not in client.session


def test_parameters_of_a_link_are_not_passed_on(by_managed_login: UserPool, client: Client):
    answer = client.post(f"{reverse('account_login')}?scope=phone&auth_params=login_hint%3Dx")

    assert "phone" not in answer["Location"] and "login_hint" not in answer["Location"]


def test_sign_in_by_managed_login_lets_the_person_in_with_the_groups_role(by_managed_login: UserPool, enter, client):
    address = by_managed_login.add("viewer", "model-owner", given_name="Ada", family_name="Lovelace")

    answer = enter(address, next="/history/")

    assert answer["Location"] == "/history/"
    user = client.get("/").context["user"]
    assert (str(user), user.email, user.role) == ("Ada Lovelace", address, roles.MODEL_OWNER)
    assert user == people.find(by_managed_login.sub(address))


def test_sign_in_keeps_the_refresh_token_alone_and_encrypted(by_managed_login: UserPool, enter, client: Client):
    enter(by_managed_login.add("viewer"))

    kept = client.session[sessions.KEY]
    assert sorted(kept) == ["asked_at", "client_id", "confirmed_at", "expires_at", "refresh_token", "sub"]
    assert kept["refresh_token"].startswith("gAAAA")
    assert not [value for value in client.session.items() if "eyJ" in str(value)]  # as every token begins


def test_sign_in_is_in_the_list_of_ones_sessions(by_managed_login: UserPool, enter, client: Client):
    from allauth.usersessions.models import UserSession

    enter(by_managed_login.add("viewer"))

    assert [row.session_key for row in UserSession.objects.all()] == [client.session.session_key]


def test_sign_in_changes_the_sessions_key(by_managed_login: UserPool, client: Client, enter):
    begin(client)
    before = client.session.session_key

    enter(by_managed_login.add("viewer"))

    assert client.session.session_key != before


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_sign_in_leads_to_no_other_site(by_managed_login: UserPool, enter, wanted: str):
    assert enter(by_managed_login.add("viewer"), next=wanted)["Location"] == "/"


def test_person_without_a_group_is_let_in_sees_nothing_and_is_told_whom_to_ask(by_managed_login, enter, client: Client):
    enter(by_managed_login.add("accountants"))

    page = client.get("/")
    assert page.context["user"].role == ""
    assert b"Ask an administrator" in page.content
    assert client.get("/history/").status_code == 403


def test_person_who_is_switched_off_here_is_told_so(by_managed_login: UserPool, enter, client: Client):
    address = by_managed_login.add("viewer")
    enter(address)
    client.post(reverse("account_logout"))
    User.objects.update(is_active=False)

    answer = enter(address)

    assert answer.status_code == 400 and SWITCHED_OFF in answer.content.decode()
    assert sessions.KEY not in client.session


def test_address_of_a_local_account_in_the_pool_gives_nothing_of_that_account(by_managed_login, enter, client: Client):
    local = make_user("root@example.org", roles.ADMIN)
    User.objects.filter(pk=local.pk).update(email="root@example.org", is_superuser=True)

    enter(by_managed_login.add(email="root@example.org"))

    user = client.get("/").context["user"]
    assert (user.pk != local.pk, user.role, user.is_superuser) == (True, "", False)


@pytest.mark.parametrize("state", [None, "", "made-up"])
def test_callback_with_a_state_that_was_not_given_out_is_a_plain_page(
    by_managed_login: UserPool, client: Client, state
):
    begin(client)

    answer = client.get(CALLBACK, {"code": "x"} | ({} if state is None else {"state": state}))

    assert answer.status_code == 400
    assert b"Try again" in answer.content
    assert not answer.wsgi_request.user.is_authenticated


def test_callback_in_another_browser_signs_nobody_in(by_managed_login: UserPool, client: Client):
    there = client.post(reverse("account_login"))["Location"]
    back = through_managed_login(by_managed_login, there, by_managed_login.add("admin"))

    answer = Client().get(back.removeprefix("http://testserver"))

    assert answer.status_code == 400


def test_callback_opened_twice_signs_in_once(by_managed_login: UserPool, client: Client):
    there = client.post(reverse("account_login"))["Location"]
    back = through_managed_login(by_managed_login, there, by_managed_login.add("viewer"))
    back = back.removeprefix("http://testserver")

    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 400


@pytest.mark.parametrize(("error", "status"), [("access_denied", 403), ("server_error", 400), ("", 400)])
def test_callback_with_an_error_is_a_plain_page_that_leads_back(by_managed_login: UserPool, client, error, status):
    state = begin(client, next="/history/")["state"][0]

    answer = client.get(CALLBACK, {"state": state, "error": error, "error_description": "<b>x</b>"})

    assert answer.status_code == status
    assert "?next=/history/" in answer.content.decode() and b"<b>x</b>" not in answer.content


def test_callback_with_a_code_that_is_over_is_a_plain_page(by_managed_login: UserPool, client: Client):
    state = begin(client)["state"][0]

    answer = client.get(CALLBACK, {"state": state, "code": "spent"})

    assert answer.status_code == 400
    assert "took too long" in answer.content.decode()


def test_code_that_was_asked_for_with_another_verifier_is_refused(by_managed_login: UserPool, client: Client):
    there = client.post(reverse("account_login"))["Location"]
    back = through_managed_login(by_managed_login, there, by_managed_login.add("admin"))
    code = parse_qs(urlsplit(back).query)["code"][0]
    state = begin(client)["state"][0]

    answer = client.get(CALLBACK, {"state": state, "code": code})

    assert answer.status_code == 400
    assert not answer.wsgi_request.user.is_authenticated


@pytest.mark.parametrize("kind", ["access", "other pool", "other nonce", "other client"])
def test_token_endpoint_that_gives_a_wrong_token_signs_nobody_in(by_managed_login, client, monkeypatch, kind: str):
    pool, other = by_managed_login, make_pool(by_managed_login.endpoint, origin="http://testserver")
    address = pool.add("admin")
    there = client.post(reverse("account_login"))["Location"]
    back = through_managed_login(pool, there, address)
    wrong = {
        "access": pool.tokens(address)["AccessToken"],
        "other pool": other.tokens(other.add("admin"))["IdToken"],
        "other nonce": _id_token(pool, Client(), address),
        "other client": pool.tokens(address)["IdToken"],
    }[kind]
    exchanged = requests.Response()
    exchanged.status_code, exchanged._content = 200, b'{"id_token": "%s"}' % wrong.encode()
    monkeypatch.setattr(pool_gateway.requests, "post", lambda *args, **more: exchanged)

    answer = client.get(back.removeprefix("http://testserver"))

    assert answer.status_code == 403
    assert "could not be verified" in answer.content.decode()
    assert not answer.wsgi_request.user.is_authenticated


def test_cognito_away_at_the_door_is_a_503_with_a_reference(by_managed_login: UserPool, client: Client, monkeypatch):
    def get(*args: object, **more: object) -> None:
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "get", get)

    answer = client.post(reverse("account_login"))

    assert answer.status_code == 503
    assert "The sign-in service cannot be reached" in answer.content.decode()


def test_local_password_opens_nothing_where_a_pool_decides(by_managed_login: UserPool, client: Client):
    make_user("ada", roles.ADMIN)

    assert not client.login(username="ada", password="ada-password")
    assert client.post("/sign-in/", {"username": "ada", "password": "ada-password"}).status_code == 302
    assert client.get("/").status_code == 302


def test_session_of_a_local_password_ends_when_a_pool_takes_over(by_managed_login: UserPool, client: Client):
    client.force_login(make_user("ada", roles.ADMIN), backend="portal.accounts.backends.RoleBackend")

    assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["account_change_password", "mfa_add_webauthn", "openid_connect_callback"])
def test_pages_of_local_passwords_and_allauths_own_callback_are_not_there(by_managed_login: UserPool, name: str):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_pages_let_forms_end_at_managed_login_and_nowhere_else(by_managed_login: UserPool, client: Client):
    policy = client.get(reverse("account_login"))["Content-Security-Policy"]

    assert f"form-action 'self' {by_managed_login.endpoint};" in f"{policy};"


def _id_token(pool: UserPool, client: Client, address: str) -> str:
    """A good ID token for the portal's own client, made for another sign-in of the same person."""
    from portal.gateways.cognito import tokens

    there = client.post(reverse("account_login"))["Location"]
    back = through_managed_login(pool, there, address)
    state = next(iter(client.session["socialaccount_states"].values()))[0]
    given = tokens.exchange_code(
        parse_qs(urlsplit(back).query)["code"][0],
        redirect_uri=f"http://testserver{CALLBACK}",
        verifier=state["pkce_code_verifier"],
    )
    assert id_tokens.verify(given.id_token, client_id=pool.client_id, nonce=state["nonce"])
    return given.id_token
