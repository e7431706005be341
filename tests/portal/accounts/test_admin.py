"""People in the console: who may change whom."""

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.models import User
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough pass phrase"


@pytest.fixture
def admin(client: Client) -> User:
    user = make_user("anna", roles.ADMIN)
    client.force_login(user)
    return user


def change(client: Client, user: User, **fields: str) -> int:
    address = reverse("admin:accounts_user_change", args=[user.pk])
    return client.post(address, {"username": user.username, "role": user.role, "is_active": "on"} | fields).status_code


def test_people_opened_by_a_model_owner_are_forbidden(client: Client):
    client.force_login(make_user("olga", roles.MODEL_OWNER))

    answer = client.get(reverse("admin:accounts_user_changelist"))

    assert answer.status_code == 403


def test_person_added_with_a_role_has_its_permissions(client: Client, admin: User):
    client.post(
        reverse("admin:accounts_user_add"),
        {"username": "grace", "role": roles.MODEL_OWNER, "password1": PASSWORD, "password2": PASSWORD},
    )

    grace = User.objects.get(username="grace")
    assert grace.is_staff and not grace.is_superuser
    assert grace.has_perm("registry.activate_modelversion")


def test_person_given_a_lower_role_loses_the_console(client: Client, admin: User):
    olga = make_user("olga", roles.MODEL_OWNER)

    change(client, olga, role=roles.VIEWER)

    olga = User.objects.get(pk=olga.pk)
    assert (olga.role, olga.is_staff) == (roles.VIEWER, False)


def test_person_switched_off_can_no_longer_sign_in(client: Client, admin: User):
    grace = make_user("grace")
    address = reverse("admin:accounts_user_change", args=[grace.pk])

    client.post(address, {"username": "grace", "role": grace.role})

    assert not Client().login(username="grace", password="grace-password")


def test_password_set_by_an_admin_signs_in(client: Client, admin: User):
    grace = make_user("grace")

    client.post(
        reverse("admin:auth_user_password_change", args=[grace.pk]),
        {"new_password1": PASSWORD, "new_password2": PASSWORD},
    )

    assert Client().login(username="grace", password=PASSWORD)


def test_admin_changing_the_own_role_and_switch_keeps_both(client: Client, admin: User):
    change(client, admin, role=roles.VIEWER, is_active="")

    admin.refresh_from_db()
    assert admin.is_active and User.objects.get(pk=admin.pk).role == roles.ADMIN


@pytest.mark.parametrize("name", ["accounts_user_change", "auth_user_password_change"])
def test_superuser_changed_by_an_admin_is_forbidden(client: Client, admin: User, name: str):
    root = User.objects.create_superuser("root", password="root-password")

    answer = client.post(reverse(f"admin:{name}", args=[root.pk]), {"username": "mine"})

    assert answer.status_code == 403


def test_superuser_cannot_be_made_from_the_console(client: Client, admin: User):
    grace = make_user("grace")

    change(client, grace, is_superuser="on", is_staff="on")

    grace.refresh_from_db()
    assert not grace.is_superuser and not grace.is_staff


def test_person_deleted_from_the_console_is_forbidden(client: Client, admin: User):
    grace = make_user("grace")

    answer = client.post(reverse("admin:accounts_user_delete", args=[grace.pk]), {"post": "yes"})

    assert answer.status_code == 403
