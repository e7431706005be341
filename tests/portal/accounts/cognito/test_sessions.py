"""Sessions that Cognito opened: refreshed when due, ended when it says so, kept for a while when it says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.cognito import sessions
from portal.accounts.models import User
from portal.errors import BackendAway
from portal.gateways.cognito import tokens
from tests.portal.accounts.cognito.conftest import age
from tests.portal.factories import make_user
from tests.user_pool import UserPool

pytestmark = pytest.mark.django_db
ID_TOKEN_S = 3600


class Refreshes:
    """Counts the refreshes, and lets them through or fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.error, self._refresh = 0, None, tokens.refresh
        monkeypatch.setattr(tokens, "refresh", self)

    def __call__(self, refresh_token: str, *, client_id: str) -> tokens.Tokens:
        self.count += 1
        if self.error:
            raise self.error
        return self._refresh(refresh_token, client_id=client_id)


@pytest.fixture
def refreshes(monkeypatch: pytest.MonkeyPatch) -> Refreshes:
    return Refreshes(monkeypatch)


@pytest.fixture(params=["managed login", "forms"])
def entered(request: pytest.FixtureRequest) -> tuple[UserPool, str]:
    """A predictor who came in by either way: the pool, and the address."""
    is_managed = request.param == "managed login"
    pool = request.getfixturevalue("by_managed_login" if is_managed else "by_forms")
    address = pool.add("predictor")
    request.getfixturevalue("enter" if is_managed else "enter_by_form")(address)
    return pool, address


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_session_that_is_fresh_asks_cognito_nothing(entered, client: Client, refreshes: Refreshes):
    for _ in range(3):
        assert client.get("/").status_code == 200

    assert refreshes.count == 0


def test_session_is_refreshed_shortly_before_the_token_ends_and_then_fresh_again(entered, client, refreshes):
    age(client, ID_TOKEN_S - sessions.DUE_BEFORE_S + 1)
    before = client.session[sessions.KEY]["expires_at"]

    assert client.get("/").status_code == 200
    assert client.get("/").status_code == 200

    assert refreshes.count == 1
    assert client.session[sessions.KEY]["expires_at"] > before


def test_session_whose_token_is_not_yet_nearly_over_is_left_alone(entered, client: Client, refreshes: Refreshes):
    age(client, ID_TOKEN_S - sessions.DUE_BEFORE_S - 60)

    client.get("/")

    assert refreshes.count == 0


def test_groups_that_changed_meanwhile_count_from_the_request_that_refreshes(entered, client: Client):
    pool, address = entered
    pool.group(address, "model-owner")
    age(client, ID_TOKEN_S)

    assert client.get("/").context["user"].role == roles.MODEL_OWNER

    for group in ("model-owner", "predictor"):
        pool.ungroup(address, group)
    age(client, ID_TOKEN_S)

    assert client.get("/history/").status_code == 403
    assert User.objects.get(email=address).is_staff is False


def test_session_of_somebody_who_was_switched_off_ends_with_a_sentence(entered, client: Client):
    pool, address = entered
    pool.admin.admin_disable_user(UserPoolId=pool.id, Username=address)
    age(client, ID_TOKEN_S)

    answer = client.get("/history/", follow=True)

    assert answer.redirect_chain == [(f"{reverse('account_login')}?next=/history/", 302)]
    assert said(answer) == [tokens.ENDED]
    assert sessions.KEY not in client.session and not answer.wsgi_request.user.is_authenticated


def test_session_that_was_revoked_or_whose_person_was_deleted_ends(entered, client: Client):
    pool, address = entered
    pool.admin.admin_delete_user(UserPoolId=pool.id, Username=address)
    age(client, ID_TOKEN_S)

    assert said(client.get("/", follow=True)) == [tokens.ENDED]


def test_session_while_cognito_is_away_lives_on_and_does_not_ask_each_time(entered, client: Client, refreshes):
    refreshes.error = BackendAway("away")
    age(client, ID_TOKEN_S + sessions.GRACE_S - 60)

    assert [client.get("/").status_code for _ in range(3)] == [200] * 3
    assert refreshes.count == 1


def test_session_while_cognito_is_away_is_refreshed_once_it_is_back(entered, client: Client, refreshes: Refreshes):
    refreshes.error = BackendAway("away")
    age(client, ID_TOKEN_S)
    client.get("/")
    refreshes.error = None
    age(client, 0)

    client.get("/")

    assert refreshes.count == 2
    assert not sessions.is_due(client.session[sessions.KEY])


def test_session_while_cognito_is_away_for_longer_than_an_hour_ends_with_a_sentence(entered, client, refreshes):
    refreshes.error = BackendAway("away")
    age(client, ID_TOKEN_S + sessions.GRACE_S)

    assert said(client.get("/", follow=True)) == [sessions.AWAY_TOO_LONG]


