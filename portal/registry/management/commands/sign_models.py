"""Signs again what the portal vouches for. Runs at every start, and changes nothing where all is as it should be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.errors import GatewayError
from portal.registry import actions


class Command(BaseCommand):
    help = (
        "Have the bucket say what the database knows: a signed manifest for each checked version, a signed pointer to "
        "each live one, and its published page. Needed after an upgrade, or after the key was lost or exchanged."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = actions.vouch_again()
        except GatewayError as error:
            raise CommandError(error.user_message) from error
        if written:
            self.stdout.write(f"Wrote {written} documents again: manifests, pointers and published pages.")
