"""Who fails too often has to wait, is told how long, and shuts nobody else out."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection
from django.test import Client
from django.urls import reverse

from portal.accounts.limits import in_words
from portal.accounts.models import User
from tests.portal.accounts.codes import code_now
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db
FIVE_MINUTES = 300


@pytest.fixture
def ada() -> User:
    return make_user("ada")


def sign_in(client: Client, name: str = "ada", *, password: str | None = None, address: str = "192.0.2.1"):
    form = {"username": name, "password": "wrong" if password is None else password}
    return client.post(reverse("account_login"), form, REMOTE_ADDR=address)


def fail(client: Client, times: int, **more: str) -> None:
    for _ in range(times):
        assert sign_in(client, **more).status_code == 200


def test_sixth_try_after_five_failures_is_refused_with_when_to_come_back(client: Client, ada: User):
    fail(client, 5)

    answer = sign_in(client, password="ada-password")

    assert answer.status_code == 429
    assert b"Too many tries failed. Try again in 5 minutes." in answer.content
    assert 0 < int(answer["Retry-After"]) <= FIVE_MINUTES


def test_sign_in_once_the_wait_is_over_opens_the_door(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch):
    fail(client, 5)
    wait = int(sign_in(client)["Retry-After"])
    later = time.time() + wait
    monkeypatch.setattr(time, "time", lambda: later)

    assert sign_in(client, password="ada-password").status_code == 302


def test_failures_of_a_stranger_leave_the_same_name_open_from_elsewhere(client: Client, ada: User):
    fail(client, 5, address="203.0.113.9")

    assert sign_in(client, password="ada-password", address="192.0.2.1").status_code == 302


def test_failures_under_one_name_leave_another_open_from_the_same_address(client: Client, ada: User):
    fail(client, 5, name="bob")

    assert sign_in(client, password="ada-password").status_code == 302


def test_failures_under_many_names_close_the_door_to_their_address(client: Client, ada: User):
    for number in range(20):
        assert sign_in(client, name=f"guess-{number}").status_code == 200

    assert sign_in(client, password="ada-password").status_code == 429


def test_right_passwords_are_not_counted(ada: User):
    for _ in range(7):
        assert sign_in(Client(), password="ada-password").status_code == 302


def test_failures_are_counted_where_every_process_sees_them(client: Client, ada: User):
    fail(client, 1)

    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM portico_cache")
        assert cursor.fetchone()[0] > 0


def test_addresses_that_a_visitor_makes_up_are_not_believed(client: Client, ada: User, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    seen = [
        client.post(
            reverse("account_login"),
            {"username": "ada", "password": "wrong"},
            headers={"x-forwarded-for": f"203.0.113.{number}, 192.0.2.1"},
        ).status_code
        for number in range(6)
    ]

    assert seen == [200] * 5 + [429]


def test_sixth_code_after_five_wrong_ones_is_refused(client: Client, ada: User):
    secret = generate_totp_secret()
    TOTP.activate(ada, secret)
    sign_in(client, password="ada-password")
    answers = [client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code for _ in range(5)]

    answer = client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})

    assert answers == [200] * 5
    assert (answer.status_code, "Retry-After" in answer) == (429, True)


def test_sixth_confirmation_after_five_wrong_passwords_is_refused(client: Client, ada: User):
    sign_in(client, password="ada-password")
    page = reverse("account_reauthenticate")
    for _ in range(5):
        assert client.post(page, {"password": "wrong"}).status_code == 200

    assert client.post(page, {"password": "ada-password"}).status_code == 429


def test_very_many_tries_get_a_page_that_says_when(client: Client, ada: User):
    answers = [sign_in(client, password="") for _ in range(31)]

    assert answers[-1].status_code == 429
    assert b"Wait a few minutes" in answers[-1].content


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "a minute"), (60, "a minute"), (61, "2 minutes"), (300, "5 minutes")]
)
def test_wait_is_said_in_whole_minutes_never_too_few(seconds: int, words: str):
    assert in_words(seconds) == words
