"""Where a person is signed in, and how that ends."""

import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import User
from portal.accounts.sessions import NOTED_EVERY_S, device
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"


@pytest.fixture
def ada() -> User:
    return make_user("ada")


def signed_in(user_agent: str = FIREFOX, address: str = "192.0.2.1", name: str = "ada") -> Client:
    client = Client(HTTP_USER_AGENT=user_agent, REMOTE_ADDR=address)
    client.post(reverse("account_login"), {"username": name, "password": f"{name}-password"})
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_account_page_lists_each_browser_with_its_address(ada: User):
    here = signed_in()
    signed_in(IPHONE, "198.51.100.7")

    page = here.get(reverse("mfa_index")).content.decode()

    assert [text in page for text in ("Firefox on Linux", "192.0.2.1", "Safari on iPhone", "198.51.100.7")] == [
        True
    ] * 4
    assert page.index("Firefox on Linux") < page.index("Safari on iPhone")


def test_sign_out_there_ends_that_session_alone(ada: User):
    here, there, elsewhere = signed_in(), signed_in(EDGE), signed_in(IPHONE)
    row = UserSession.objects.get(session_key=there.session.session_key)

    here.post(reverse("accounts:end_session", args=[row.pk]))

    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, True]


def test_sign_out_everywhere_else_leaves_this_session(ada: User):
    here, there, elsewhere = signed_in(), signed_in(EDGE), signed_in(IPHONE)

    here.post(reverse("accounts:end_other_sessions"))

    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, False]


def test_session_of_somebody_else_cannot_be_ended(ada: User):
    make_user("bob")
    here, his = signed_in(), signed_in(name="bob")
    row = UserSession.objects.get(session_key=his.session.session_key)

    here.post(reverse("accounts:end_session", args=[row.pk]))

    assert is_in(his)


def test_session_of_before_this_list_is_on_it_after_a_visit(client: Client, ada: User):
    client.force_login(ada)

    client.get("/")

    assert UserSession.objects.get().session_key == client.session.session_key


def test_password_changed_ends_all_other_sessions(ada: User):
    here, there = signed_in(), signed_in(EDGE)
    new = {"password1": "a-calm-harbour-7", "password2": "a-calm-harbour-7"}

    here.post(reverse("account_change_password"), {"oldpassword": "ada-password", **new})

    assert [is_in(client) for client in (here, there)] == [True, False]


def test_sign_in_gives_the_session_another_key(ada: User):
    client = Client()
    client.post(reverse("mfa_login_webauthn"), {"credential": "{}"})  # whose refusal waits in a session
    before = client.session.session_key

    client.post(reverse("account_login"), {"username": "ada", "password": "ada-password"})

    assert before and client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_visits_in_quick_succession_write_nothing(ada: User):
    client = signed_in()

    with CaptureQueriesContext(connection) as queries:
        client.get("/")

    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []


def test_visit_after_five_minutes_puts_the_end_off(ada: User, monkeypatch: pytest.MonkeyPatch):
    client = signed_in()
    row = Session.objects.get()
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=1))
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    later = time.time() + NOTED_EVERY_S
    monkeypatch.setattr(time, "time", lambda: later)

    answer = client.get("/")

    assert Session.objects.get().expire_date >= row.expire_date
    assert timezone.now() - UserSession.objects.get().last_seen_at < timedelta(minutes=1)
    assert answer.cookies["sessionid"]["max-age"] == 12 * 3600


def test_session_that_nobody_used_for_half_a_day_has_ended(ada: User):
    client = signed_in()

    assert Session.objects.get().expire_date - timezone.now() <= timedelta(hours=12)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(client)


def test_cookie_of_a_session_is_kept_from_scripts_and_other_sites(ada: User):
    cookie = signed_in().cookies["sessionid"]

    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"), (EDGE, "Edge on Windows"), (IPHONE, "Safari on iPhone"),
        ("python-requests/2.32", "python-requests"), ("curl/8.5.0", "curl"), ("", "Unknown"),
    ],
)  # fmt: skip
def test_device_is_named_in_words(user_agent: str, words: str):
    assert device(user_agent) == words
