"""The console leaves the pool's people to the pool, and makes no accounts that would open nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.cognito import people
from portal.accounts.models import User
from tests.portal.factories import make_user
from tests.user_pool import UserPool

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> User:
    """Somebody of the pool, before an admin who is signed in."""
    client.force_login(make_user("anna", roles.ADMIN))
    claims = {"sub": "0a-1b", "email": "ada@example.org", "email_verified": True, "given_name": "Ada"}
    return people.admit({**claims, "cognito:groups": ["viewer"]})


def change(client: Client, user: User, **fields: str) -> int:
    address = reverse("admin:accounts_user_change", args=[user.pk])
    form = {"username": user.username, "role": user.role, "is_active": "on", "first_name": user.first_name}
    return client.post(address, form | fields).status_code


def test_name_and_role_of_the_pools_people_are_not_changed_here(by_managed_login: UserPool, client: Client, ada: User):
    assert change(client, ada, role=roles.ADMIN, username="root", email="x@example.org", first_name="X") == 302

    ada = User.objects.get(pk=ada.pk)
    assert (ada.role, ada.username, ada.email, ada.first_name) == (
        roles.VIEWER,
        "ada@example.org",
        "ada@example.org",
        "Ada",
    )


def test_somebody_of_the_pool_can_be_switched_off_here(by_managed_login: UserPool, client: Client, ada: User):
    change(client, ada, is_active="")

    assert not User.objects.get(pk=ada.pk).is_active


def test_pages_to_add_people_and_set_passwords_are_not_there(by_managed_login: UserPool, client: Client, ada: User):
    password = reverse("admin:auth_user_password_change", args=[ada.pk])

    assert client.get(reverse("admin:accounts_user_add")).status_code == 403
    assert client.get(password).status_code == 404
    assert client.get(reverse("admin:password_change")).status_code == 404
    page = client.get(reverse("admin:accounts_user_change", args=[ada.pk]))
    assert page.status_code == 200 and password not in page.content.decode()


def test_console_opened_by_nobody_leads_to_the_pools_door(by_managed_login: UserPool, client: Client):
    answer = client.get(reverse("admin:accounts_user_changelist"), follow=True)

    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))
    assert answer.status_code == 200


def test_account_of_somebody_of_the_pool_shows_sessions_and_no_password(by_forms: UserPool, enter_by_form, client):
    enter_by_form(by_forms.add("viewer"))

    page = client.get(reverse("mfa_index")).content.decode()

    assert "Where you are signed in" in page
    assert "Change password" not in page
