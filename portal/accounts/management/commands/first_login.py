"""Creates the first administrator of an empty portal and prints the login once, as JSON."""

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand

from portal.accounts import actions, roles
from portal.accounts.models import User

USERNAME = "admin"
PASSWORD_BYTES = 9  # 12 characters of URL-safe base64, 72 bits


class Command(BaseCommand):
    help = "Create the first administrator where there is nobody yet; print the login as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        first = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if first:
            self.stdout.write(json.dumps({"created": False, "username": first.username}))
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        user = User.objects.create_superuser(USERNAME, password=password)
        actions.assign_role(user, roles.ADMIN)
        self.stdout.write(json.dumps({"created": True, "username": USERNAME, "password": password}))
