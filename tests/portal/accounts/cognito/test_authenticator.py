"""The authenticator app on one's own account: the pool keeps it, the portal adds it and takes it off."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts.cognito import sessions
from portal.accounts.cognito.views import authenticator, confirming
from portal.errors import BackendAway, NotLetIn
from portal.gateways.cognito import authenticators, passwords, tokens
from tests.portal.accounts.cognito.conftest import age, through_managed_login
from tests.portal.factories import make_user
from tests.user_pool import PASSWORD, UserPool, totp

pytestmark = pytest.mark.django_db
ACCOUNT, ADD, REMOVE = reverse("mfa_index"), "/account/app/", "/account/app/remove/"
CONFIRM, CONFIRM_CODE = "/account/confirm/", "/account/confirm/code/"


@pytest.fixture
def person(by_forms: UserPool, enter_by_form: Any) -> str:
    """The address of somebody who has just come in by the portal's form."""
    address = by_forms.add("viewer")
    enter_by_form(address)
    return address


def lapse(client: Client) -> None:
    """As if the last confirmation were older than five minutes."""
    session = client.session
    kept = session[sessions.KEY]
    session[sessions.KEY] = {**kept, "confirmed_at": kept["confirmed_at"] - sessions.CONFIRMED_FOR_S - 1}
    session.save()


def has_app(pool: UserPool, address: str) -> bool:
    said = pool.admin.admin_get_user(UserPoolId=pool.id, Username=address)
    return "SOFTWARE_TOKEN_MFA" in said.get("UserMFASettingList", [])


def said(client: Client) -> list[str]:
    return [str(message) for message in client.get(ACCOUNT, follow=True).context["messages"]]


def test_app_is_added_with_its_code_and_asked_for_at_the_next_sign_in(person, by_forms, enter_by_form, client: Client):
    page = client.get(ADD)
    secret = page.context["form"].secret

    answer = client.post(ADD, {"code": totp(secret)})

    assert secret in page.content.decode() and page.context["totp_svg_data_uri"].startswith("data:image/svg+xml")
    assert answer["Location"] == ACCOUNT
    assert has_app(by_forms, person)
    shown = client.get(ACCOUNT)
    assert [str(message) for message in shown.context["messages"]] == [authenticator.ADDED]
    assert "your authenticator app's code is asked for" in shown.content.decode()
    client.post(reverse("account_logout"))
    assert enter_by_form(person)["Location"] == reverse("cognito_code")
    assert client.post(reverse("cognito_code"), {"code": totp(secret)})["Location"] == "/"


def test_app_with_a_wrong_code_shows_the_same_secret_again_and_then_takes_the_right_one(person, by_forms, client):
    secret = client.get(ADD).context["form"].secret

    wrong = client.post(ADD, {"code": "000000"})

    assert wrong.status_code == 422
    assert wrong.context["form"].secret == secret
    assert wrong.context["form"].errors["code"] == [passwords.WRONG_TOTP]
    assert not has_app(by_forms, person)
    assert client.post(ADD, {"code": totp(secret)}).status_code == 302


def test_app_with_a_code_that_is_none_asks_cognito_nothing(person, client: Client, monkeypatch):
    client.get(ADD)
    monkeypatch.setattr(authenticators, "switch_on", lambda *args: pytest.fail("it was asked"))

    assert client.post(ADD, {"code": "12"}).status_code == 422


def test_app_whose_page_is_opened_anew_has_another_secret(person, client: Client):
    first, second = (client.get(ADD).context["form"].secret for _ in range(2))

    assert first != second
    assert client.post(ADD, {"code": totp(first)}).status_code == 422


def test_app_posted_without_a_secret_that_was_shown_shows_one(person, by_forms, client: Client):
    answer = client.post(ADD, {"code": "123456"})

    assert answer.status_code == 200 and answer.context["form"].secret
    assert not answer.context["form"].errors
    assert not has_app(by_forms, person)


def test_secret_lies_sealed_in_the_session_and_access_tokens_do_not_at_all(person, client: Client):
    secret = client.get(ADD).context["form"].secret

    kept = str(dict(client.session.items()))
    assert secret not in kept and "eyJ" not in kept  # as every token begins
    client.post(ADD, {"code": totp(secret)})
    assert authenticator.KEY not in client.session


def test_secret_that_has_waited_too_long_is_replaced(person, client: Client):
    secret = client.get(ADD).context["form"].secret
    session = client.session
    session[authenticator.KEY] = {**session[authenticator.KEY], "until": 0}
    session.save()

    answer = client.post(ADD, {"code": totp(secret)})

    assert answer.status_code == 200 and answer.context["form"].secret != secret


def test_app_is_not_added_a_second_time(person, by_forms, client: Client):
    by_forms.add_authenticator(person)

    assert client.get(ADD)["Location"] == REMOVE


