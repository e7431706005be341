"""Whom calls of the API belong to."""

import pytest

from portal.accounts import callers
from portal.accounts.cognito import people
from portal.accounts.models import User
from portal.errors import Refused
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db
SUB = "7c1e0f9a-0000-4000-8000-000000000001"


def test_person_of_the_pool_who_called_before_the_first_sign_in_is_the_same_afterwards():
    caller = callers.of_the_pool(SUB, email="ada@example.org", username="ada")

    signed_in = people.admit(
        {"sub": SUB, "email": "ada@example.org", "email_verified": True, "cognito:groups": ["predictor"]}
    )

    assert (signed_in, signed_in.role) == (caller, "predictor")


def test_person_who_is_known_keeps_name_and_role_whatever_a_call_says():
    known = people.admit({"sub": SUB, "email": "a@example.org", "email_verified": True, "cognito:groups": ["admin"]})

    caller = callers.of_the_pool(SUB, email="b@example.org", username="b")

    caller.refresh_from_db()
    assert (caller, caller.username, caller.role) == (known, "a@example.org", "admin")


def test_address_of_somebody_else_gives_nobody_their_account():
    ada = make_user("ada@example.org")

    caller = callers.of_the_pool(SUB, email="ada@example.org", username="ada")

    assert caller != ada
    assert caller.username == SUB


def test_nobody_is_one_account_that_cannot_sign_in():
    first, second = callers.nobody(), callers.nobody()

    assert first == second
    assert (first.username, first.is_active, first.has_usable_password(), first.role) == ("api", False, False, "")


def test_nobody_is_never_a_person_who_is_called_so():
    person = make_user("api")

    assert callers.nobody() != person
    assert callers.nobody().username == "API calls"


def test_nobody_without_a_name_that_is_left_is_refused_with_a_sentence():
    for name in callers.NOBODY:
        make_user(name)

    with pytest.raises(Refused, match="Rename one of them"):
        callers.nobody()
    assert User.objects.count() == 2
