"""Signing in and out: who is let in, by which name, and what is said to everybody else."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

from portal.accounts.models import User
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db
NO_MATCH = b"That name and password do not belong together."


def sign_in(client: Client, name: str, password: str, **more: str):
    return client.post(reverse("account_login"), {"username": name, "password": password, **more})


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.org", "Ada@Example.org", " ada "])
def test_sign_in_by_username_or_address_in_any_case_opens_the_door(client: Client, name: str):
    User.objects.filter(pk=make_user("ada").pk).update(email="ada@example.org")

    answer = sign_in(client, name, "ada-password")

    assert answer.status_code == 302
    assert client.get("/").status_code == 200


def test_sign_in_under_a_name_that_two_people_share_but_for_its_case_takes_the_exact_one(client: Client):
    make_user("Ada")
    small = make_user("ada")

    sign_in(client, "ada", "ada-password")

    assert client.session["_auth_user_id"] == str(small.pk)


def test_sign_in_by_an_address_that_two_people_share_is_refused(client: Client):
    for name in ("ada", "bob"):
        make_user(name)
    User.objects.update(email="both@example.org")

    assert NO_MATCH in sign_in(client, "both@example.org", "ada-password").content


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("nobody", "ada-password"), ("no@example.org", "wrong"), ("off", "off-password")],
)
def test_sign_in_that_fails_is_refused_in_the_same_words(client: Client, name: str, password: str):
    make_user("ada")
    User.objects.filter(pk=make_user("off").pk).update(is_active=False)

    answer = sign_in(client, name, password)

    assert NO_MATCH in answer.content
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["ada", "ADA@example.org", "nobody", "off"])
def test_sign_in_hashes_one_password_whoever_is_asked_for(client: Client, monkeypatch: pytest.MonkeyPatch, name: str):
    User.objects.filter(pk=make_user("ada").pk).update(email="ada@example.org")
    User.objects.filter(pk=make_user("off").pk).update(is_active=False)
    hashed, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *given: hashed.append(1) or encode(self, *given))

    sign_in(client, name, "wrong")

    assert len(hashed) == 1


def test_password_page_of_somebody_who_has_none_here_is_not_there(client: Client):
    user = make_user("ada")
    user.set_unusable_password()
    user.save()
    client.force_login(user)

    assert client.get(reverse("account_change_password")).status_code == 404
    assert b"Change password" not in client.get(reverse("mfa_index")).content


def test_sign_in_leads_on_to_the_page_that_was_asked_for(client: Client):
    make_user("ada")

    assert sign_in(client, "ada", "ada-password", next="/history/")["Location"] == "/history/"


def test_sign_in_leads_to_no_other_site(client: Client):
    make_user("ada")

    assert sign_in(client, "ada", "ada-password", next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "null",
        "{}",
        "[]",
        "5",
        '"x"',
        "not json",
        '{"id": "AA"}',
        '{"response": 5}',
        '{"response": {"userHandle": 7}}',
    ],
)
def test_junk_in_a_passkeys_place_is_refused_in_words(client: Client, junk: str):
    client.get(reverse("mfa_login_webauthn"), HTTP_ACCEPT="application/json")

    answer = client.post(reverse("mfa_login_webauthn"), {"credential": junk}, follow=True)

    assert answer.redirect_chain == [(reverse("account_login"), 302)]
    assert b"That passkey opens no account here." in answer.content


@pytest.mark.parametrize(
    ("host", "is_secure", "is_offered"),
    [
        ("localhost:8000", False, True), ("127.0.0.1:8000", False, False), ("portico.example", True, True),
        ("portico.example", False, False), ("192.0.2.7", True, False), ("[::1]:8000", False, False),
    ],
)  # fmt: skip
def test_passkey_is_offered_where_browsers_have_them(
    client: Client, settings, host: str, is_secure: bool, is_offered: bool
):
    settings.ALLOWED_HOSTS = ["*"]

    page = client.get(reverse("account_login"), headers={"host": host}, secure=is_secure)

    assert (b"Use a passkey" in page.content) == is_offered
