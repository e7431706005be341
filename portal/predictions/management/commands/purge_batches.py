"""Deletes the files of batches whose time is over. Runs at every start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.errors import GatewayError
from portal.predictions import actions


class Command(BaseCommand):
    help = (
        "Delete uploads and results of batches that are older than their model says to keep them. Their rows stay in "
        "the history. Runs at every start; a schedule may run it every night."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            purged = actions.purge_batches()
        except GatewayError as error:
            raise CommandError(error.user_message) from error
        if purged:
            self.stdout.write(f"Deleted the files of {purged} batches whose time was over.")
