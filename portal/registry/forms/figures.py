"""Numbers as people type them."""

from __future__ import annotations

import math
from typing import Any

from unfold.widgets import UnfoldAdminTextInputWidget


class FigureInput(UnfoldAdminTextInputWidget):
    """A number as it would be typed: 30 rather than 30.0."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def format_value(self, value: Any) -> str | None:
        return f"{value:.15g}" if isinstance(value, float) else super().format_value(value)


def to_figure(text: str) -> float | None:
    """The finite number that was typed, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
