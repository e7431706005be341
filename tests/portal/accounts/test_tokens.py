"""Tokens for programs: who may have them, what is kept, and when they stop to count."""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.accounts import roles, tokens
from portal.accounts.models import ApiToken, User
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga() -> User:
    return make_user("olga", roles.MODEL_OWNER)


def make(client: Client, name: str = "nightly", days: int = 90) -> object:
    return client.post(reverse("accounts:tokens"), {"name": name, "days": days})


def test_token_made_on_the_page_is_shown_once_and_kept_as_a_hash(client: Client, olga: User):
    client.force_login(olga)

    answer = make(client)

    row = ApiToken.objects.get()
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert answer["Cache-Control"].startswith("max-age=0")
    assert row.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert row.expires_at - row.created_at > timedelta(days=89)
    assert secret not in client.get(reverse("accounts:tokens")).content.decode()


def test_token_of_a_name_that_is_taken_is_told_at_the_field(client: Client, olga: User):
    client.force_login(olga)
    make(client)

    answer = make(client)

    assert answer.status_code == 422
    assert "You have a token of this name." in answer.context["form"].errors["name"][0]


@pytest.mark.parametrize("role", [roles.VIEWER, roles.PREDICTOR])
def test_token_wanted_by_who_may_not_upload_is_forbidden(client: Client, role: str):
    client.force_login(make_user("petra", role))

    assert make(client).status_code == 403
    assert not ApiToken.objects.exists()


def test_token_names_its_person_and_notes_its_use_to_the_minute(olga: User):
    row, secret = tokens.make_token(olga, name="nightly", days=1)

    found = tokens.find_user(secret)
    row.refresh_from_db()
    first_use = row.last_used_at
    tokens.find_user(secret)

    row.refresh_from_db()
    assert found == olga
    assert first_use is not None and row.last_used_at == first_use


@pytest.mark.parametrize("secret", ["", "portico_", "portico_wrong", "\udcff", "x" * 10_000])
def test_token_that_is_none_names_nobody(olga: User, secret: str):
    tokens.make_token(olga, name="nightly", days=1)

    assert tokens.find_user(secret) is None


def test_token_past_its_last_day_names_nobody(olga: User):
    row, secret = tokens.make_token(olga, name="nightly", days=1)
    ApiToken.objects.filter(pk=row.pk).update(expires_at=timezone.now())

    assert tokens.find_user(secret) is None


def test_token_of_a_person_switched_off_names_nobody(olga: User):
    _row, secret = tokens.make_token(olga, name="nightly", days=1)
    User.objects.update(is_active=False)

    assert tokens.find_user(secret) is None


def test_token_taken_back_names_nobody_and_frees_its_name(client: Client, olga: User):
    row, secret = tokens.make_token(olga, name="nightly", days=1)
    client.force_login(olga)

    client.post(reverse("accounts:revoke_token", args=[row.pk]))

    assert tokens.find_user(secret) is None
    assert make(client).status_code == 200


def test_token_of_somebody_else_cannot_be_taken_back(client: Client, olga: User):
    row, secret = tokens.make_token(olga, name="nightly", days=1)
    client.force_login(make_user("otto", roles.MODEL_OWNER))

    answer = client.post(reverse("accounts:revoke_token", args=[row.pk]))

    assert answer.status_code == 404
    assert tokens.find_user(secret) == olga
