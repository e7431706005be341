"""The portal's own forms: password, first password, authenticator, forgotten password."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.cognito import challenges, sessions
from portal.accounts.cognito.forms import PASSWORD_RULES
from portal.accounts.cognito.views.passwords import CHANGED, SENT
from portal.errors import TooOften
from portal.gateways.cognito import client as pool_gateway
from portal.gateways.cognito import passwords
from tests.user_pool import BETTER, CODE, PASSWORD, TEMPORARY, UserPool, make_pool, totp

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(found) for name, found in answer.context["form"].errors.items()}


def test_sign_in_by_form_lets_the_person_in_where_they_wanted_to_go(by_forms: UserPool, enter_by_form, client: Client):
    answer = enter_by_form(by_forms.add("predictor"), next="/history/")

    assert answer["Location"] == "/history/"
    assert client.get("/").context["user"].role == roles.PREDICTOR
    assert client.session[sessions.KEY]["client_id"] == by_forms.public_client_id


def test_sign_in_by_form_leads_to_no_other_site(by_forms: UserPool, enter_by_form):
    assert enter_by_form(by_forms.add("viewer"), next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize("has_account", [True, False])
def test_wrong_password_is_refused_in_the_same_words_for_everybody(by_forms: UserPool, enter_by_form, has_account):
    answer = enter_by_form(by_forms.add() if has_account else "nobody@example.org", "wrong")

    assert answer.status_code == 422
    assert errors(answer) == {"__all__": [passwords.NO_MATCH]}
    assert b"wrong" not in answer.content.split(b"<form")[1]


def test_first_password_is_replaced_and_lets_the_person_in(by_forms: UserPool, enter_by_form, client: Client):
    address = by_forms.add("viewer", is_new=True)

    asked = enter_by_form(address, TEMPORARY, next="/history/")
    assert asked["Location"] == reverse("cognito_new_password")
    page = client.get(asked["Location"])
    assert PASSWORD_RULES in page.content.decode()
    answer = client.post(asked["Location"], {"password": BETTER, "again": BETTER})

    assert answer["Location"] == "/history/"
    assert client.get("/").status_code == 200
    assert challenges.KEY not in client.session


def test_cognitos_note_of_a_sign_in_is_in_no_page_and_no_address(by_forms: UserPool, enter_by_form, client: Client):
    asked = enter_by_form(by_forms.add(is_new=True), TEMPORARY)
    page = client.get(asked["Location"])

    note = client.session[challenges.KEY]["session"]
    assert len(note) >= 20
    assert note not in page.content.decode() and note not in asked["Location"]


def test_first_password_typed_differently_twice_is_told_at_the_field(by_forms: UserPool, enter_by_form, client: Client):
    asked = enter_by_form(by_forms.add(is_new=True), TEMPORARY)

    answer = client.post(asked["Location"], {"password": BETTER, "again": "x"})

    assert answer.status_code == 422 and list(errors(answer)) == ["again"]


def test_first_password_that_the_pool_refuses_is_told_at_the_field_and_may_be_mended(
    by_forms: UserPool, enter_by_form, client: Client, monkeypatch
):
    asked = enter_by_form(by_forms.add("viewer", is_new=True), TEMPORARY)
    refusal = passwords._bad_password("Password did not conform with policy: Password not long enough")

    with monkeypatch.context() as patch:  # the emulator takes any
        patch.setattr(passwords.pool_client(), "respond_to_auth_challenge", _raiser(refusal))
        answer = client.post(asked["Location"], {"password": "short", "again": "short"})

    assert errors(answer) == {"password": ["Choose another password: it is too short."]}
    assert client.post(asked["Location"], {"password": BETTER, "again": BETTER}).status_code == 302


def test_challenge_that_was_asked_too_long_ago_leads_back_to_the_beginning(
    by_forms: UserPool, enter_by_form, client: Client, monkeypatch
):
    asked = enter_by_form(by_forms.add(is_new=True), TEMPORARY)
    over = passwords.ChallengeOver(passwords.BEGIN_AGAIN)
    monkeypatch.setattr(passwords.pool_client(), "respond_to_auth_challenge", _raiser(over))

    answer = client.post(asked["Location"], {"password": BETTER, "again": BETTER}, follow=True)

    assert answer.redirect_chain[-1][0] == reverse("account_login")
    assert passwords.BEGIN_AGAIN in answer.content.decode()


@pytest.mark.parametrize("name", ["cognito_new_password", "cognito_code"])
def test_page_of_a_challenge_that_nobody_asked_leads_to_the_beginning(by_forms: UserPool, client: Client, name: str):
    assert client.get(reverse(name))["Location"] == reverse("account_login")
    assert client.post(reverse(name), {"code": "123456"})["Location"] == reverse("account_login")


def test_page_of_one_challenge_answers_no_other(by_forms: UserPool, enter_by_form, client: Client):
    enter_by_form(by_forms.add(is_new=True), TEMPORARY)

    assert client.post(reverse("cognito_code"), {"code": "123456"})["Location"] == reverse("account_login")


@pytest.mark.parametrize("gap", ["", " "])
def test_authenticators_code_lets_the_person_in(by_forms: UserPool, enter_by_form, client: Client, gap: str):
    address = by_forms.add("viewer")
    secret = by_forms.add_authenticator(address)

    asked = enter_by_form(address)
    assert asked["Location"] == reverse("cognito_code")
    assert client.get("/").status_code == 302
    code = totp(secret)
    answer = client.post(asked["Location"], {"code": code[:3] + gap + code[3:]})

    assert answer["Location"] == "/"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(("code", "told"), [("000000", passwords.WRONG_TOTP), ("12", "The code is six digits.")])
def test_authenticators_code_that_is_wrong_is_told_at_the_field(by_forms, enter_by_form, client, code: str, told: str):
    address = by_forms.add()
    by_forms.add_authenticator(address)
    asked = enter_by_form(address)

    answer = client.post(asked["Location"], {"code": code})

    assert errors(answer) == {"code": [told]}


def test_forgotten_password_is_set_anew_by_the_code_that_was_sent(by_forms: UserPool, enter_by_form, client: Client):
    address = by_forms.add("viewer")

    sent = client.post(reverse("cognito_forgotten"), {"username": address}, follow=True)
    assert SENT in sent.content.decode()
    assert sent.context["form"]["username"].value() == address
    assert PASSWORD_RULES in sent.content.decode()
    form = {"username": address, "code": CODE, "password": BETTER, "again": BETTER}
    answer = client.post(reverse("cognito_reset"), form, follow=True)

    assert CHANGED in answer.content.decode()
    assert enter_by_form(address, BETTER)["Location"] == "/"


def test_code_for_nobody_is_answered_as_one_that_was_sent(by_forms: UserPool, client: Client):
    pages = []
    for name in (by_forms.add(), "nobody@example.org"):
        answer = client.post(reverse("cognito_forgotten"), {"username": name}, follow=True)
        pages.append((answer.redirect_chain, [str(each) for each in answer.context["messages"]]))

    assert pages[0] == pages[1]


def test_wrong_code_and_short_password_are_told_at_their_fields(by_forms: UserPool, client: Client):
    address = by_forms.add()
    client.post(reverse("cognito_forgotten"), {"username": address})
    form = {"username": address, "code": "1", "password": BETTER, "again": BETTER}

    wrong = client.post(reverse("cognito_reset"), form)
    short = client.post(reverse("cognito_reset"), {**form, "code": CODE, "password": "short", "again": "short"})

    assert errors(wrong) == {"code": [passwords.WRONG_CODE]}
    assert list(errors(short)) == ["password"]


def test_password_that_an_administrator_had_reset_leads_to_a_code(by_forms: UserPool, enter_by_form, client: Client):
    address = by_forms.add()
    by_forms.admin.admin_reset_user_password(UserPoolId=by_forms.id, Username=address)

    answer = enter_by_form(address)

    assert answer["Location"] == reverse("cognito_forgotten")
    page = client.get(answer["Location"])
    assert passwords.RESET_FIRST in page.content.decode()
    assert page.context["form"]["username"].value() == address


def test_attempts_beyond_the_limit_are_refused_without_asking_cognito(by_forms, enter_by_form, monkeypatch):
    address = by_forms.add()
    for _ in range(5):
        assert enter_by_form(address, "wrong").status_code == 422
    monkeypatch.setattr(passwords, "sign_in", _raiser(AssertionError("Cognito was asked")))

    answer = enter_by_form(address.upper())

    assert answer.status_code == 429 and 0 < int(answer["Retry-After"]) <= 300
    assert errors(answer) == {"__all__": ["Too many tries failed. Try again in 5 minutes."]}


def test_right_passwords_are_not_counted(by_forms: UserPool, enter_by_form, client: Client):
    address = by_forms.add()
    for _ in range(7):
        assert enter_by_form(address).status_code == 302
        client.post(reverse("account_logout"))


def test_codes_beyond_the_limit_are_not_sent(by_forms: UserPool, client: Client):
    answers = [client.post(reverse("cognito_forgotten"), {"username": "ada@example.org"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [302] * 5 + [429]


def test_lockout_by_cognito_is_a_429_in_plain_words(by_forms: UserPool, enter_by_form, monkeypatch):
    monkeypatch.setattr(passwords, "sign_in", _raiser(TooOften(pool_gateway.TOO_OFTEN)))

    answer = enter_by_form("ada@example.org")

    assert answer.status_code == 429
    assert "Wait a few minutes" in answer.content.decode()


@pytest.mark.parametrize("kind", ["AccessToken", "other pool"])
def test_answer_with_a_token_that_is_not_to_be_trusted_signs_nobody_in(by_forms, enter_by_form, monkeypatch, kind):
    other = make_pool(by_forms.endpoint, origin="http://testserver")
    address = by_forms.add("admin")
    given = by_forms.tokens(address) if kind == "AccessToken" else other.tokens(other.add("admin"))
    wrong = given[kind] if kind == "AccessToken" else given["IdToken"]
    said = {"AuthenticationResult": {"IdToken": wrong, "RefreshToken": "r"}}
    monkeypatch.setattr(passwords.pool_client(), "initiate_auth", lambda **asked: said)

    answer = enter_by_form(address)

    assert answer.status_code == 422
    assert "could not be verified" in errors(answer)["__all__"][0]
    assert not answer.wsgi_request.user.is_authenticated


def test_forms_end_at_the_portal_only(by_forms: UserPool, client: Client):
    assert "form-action 'self';" in f"{client.get(reverse('account_login'))['Content-Security-Policy']};"


def test_pages_are_not_cached_and_not_for_those_who_are_in(by_forms: UserPool, enter_by_form, client: Client):
    names = ("account_login", "cognito_forgotten", "cognito_reset")
    assert all("no-store" in client.get(reverse(name))["Cache-Control"] for name in names)

    enter_by_form(by_forms.add("viewer"), PASSWORD)

    assert all(client.get(reverse(name)).status_code == 302 for name in names)


def _raiser(error: Exception) -> Any:
    def fail(*args: Any, **asked: Any) -> None:
        raise error

    return fail