def test_refresh_that_gives_somebody_elses_token_ends_the_session(entered, client: Client, monkeypatch):
    pool, _ = entered
    other = pool.tokens(pool.add("admin"))
    session = client.session
    session[sessions.KEY] = {**session[sessions.KEY], "client_id": pool.public_client_id}
    session.save()
    given = tokens.Tokens(pool.public_client_id, other["IdToken"])
    monkeypatch.setattr(tokens, "refresh", lambda *args, **more: given)
    age(client, ID_TOKEN_S)

    assert said(client.get("/", follow=True)) == [tokens.ENDED]


def test_refresh_that_gives_an_access_token_ends_the_session(entered, client: Client, monkeypatch):
    pool, address = entered
    given = tokens.Tokens(pool.public_client_id, pool.tokens(address)["AccessToken"])
    monkeypatch.setattr(tokens, "refresh", lambda *args, **more: given)
    age(client, ID_TOKEN_S)

    answer = client.get("/", follow=True)

    assert not answer.wsgi_request.user.is_authenticated


def test_refresh_with_rotation_keeps_the_new_token(entered, client: Client, monkeypatch):
    refresh = tokens.refresh

    def rotating(refresh_token: str, *, client_id: str) -> tokens.Tokens:
        return tokens.Tokens(client_id, refresh(refresh_token, client_id=client_id).id_token, "rotated")

    monkeypatch.setattr(tokens, "refresh", rotating)
    age(client, ID_TOKEN_S)

    client.get("/")

    assert sessions.unseal(client.session[sessions.KEY]["refresh_token"]) == "rotated"


def test_refresh_by_two_requests_at_once_leaves_a_good_session(entered, client: Client, refreshes: Refreshes):
    age(client, ID_TOKEN_S)
    other = _meanwhile(client, refreshes)

    assert client.get("/").status_code == 200
    assert other == [200]
    assert refreshes.count == 2
    assert client.get("/").status_code == 200 and refreshes.count == 2


def test_refresh_that_is_refused_since_another_request_had_the_token_rotated_goes_on(entered, client, refreshes):
    age(client, ID_TOKEN_S)
    _meanwhile(client, refreshes, then=tokens.NotLetIn(tokens.ENDED))

    assert client.get("/").status_code == 200
    assert client.get("/").status_code == 200


def test_refresh_that_fails_while_another_request_succeeds_goes_on_with_what_that_got(entered, client, refreshes):
    age(client, ID_TOKEN_S)
    _meanwhile(client, refreshes, then=BackendAway("away"))

    client.get("/")

    assert not sessions.is_due(client.session[sessions.KEY])
    assert client.session[sessions.KEY]["asked_at"] == 0


def test_refresh_that_is_refused_since_the_person_signed_out_elsewhere_ends(entered, client: Client, refreshes):
    age(client, ID_TOKEN_S)
    _meanwhile(client, refreshes, then=tokens.NotLetIn(tokens.ENDED), address=reverse("account_logout"))

    assert client.get("/").status_code == 302
    assert not get_user_model().objects.filter(pk=client.session.get("_auth_user_id")).exists()


def test_session_sealed_with_another_secret_ends(entered, client: Client, settings):
    session = client.session
    kept = session[sessions.KEY]
    settings.SECRET_KEY, secret = "another secret that is long enough to be one", settings.SECRET_KEY
    sealed = sessions.seal("refresh token")
    settings.SECRET_KEY = secret
    session[sessions.KEY] = {**kept, "refresh_token": sealed}
    session.save()
    age(client, ID_TOKEN_S)

    assert said(client.get("/", follow=True)) == [tokens.ENDED]


def test_view_that_is_open_to_everybody_waits_for_no_refresh(entered, client: Client, refreshes: Refreshes):
    age(client, ID_TOKEN_S)

    assert client.get(reverse("health")).status_code == 200
    assert refreshes.count == 0


def test_local_session_is_no_affair_of_cognito(client: Client, refreshes: Refreshes):
    client.force_login(make_user("ada"))

    assert client.get("/").status_code == 200
    assert refreshes.count == 0


def _meanwhile(client: Client, refreshes: Refreshes, *, then: Exception | None = None, address: str = "/") -> list[int]:
    """Another request of the session comes and goes while the first one waits for Cognito, which answers `then`."""
    answers: list[int] = []
    let_through = refreshes._refresh
    second = Client()
    second.cookies = client.cookies

    def slow(refresh_token: str, *, client_id: str) -> tokens.Tokens:
        refreshes._refresh = let_through
        answer = second.post(address) if address != "/" else second.get(address)
        answers.append(answer.status_code)
        if then:
            raise then
        return let_through(refresh_token, client_id=client_id)

    refreshes._refresh = slow
    return answers
