"""How values are written for people: rounded and aligned, with the exact value one hover away."""

import math
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from portal import request_ids

register = template.Library()
SIGNIFICANT = 4


@register.filter
def figure(value: Any) -> SafeString | Any:
    """A number with four significant digits; the exact one in the title. Anything else as it is."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if not isinstance(value, int | float) or not math.isfinite(value):
        return value
    short = _short(value)
    return format_html('<data value="{}" title="{}">{}</data>', repr(value), repr(value), short)


@register.filter
def percent(share: float | None) -> SafeString | str:
    """A share of one as percent with one decimal; the exact share in the title. Never rounds to 0 or 100."""
    if share is None:
        return "–"
    shown = f"{100 * share:.1f} %"
    if shown == "100.0 %" and share < 1:
        shown = "> 99.9 %"
    if shown == "0.0 %" and share > 0:
        shown = "< 0.1 %"
    return format_html('<data value="{}" title="{}">{}</data>', repr(share), repr(share), shown.replace(" ", "\u202f"))


@register.filter
def rate(per_second: float) -> str:
    """How many a second, with two significant digits: it changes while one reads it."""
    if per_second < 10:
        return f"{per_second:.1f}"
    digits = 1 - math.floor(math.log10(per_second))
    return f"{int(round(per_second, digits)):,}".replace(",", "\u202f")


@register.filter
def item(mapping: dict[str, Any], key: str) -> Any:
    """A value of a mapping whose key is no identifier."""
    return mapping.get(key, "")


@register.filter
def times100(share: float) -> str:
    """A share of one as the length of a bar in percent."""
    return f"{100 * share:.3f}"


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, in words."""
    return "just now" if timezone.now() - moment < timedelta(minutes=1) else f"{timesince(moment, depth=1)} ago"


@register.filter
def seconds_since(moment: datetime) -> int:
    """Whole seconds since then."""
    return max(0, int((timezone.now() - moment).total_seconds()))


@register.filter
def duration(milliseconds: float | None) -> str:
    """Milliseconds in the unit that reads best."""
    if milliseconds is None:
        return "–"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"


@register.simple_tag
def asked() -> request_ids.Asked | None:
    """The request that this page answers: its id and when it came in."""
    return request_ids.current()


def _short(value: float) -> str:
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}".replace(",", "\u202f")
    if 1e-4 <= abs(value) < 1e7:
        digits = max(0, SIGNIFICANT - 1 - math.floor(math.log10(abs(value))))
        rounded, exact = f"{value:.{digits}f}", repr(value)
        return exact if len(exact) <= len(rounded) else rounded
    return f"{value:.{SIGNIFICANT}g}"