def test_app_is_removed_after_a_question(person, by_forms, client: Client):
    by_forms.add_authenticator(person)

    assert client.get(REMOVE).status_code == 200
    assert has_app(by_forms, person)
    client.post(REMOVE)

    assert not has_app(by_forms, person)
    assert said(client) == [authenticator.REMOVED]


@pytest.mark.parametrize("path", [ADD, REMOVE])
@pytest.mark.parametrize("method", ["get", "post"])
def test_page_asks_who_that_is_after_five_minutes(person, by_forms, client: Client, path: str, method: str):
    by_forms.add_authenticator(person)
    lapse(client)

    assert getattr(client, method)(path)["Location"] == f"{CONFIRM}?next={path.replace('/', '%2F')}"
    assert has_app(by_forms, person)


def test_secret_that_was_shown_in_time_takes_its_code_after_five_minutes(person, by_forms, client: Client):
    secret = client.get(ADD).context["form"].secret
    lapse(client)

    assert client.post(ADD, {"code": totp(secret)})["Location"] == ACCOUNT
    assert has_app(by_forms, person)


def test_refresh_is_no_confirmation(person, client: Client):
    lapse(client)
    age(client, 3600)
    client.get("/")

    assert client.get(ADD).status_code == 302


def test_own_password_confirms_for_five_minutes_and_leads_on(person, client: Client):
    lapse(client)

    answer = client.post(CONFIRM, {"password": PASSWORD, "next": ADD})

    assert answer["Location"] == ADD
    assert client.get(ADD).status_code == 200


def test_confirmation_replaces_the_refresh_token_and_revokes_the_former(person, by_forms: UserPool, client: Client):
    before = sessions.unseal(client.session[sessions.KEY]["refresh_token"])

    client.post(CONFIRM, {"password": PASSWORD})

    with pytest.raises(NotLetIn):
        tokens.refresh(before, client_id=by_forms.public_client_id)
    after = sessions.unseal(client.session[sessions.KEY]["refresh_token"])
    assert tokens.refresh(after, client_id=by_forms.public_client_id).id_token


def test_wrong_password_does_not_confirm_and_is_counted(person, client: Client):
    lapse(client)

    answers = [client.post(CONFIRM, {"password": "wrong"}) for _ in range(6)]

    assert answers[0].context["form"].errors["password"] == [confirming.NOT_YOURS]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert answers[-1]["Retry-After"]
    assert client.get(ADD).status_code == 302


def test_confirmation_with_an_app_takes_its_code_too(person, by_forms: UserPool, client: Client):
    secret = by_forms.add_authenticator(person)
    lapse(client)

    assert client.post(CONFIRM, {"password": PASSWORD, "next": REMOVE})["Location"] == CONFIRM_CODE
    assert client.get(REMOVE).status_code == 302
    assert client.post(CONFIRM_CODE, {"code": "000000"}).status_code == 422
    assert client.post(CONFIRM_CODE, {"code": totp(secret)})["Location"] == REMOVE
    assert client.get(REMOVE).status_code == 200


def test_confirmation_whose_question_is_over_begins_again(person, by_forms: UserPool, client: Client, monkeypatch):
    def over(*args: Any) -> None:
        raise passwords.ChallengeOver(passwords.BEGIN_AGAIN)

    by_forms.add_authenticator(person)
    client.post(CONFIRM, {"password": PASSWORD, "next": REMOVE})
    monkeypatch.setattr(passwords, "answer_totp", over)

    answer = client.post(CONFIRM_CODE, {"code": "123456"}, follow=True)

    assert answer.redirect_chain == [(f"{CONFIRM}?next=%2Faccount%2Fapp%2Fremove%2F", 302)]
    assert [str(message) for message in answer.context["messages"]] == [confirming.TOO_LONG]


def test_code_without_a_password_before_it_leads_to_the_password(person, client: Client):
    assert client.get(CONFIRM_CODE)["Location"] == CONFIRM


def test_confirmation_leads_to_no_other_site(person, client: Client):
    answer = client.post(CONFIRM, {"password": PASSWORD, "next": "https://elsewhere.example/"})

    assert answer["Location"] == ACCOUNT


def test_confirmation_that_gives_somebody_elses_token_confirms_nothing(person, by_forms, client, monkeypatch):
    other = by_forms.tokens(by_forms.add("admin"))
    given = tokens.Tokens(by_forms.public_client_id, other["IdToken"], other["RefreshToken"])
    monkeypatch.setattr(passwords, "sign_in", lambda *args: given)

    lapse(client)

    assert client.post(CONFIRM, {"password": PASSWORD}).status_code == 422
    assert client.get(ADD).status_code == 302
    assert client.session[sessions.KEY]["sub"] == by_forms.sub(person)


