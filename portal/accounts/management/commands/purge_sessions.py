"""Deletes what is left of sessions that have ended. Runs at every start."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Delete sessions that are over, with the addresses and browsers that they came from. Runs at every start; a "
        "schedule may run it every night."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        SessionStore.clear_expired()
        left = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key"))
        count, _ = left.delete()
        if count:
            self.stdout.write(f"Deleted what was left of {count} sessions that are over.")
