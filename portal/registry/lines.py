"""Pairs as lines of text: `value = words`, one a line. How the console edits choices, class labels and examples."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

Pairs = list[list[str]]


class PairsField(forms.CharField):
    """Text of lines ↔ [[value, words], …]. A line without `=` stands for itself, unless the words are left out."""

    def __init__(self, *, words_may_lack: bool = True, rows: int = 3, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "cols": 40, "spellcheck": "false"})
        super().__init__(widget=widget, **kwargs)
        self.words_may_lack = words_may_lack

    def prepare_value(self, value: Any) -> Any:
        return to_lines(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Pairs:  # type: ignore[override]
        pairs: Pairs = []
        for line in (str(value or "")).splitlines():
            left, separator, right = line.partition(" = ") if " = " in line else line.partition("=")
            if not line.strip():
                continue
            if not left.strip() or not (separator or self.words_may_lack):
                raise ValidationError(f"“{line.strip()}” is not of the form: value = words.")
            pairs.append([left.strip(), right.strip() or (left.strip() if self.words_may_lack else "")])
        names = [name for name, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValidationError(f"“{twice}” is there twice.")
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.to_python(self.prepare_value(initial)) != self.to_python(data)
        except ValidationError:
            return True


def to_lines(pairs: list[Any] | tuple[Any, ...]) -> str:
    """One line a pair."""
    return "\n".join(str(left) if str(left) == str(right) else f"{left} = {right}" for left, right in pairs)
