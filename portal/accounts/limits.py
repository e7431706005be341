"""How many failed tries are taken before one has to wait, and for how long.

django-allauth counts; here it is said until when. A count belongs to a name tried from one address, or to the address:
nobody can shut somebody else out by failing in that person's name.
"""

from __future__ import annotations

import math
import time

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

SPENT = "too_many_login_attempts"  # as allauth calls it
SPENT_WORDS = "Too many tries failed. Try again in a few minutes."
FAILED = {"app": "allauth.account", "action": "login_failed"}


def key_from_here(request: HttpRequest, key: str) -> str:
    """The key, as tried from this address."""
    return f"{key}|{ratelimit.get_ip(request)}"


def refuse_if_spent(request: HttpRequest, key: str) -> None:
    """Before a try that would not be taken: say when the next one will.

    Raises: ValidationError: with the code SPENT, and the seconds to wait in its params
    """
    seconds = max((_seconds_to_wait(request, rate, key) for rate in ratelimit.get_rates(**FAILED)), default=0)
    if seconds:
        params = {"wait": in_words(seconds), "seconds": seconds}
        raise ValidationError("Too many tries failed. Try again in %(wait)s.", code=SPENT, params=params)


def wait_of(form: BaseForm) -> int | None:
    """The seconds that this form asks its person to wait; None where it does not."""
    for errors in form.errors.as_data().values():
        for error in errors:
            if error.code == SPENT:
                return int((error.params or {}).get("seconds", 60))
    return None


def in_words(seconds: int) -> str:
    """Whole minutes, never too few."""
    minutes = math.ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _seconds_to_wait(request: HttpRequest, rate: ratelimit.Rate, key: str) -> int:
    """Until the oldest of the tries that fill this count is forgotten; 0 while there is room."""
    tries = cache.get(ratelimit.get_cache_key(request, rate=rate, key=key, **FAILED), [])
    now = time.time()
    is_free, tries = ratelimit.apply_rate(tries, now, rate, dry_run=True)
    return 0 if is_free else max(1, math.ceil(tries[rate.amount - 1] + rate.duration - now))
