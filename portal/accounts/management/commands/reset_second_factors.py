"""`manage.py reset_second_factors NAME`: for somebody who has lost them, and the recovery codes too."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.accounts import actions
from portal.accounts.models import User


class Command(BaseCommand):
    help = "Takes a person's authenticator app, passkeys and recovery codes away: the password alone signs in again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(
                f"Nobody has the username “{options['name']}”. The console's list of people has them all."
            )
        if actions.reset_second_factors(user, by=f"{_who()} at the command line"):
            self.stdout.write(
                f"{user.username} signs in by password alone now. Change that password, if it may be known."
            )
        else:
            self.stdout.write(f"{user.username} has none: the password alone signs in already.")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that has no name
        return "somebody"
