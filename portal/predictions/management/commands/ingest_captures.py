"""Takes what the API answered into the history. A schedule runs it with --every, beside the portal."""

import logging
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from portal.errors import PorticoError
from portal.predictions import actions
from portal.registry import actions as registry

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Take the calls that the API has answered from the bucket into the history, each once, and write what the "
        "published page is told of models where that could not be written when it changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=_seconds, metavar="SECONDS", help="go on until stopped, with such pauses")

    def handle(self, *args: Any, every: float | None, **options: Any) -> None:
        if every is None:
            try:
                self._pass(again=True)
            except PorticoError as error:
                raise CommandError(error.user_message) from error
            return
        try:
            self._go_on(every)
        except KeyboardInterrupt:
            return

    def _go_on(self, every: float) -> None:
        again = True
        while True:
            try:
                self._pass(again=again)
                again = False
            except (PorticoError, DatabaseError) as error:
                log.warning("The next pass tries again: %s", getattr(error, "detail", None) or type(error).__name__)
            except Exception:  # a bug in one pass must not end all the others
                log.exception("The next pass tries again.")
            close_old_connections()
            time.sleep(every)

    def _pass(self, *, again: bool) -> None:
        registry.publish_marked()
        done = actions.ingest_captures(again=again)
        if done.objects:
            self.stdout.write(_words(done))


def _words(done: actions.Ingested) -> str:
    said = f"Took {done.taken} calls of the API into the history. {done.known} were there already."
    if done.unreadable:
        said += f" {done.unreadable} lines cannot be read; the log names their objects, which stay in the bucket."
    if done.kept_back:
        said += f" {done.kept_back} are kept back for a later release, or until their model is known here."
    return said


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86_400:
        raise ValueError("from 1 to 86400")
    return seconds
