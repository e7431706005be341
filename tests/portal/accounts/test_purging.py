"""What is left of sessions that are over is deleted; nobody who is in is signed out by that."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitors() -> tuple[Client, Client]:
    """Two browsers of one person."""
    ada, here, there = make_user("ada"), Client(), Client()
    for client in (here, there):
        client.force_login(ada)
        client.get("/")
    return here, there


def test_purge_deletes_what_is_over_with_where_it_came_from(visitors: tuple[Client, Client]):
    here, there = visitors
    over = Session.objects.filter(session_key=there.session.session_key)
    over.update(expire_date=timezone.now() - timedelta(seconds=1))

    call_command("purge_sessions")

    assert [row.session_key for row in Session.objects.all()] == [here.session.session_key]
    assert [row.session_key for row in UserSession.objects.all()] == [here.session.session_key]
    assert here.get("/").status_code == 200


def test_purge_says_how_much_and_nothing_where_there_was_nothing(visitors, capsys: pytest.CaptureFixture[str]):
    Session.objects.all().delete()

    call_command("purge_sessions")
    call_command("purge_sessions")

    assert capsys.readouterr().out == "Deleted what was left of 2 sessions that are over.\n"
