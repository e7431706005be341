"""What the portal runs as, in one line when it starts. Names of variables, never what is in them."""

import logging
import platform

import django
from django.conf import settings
from django.db import connection

from portal import VERSION

log = logging.getLogger(__name__)


def log_start() -> None:
    log.info("%s", describe())


def describe() -> str:
    """Version, kind of target and of database, and which of the stack's variables are there."""
    names = [name for name in dir(settings) if name.startswith("PORTICO_") and isinstance(getattr(settings, name), str)]
    given, missing = ([name for name in names if bool(getattr(settings, name)) is there] for there in (True, False))
    target = "local" if settings.IS_LOCAL else "production"
    return (
        f"Portico {VERSION} starts: {target}, {connection.display_name}, Django {django.get_version()}, "
        f"Python {platform.python_version()}. Set: {', '.join(given) or 'nothing'}. "
        f"Not set: {', '.join(missing) or 'nothing'}."
    )