def test_managed_login_is_told_to_ask_again_and_leads_back(by_managed_login: UserPool, enter, client: Client):
    address = by_managed_login.add("viewer")
    enter(address)
    before = sessions.unseal(client.session[sessions.KEY]["refresh_token"])
    lapse(client)
    assert client.get(ADD)["Location"].startswith(CONFIRM)

    there = client.post(CONFIRM, {"next": ADD})["Location"]
    back = through_managed_login(by_managed_login, there, address).removeprefix("http://testserver")

    assert "prompt=login" in there
    assert client.get(back)["Location"] == ADD
    assert client.get(ADD).context["form"].secret
    with pytest.raises(NotLetIn):
        tokens.refresh(before, client_id=by_managed_login.client_id)


def test_managed_login_that_did_not_ask_confirms_nothing_and_is_told_on(by_managed_login, enter, client, monkeypatch):
    from portal.gateways.cognito import id_tokens

    address = by_managed_login.add("viewer")
    enter(address)
    lapse(client)
    there = client.post(CONFIRM, {"next": ADD})["Location"]
    back = through_managed_login(by_managed_login, there, address).removeprefix("http://testserver")
    verify = id_tokens.verify
    monkeypatch.setattr(id_tokens, "verify", lambda *args, **more: {**verify(*args, **more), "auth_time": 1})

    answer = client.get(back, follow=True)

    assert answer.redirect_chain[-1][0].startswith(CONFIRM)
    assert "Sign out, sign in with your password" in " ".join(map(str, answer.context["messages"]))


def test_app_of_somebody_who_came_by_managed_login_is_added(by_managed_login: UserPool, enter, client: Client):
    address = by_managed_login.add("viewer")
    enter(address)
    secret = client.get(ADD).context["form"].secret

    client.post(ADD, {"code": totp(secret)})

    assert has_app(by_managed_login, address)


@pytest.mark.parametrize("path", [ADD, REMOVE, ACCOUNT])
def test_page_of_somebody_switched_off_in_the_pool_ends_the_session_with_a_sentence(person, by_forms, client, path):
    by_forms.admin.admin_disable_user(UserPoolId=by_forms.id, Username=person)

    answer = (client.post if path == REMOVE else client.get)(path, follow=True)

    assert answer.redirect_chain == [(f"{reverse('account_login')}?next={path}", 302)]
    assert [str(message) for message in answer.context["messages"]] == [tokens.ENDED]
    assert not answer.wsgi_request.user.is_authenticated


def test_page_whose_token_may_not_do_this_says_so_and_keeps_the_person_in(person, client: Client, monkeypatch):
    def refused(token: str) -> bool:
        raise authenticators.Refused(authenticators.NO_RIGHT)

    monkeypatch.setattr(authenticators, "has_app", refused)

    assert client.get(ADD)["Location"] == ACCOUNT
    page = client.get(ACCOUNT)
    assert page.content.decode().count("Sign out, sign in and try again") == 2  # as a message, and in its place


def test_account_page_while_cognito_is_away_is_there_without_the_app(person, client: Client, monkeypatch):
    def away(*args: Any, **more: Any) -> None:
        raise BackendAway("The sign-in service cannot be reached just now.")

    monkeypatch.setattr(tokens, "refresh", away)

    page = client.get(ACCOUNT)

    assert page.status_code == 200
    assert "cannot be reached just now" in page.content.decode() and "Where you are signed in" in page.content.decode()
    assert client.get(ADD).status_code == 503


def test_app_whose_second_step_fails_is_told_so(person, client: Client, monkeypatch):
    def fails(*args: Any, **more: Any) -> None:
        raise BackendAway("away", detail="x")

    secret = client.get(ADD).context["form"].secret
    monkeypatch.setattr(authenticators, "_prefer", fails)

    answer = client.post(ADD, {"code": totp(secret)})

    assert answer.status_code == 503
    assert "could not be switched on" in answer.content.decode()


def test_pages_of_the_app_are_not_there_for_a_session_that_is_not_the_pools(by_forms: UserPool, client: Client):
    client.force_login(make_user("ada"))

    assert [client.get(path).status_code for path in (ADD, REMOVE, CONFIRM, CONFIRM_CODE)] == [404] * 4


def test_access_token_of_a_session_that_another_request_refreshed_is_the_winners(person, client, monkeypatch):
    refresh, calls = tokens.refresh, []

    def rotated(refresh_token: str, *, client_id: str) -> tokens.Tokens:
        """The first try loses: another request has had the token rotated, and stored what it got."""
        calls.append(refresh_token)
        if len(calls) > 1:
            return refresh(refresh_token, client_id=client_id)
        session = client.session
        kept = session[sessions.KEY]
        session[sessions.KEY] = {**kept, "expires_at": kept["expires_at"] + 1}
        session.save()
        raise NotLetIn(tokens.ENDED)

    monkeypatch.setattr(tokens, "refresh", rotated)

    assert client.get(ACCOUNT).status_code == 200
    assert len(calls) == 2
