"""Who that is: known by `sub` alone, named and given a role by the pool."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount

from portal.accounts import roles
from portal.accounts.cognito import people
from portal.accounts.models import User
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db


def claims(sub: str = "0a-1b", *groups: str, **more: Any) -> dict[str, Any]:
    said = {"sub": sub, "email": "ada@example.org", "email_verified": True, "given_name": "Ada", **more}
    return said | ({"cognito:groups": list(groups)} if groups else {})


def test_person_at_the_first_visit_is_made_without_a_password():
    user = people.admit(claims(family_name="Lovelace"))

    assert (user.username, user.email, str(user)) == ("ada@example.org", "ada@example.org", "Ada Lovelace")
    assert not user.has_usable_password()
    assert SocialAccount.objects.get(user=user).uid == "0a-1b"


def test_person_who_comes_again_is_the_same_under_the_new_address_and_name():
    before = people.admit(claims())

    after = people.admit(claims(email="ada@example.com", given_name="Augusta"))

    assert after.pk == before.pk
    assert (after.username, after.email, after.first_name) == ("ada@example.com", "ada@example.com", "Augusta")


def test_person_with_the_address_of_a_local_account_is_somebody_else():
    local = make_user("ada@example.org", roles.ADMIN)
    User.objects.filter(pk=local.pk).update(email="ada@example.org")

    user = people.admit(claims())

    assert user.pk != local.pk
    assert (user.username, user.role) == ("0a-1b", "")
    assert people.find("0a-1b") == user


@pytest.mark.parametrize("name", ["ada@example.org", "ADA@example.org"])
def test_two_people_of_one_address_stay_two(name: str):
    first = people.admit(claims())

    second = people.admit(claims("2c-3d", email=name))

    assert first.pk != second.pk
    assert second.username == "2c-3d"


@pytest.mark.parametrize("flag", [False, "false", None, "yes"])
def test_address_that_the_pool_does_not_vouch_for_is_not_taken_over(flag):
    user = people.admit(claims(email_verified=flag))

    assert (user.email, user.username) == ("", "0a-1b")


def test_address_too_long_for_a_username_does_no_harm():
    user = people.admit(claims(email=f"{'a' * 150}@example.org", given_name="A" * 200))

    assert user.username == "0a-1b"
    assert len(user.first_name) == 150


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ([], ""),
        (["viewer"], roles.VIEWER),
        (["viewer", "model-owner", "predictor"], roles.MODEL_OWNER),
        (["admin", "viewer"], roles.ADMIN),
        (["accountants"], ""),
        (["accountants", "predictor"], roles.PREDICTOR),
        (["model owner"], ""),
        (["Admin"], ""),
        ("admin", ""),
        (None, ""),
        ([["admin"]], ""),
        ({"admin": 1}, ""),
    ],
)
def test_highest_known_group_is_the_role(groups, role: str):
    user = people.admit(claims(**{"cognito:groups": groups}))

    assert user.role == role
    assert user.is_staff == (role in roles.STAFF_ROLES)


def test_person_out_of_every_group_loses_role_and_console():
    people.admit(claims("0a-1b", "admin"))

    user = people.admit(claims())

    assert (user.role, user.is_staff) == ("", False)
    assert not User.objects.get(pk=user.pk).has_perm("accounts.view_user")


def test_person_of_the_pool_is_never_a_superuser():
    user = people.admit(claims())
    User.objects.filter(pk=user.pk).update(is_superuser=True, is_staff=True)

    user = people.admit(claims())

    assert (user.is_superuser, user.is_staff) == (False, False)


def test_person_who_is_switched_off_here_stays_so():
    User.objects.filter(pk=people.admit(claims()).pk).update(is_active=False)

    assert not people.admit(claims()).is_active


def test_person_as_known_already_is_not_written(django_assert_num_queries):
    people.admit(claims("0a-1b", "predictor"))

    with django_assert_num_queries(5):  # the person, is the name free, the groups, and the transaction around
        people.admit(claims("0a-1b", "predictor"))


def test_two_first_visits_at_once_make_one_person(monkeypatch):
    first = people.admit(claims())
    found = iter([None, first])
    monkeypatch.setattr(people, "find", lambda sub: next(found))

    assert people.admit(claims()).pk == first.pk
    assert User.objects.count() == 1
