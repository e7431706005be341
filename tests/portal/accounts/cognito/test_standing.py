"""Tokens for programs where a user pool decides who people are."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from portal.accounts import roles, tokens
from portal.accounts.cognito import people, sessions, standing
from portal.accounts.models import User
from portal.errors import BackendAway
from portal.gateways.cognito import people as gateway
from tests.portal.accounts.cognito.conftest import age
from tests.portal.factories import make_user
from tests.user_pool import UserPool

pytestmark = pytest.mark.django_db
PATH = "/api/models/churn/versions/1/"


class Asked:
    """Counts how often the pool is asked, and lets it through or fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.error, self._ask = 0, None, gateway.is_welcome
        monkeypatch.setattr(gateway, "is_welcome", self)

    def __call__(self, name: str) -> bool:
        self.count += 1
        if self.error:
            raise self.error
        return self._ask(name)


class Clock:
    """The clock, which a test moves on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.later = 0.0
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + self.later)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    cache.clear()
    return Asked(monkeypatch)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def program(by_forms: UserPool, enter_by_form: Any, asked: Asked) -> tuple[str, str]:
    """A model owner's address, and the token of a program of theirs."""
    address = by_forms.add("model-owner")
    enter_by_form(address)
    _, secret = tokens.make_token(User.objects.get(email=address), name="nightly", days=90)
    return address, secret


def call(secret: str) -> Any:
    return Client().get(PATH, headers={"Authorization": f"Bearer {secret}"})


def switch_off(pool: UserPool, address: str) -> None:
    pool.admin.admin_disable_user(UserPoolId=pool.id, Username=address)


def test_token_of_somebody_in_the_pool_is_taken_and_the_pool_asked_once_in_five_minutes(program, asked, clock):
    answers = [call(program[1]).status_code for _ in range(3)]
    clock.later = standing.KEPT_S + 1
    answers.append(call(program[1]).status_code)

    assert answers == [404] * 4  # there is no such model, but the person may ask
    assert asked.count == 2


def test_token_of_somebody_switched_off_in_the_pool_is_refused_within_five_minutes(program, by_forms, clock):
    address, secret = program
    call(secret)
    switch_off(by_forms, address)
    assert call(secret).status_code == 404
    clock.later = standing.KEPT_S + 1

    answer = call(secret)

    assert answer.status_code == 401
    assert "may no longer sign in" in answer.json()["error"]["message"]


def test_token_of_somebody_switched_on_again_is_taken_again(program, by_forms, clock):
    address, secret = program
    switch_off(by_forms, address)
    assert call(secret).status_code == 401
    by_forms.admin.admin_enable_user(UserPoolId=by_forms.id, Username=address)
    clock.later = standing.KEPT_S + 1

    assert call(secret).status_code == 404


def test_token_of_somebody_gone_from_the_pool_is_refused(program, by_forms):
    address, secret = program
    by_forms.admin.admin_delete_user(UserPoolId=by_forms.id, Username=address)

    assert call(secret).status_code == 401


def test_token_is_refused_at_once_where_a_sessions_refresh_was(program, by_forms, client: Client):
    address, secret = program
    call(secret)
    switch_off(by_forms, address)
    age(client, 3600)
    client.get("/")

    assert call(secret).status_code == 401


def test_token_while_the_pool_is_away_counts_as_it_did_for_an_hour_and_does_not_ask_each_time(program, asked, clock):
    call(program[1])
    asked.error = BackendAway("The sign-in service cannot be reached just now.")
    clock.later = standing.GRACE_S - 60

    assert [call(program[1]).status_code for _ in range(3)] == [404] * 3
    assert asked.count == 2


def test_token_while_the_pool_is_away_stays_refused_if_it_was(program, by_forms, asked, clock):
    address, secret = program
    switch_off(by_forms, address)
    call(secret)
    asked.error = BackendAway("away")
    clock.later = standing.KEPT_S + 1

    assert call(secret).status_code == 401


def test_token_while_the_pool_is_away_for_longer_than_an_hour_gets_503(program, asked, clock):
    call(program[1])
    asked.error = BackendAway("The sign-in service cannot be reached just now.")
    clock.later = standing.GRACE_S + 1

    answer = call(program[1])

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "away"
    assert answer["X-Request-Id"] in answer.json()["error"]["message"]


def test_token_that_nobody_has_asks_the_pool_nothing(program, asked):
    assert call("portico_wrong").status_code == 401
    assert asked.count == 0


def test_token_of_a_local_account_opens_nothing_where_a_pool_decides(by_forms: UserPool, asked):
    _, secret = tokens.make_token(make_user("olga", roles.MODEL_OWNER), name="nightly", days=90)

    assert tokens.find_user(secret) is None
    assert asked.count == 0


def test_token_of_a_local_account_asks_no_pool_where_none_decides(asked):
    olga = make_user("olga", roles.MODEL_OWNER)
    _, secret = tokens.make_token(olga, name="nightly", days=90)

    assert tokens.find_user(secret) == olga
    assert asked.count == 0


def test_person_is_asked_about_by_the_name_that_the_pool_has_for_them(by_forms: UserPool, enter_by_form, client):
    address = by_forms.add("viewer")
    enter_by_form(address)
    user = User.objects.get(email=address)

    claims = by_forms.claims(address)

    assert people.name_in_the_pool(user) == claims["cognito:username"]
    assert sessions.read(client.session)["sub"] == claims["sub"]


def test_person_of_a_row_without_a_name_is_asked_about_by_sub():
    user = people.admit({"sub": "0a-1b"})
    account = user.socialaccount_set.get()
    account.extra_data = {}
    account.save()

    assert people.name_in_the_pool(user) == "0a-1b"
